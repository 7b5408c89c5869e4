# Published models: what others have pre-trained, taken over and checked.
rule import_checkpoint:
    input:
        source=lambda w: sources.source_path(
            config["models"][w.model]["fairseq_checkpoint"]["source"]
        ),
    output:
        model="<results>/pretrained/{model}/model.pt",
        dictionary="<results>/tokens/{model}/dict.txt",
        sentencepiece="<results>/tokens/{model}/sentencepiece.bpe.model",
    log:
        "<logs>/import_checkpoint/{model}.log",
    benchmark:
        "<benchmarks>/import_checkpoint/{model}.tsv"
    wildcard_constraints:
        model=study.name_pattern(study.models_with(config, "fairseq_checkpoint")),
    conda:
        "../envs/fairseq.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        located=lookup(within=config, dpath="models/{model}/fairseq_checkpoint"),
        architecture=lookup(within=config, dpath="models/{model}/architecture"),
        code=code_sha256("import_checkpoint"),
    message:
        "Take over the published fairseq checkpoint of {wildcards.model}"
    script:
        "../scripts/import_checkpoint.py"


rule import_transformers:
    input:
        source=lambda w: sources.source_path(
            config["models"][w.model]["transformers_checkpoint"]["source"]
        ),
    output:
        folder=multiext("<results>/pretrained/{model}/transformers/", *TRANSFORMERS_FILES),
    log:
        "<logs>/import_transformers/{model}.log",
    benchmark:
        "<benchmarks>/import_transformers/{model}.tsv"
    wildcard_constraints:
        model=study.name_pattern(study.models_with(config, "transformers_checkpoint")),
    conda:
        "../envs/transformers.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        located=lookup(within=config, dpath="models/{model}/transformers_checkpoint"),
        architecture=lookup(within=config, dpath="models/{model}/architecture"),
        code=code_sha256("import_transformers"),
    message:
        "Take over the published transformers folder of {wildcards.model}"
    script:
        "../scripts/import_transformers.py"
