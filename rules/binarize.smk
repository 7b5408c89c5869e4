# Tokens to what fairseq-preprocess writes with our dictionaries.
rule binarize_dataset:
    input:
        dictionary="<results>/tokens/{model}/dict.txt",
        tokens=collect(
            "<results>/tokens/{{model}}/{{dataset}}/{split}.bin",
            split=["train", "valid", "test"],
        ),
        indexes=collect(
            "<results>/tokens/{{model}}/{{dataset}}/{split}.idx",
            split=["train", "valid", "test"],
        ),
        labels=collect(
            "<results>/tokens/{{model}}/{{dataset}}/{split}.label",
            split=["train", "valid", "test"],
        ),
        audit="<results>/data/{dataset}/audit.json",
    output:
        tokens=multiext("<results>/binarized/{model}/{dataset}/input0/", *BINARIZED_FILES),
        labels=multiext("<results>/binarized/{model}/{dataset}/label/", *BINARIZED_FILES),
    log:
        "<logs>/binarize_dataset/{model}/{dataset}.log",
    benchmark:
        "<benchmarks>/binarize_dataset/{model}/{dataset}.tsv"
    conda:
        "../envs/fairseq.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_sha256("binarize_dataset"),
    message:
        "Binarize {wildcards.dataset} for {wildcards.model}"
    script:
        "../scripts/binarize_dataset.py"


rule binarize_corpus:
    input:
        dictionary="<results>/tokens/{model}/dict.txt",
        train=multiext("<results>/corpus/{model}/{shard}/train", ".bin", ".idx"),
        valid=multiext("<results>/corpus/{model}/valid/valid", ".bin", ".idx"),
    output:
        multiext(
            "<results>/corpus/{model}/{shard}/binarized/",
            "dict.txt",
            "train.bin",
            "train.idx",
            "valid.bin",
            "valid.idx",
        ),
    log:
        "<logs>/binarize_corpus/{model}/{shard}.log",
    benchmark:
        "<benchmarks>/binarize_corpus/{model}/{shard}.tsv"
    wildcard_constraints:
        shard=r"\d+-of-\d+",
    conda:
        "../envs/fairseq.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code_sha256("binarize_corpus"),
    message:
        "Binarize the corpus of {wildcards.model}: {wildcards.shard}"
    script:
        "../scripts/binarize_corpus.py"
