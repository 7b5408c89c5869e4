# Every run as a folder for transformers and the hub, on request: `make export`.
localrules:
    describe_model,
    export,


rule describe_model:
    input:
        folder=multiext("<results>/runs/{experiment}/seed-{seed}/model/", *TRANSFORMERS_FILES),
        metrics=collect(
            "<results>/runs/{{experiment}}/seed-{seed}/metrics.json", seed=config["seeds"]
        ),
        audit=collect("<results>/data/{dataset}/audit.json", dataset=experiment_dataset),
    output:
        card="<results>/runs/{experiment}/seed-{seed}/model/README.md",
    log:
        "<logs>/describe_model/{experiment}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/describe_model/{experiment}/seed-{seed}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=lambda w: study.run_settings(config, w.experiment),
        title=config["title"],
        licence=config["licence"],
        code=code_sha256("describe_model"),
    message:
        "Write the model card of {wildcards.experiment}, seed {wildcards.seed}"
    script:
        "../scripts/describe_model.py"


# All models of the study, each with its card.
rule export:
    input:
        collect(
            rules.describe_model.output.card,
            experiment=config["experiments"],
            seed=config["seeds"],
        ),
