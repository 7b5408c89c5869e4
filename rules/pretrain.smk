# Masked-language modelling with fairseq-train.
rule pretrain_model:
    input:
        corpus=[
            gather.corpus(f"<results>/corpus/{{{{model}}}}/{{scatteritem}}/binarized/{file}")
            for file in ("dict.txt", "train.bin", "train.idx", "valid.bin", "valid.idx")
        ],
    output:
        model="<results>/pretrained/{model}/model.pt",
        history="<results>/pretrained/{model}/history.csv",
        metrics="<results>/pretrained/{model}/metrics.json",
    log:
        "<logs>/pretrain_model/{model}.log",
    benchmark:
        "<benchmarks>/pretrain_model/{model}.tsv"
    wildcard_constraints:
        model=study.name_pattern(study.trained_models(config)),
    # Most other jobs wait for it.
    priority: 1
    conda:
        "../envs/fairseq.yaml"
    threads: lambda w: study.cores(config["models"][w.model]["pretrain"])
    resources:
        mem_mb=8000,
        runtime=24 * 60,
        gpu=lambda w: config["models"][w.model]["pretrain"]["processes"],
    params:
        settings=lookup(within=config, dpath="models/{model}"),
        code=code_sha256("pretrain_model"),
    message:
        "Pre-train {wildcards.model}"
    script:
        "../scripts/pretrain_model.py"
