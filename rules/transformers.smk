# One run per experiment and seed with transformers' Trainer.
rule finetune_transformers:
    input:
        data=collect(
            "<results>/data/{dataset}/{file}",
            dataset=experiment_dataset,
            file=["train.jsonl", "valid.jsonl", "test.jsonl", "audit.json"],
        ),
        start=branch(
            lambda w: study.starts_from_folder(config, w.experiment),
            then=collect(
                "<results>/pretrained/{model}/transformers/{file}",
                model=experiment_model,
                file=TRANSFORMERS_FILES,
            ),
        ),
        tokenizer=branch(
            lambda w: study.starts_from_folder(config, w.experiment),
            otherwise=collect(
                "<results>/tokens/{model}/{file}",
                model=experiment_model,
                file=["sentencepiece.bpe.model", "dict.txt"],
            ),
        ),
    output:
        history="<results>/runs/{experiment}/seed-{seed}/history.csv",
        predictions="<results>/runs/{experiment}/seed-{seed}/predictions.csv",
        metrics="<results>/runs/{experiment}/seed-{seed}/metrics.json",
        folder=multiext("<results>/runs/{experiment}/seed-{seed}/model/", *TRANSFORMERS_FILES),
    log:
        "<logs>/finetune_transformers/{experiment}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/finetune_transformers/{experiment}/seed-{seed}.tsv"
    wildcard_constraints:
        experiment=study.name_pattern(study.experiments(config, engine="transformers")),
    conda:
        "../envs/transformers.yaml"
    threads: lambda w: study.cores(config["experiments"][w.experiment]["finetune"])
    resources:
        mem_mb=8000,
        runtime=8 * 60,
        gpu=lambda w: config["experiments"][w.experiment]["finetune"]["processes"],
    params:
        settings=lambda w: study.run_settings(config, w.experiment),
        code=code_sha256("finetune_transformers"),
    message:
        "Fine-tune {wildcards.experiment} with seed {wildcards.seed}"
    script:
        "../scripts/finetune_transformers.py"
