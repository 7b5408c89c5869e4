# fairseq to transformers: the weights, the tokenizer, and the proof that both agree.
rule predict_reference:
    input:
        model="<results>/pretrained/{model}/model.pt",
        corpus="<results>/corpus/{model}/binarized/valid.bin",
    output:
        reference="<results>/pretrained/{model}/reference.npz",
    log:
        "<logs>/predict_reference/{model}.log",
    benchmark:
        "<benchmarks>/predict_reference/{model}.tsv"
    params:
        code=code_sha256("predict_reference"),
    conda:
        "../envs/fairseq.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
    message:
        "Predict masked tokens of 64 texts with fairseq's {wildcards.model}"
    script:
        "../scripts/predict_reference.py"
