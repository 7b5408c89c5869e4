# One run per experiment and seed, by each engine, with what its search chose if it has one.
rule finetune_fairseq:
    input:
        search=search_of_experiment,
        data=collect(
            "<results>/data/{dataset}/{file}",
            dataset=experiment_dataset,
            file=["train.jsonl", "valid.jsonl", "test.jsonl", "audit.json"],
        ),
        binarized=experiment_binarized(SPLITS),
        # What was cut of the texts.
        counts=collect(
            "<results>/tokens/{model}/{dataset}/{split}.audit.json",
            model=experiment_model,
            dataset=experiment_dataset,
            split=SPLITS,
        ),
        pretrained=branch(
            experiment_init,
            cases={
                "pretrained": collect(
                    "<results>/pretrained/{model}{of_seed}/model.pt",
                    model=experiment_model,
                    of_seed=experiment_of_seed,
                ),
                "random": [],
            },
        ),
        # What a converted model is, and that both engines compute the same with it.
        architecture=branch(
            experiment_converted,
            then=collect("<results>/pretrained/{model}/fairseq.json", model=experiment_model),
        ),
        proof=branch(
            experiment_converted,
            then=collect("<results>/pretrained/{model}/conversion.json", model=experiment_model),
        ),
    output:
        history="<results>/runs/{experiment}/seed-{seed}/history.csv",
        predictions="<results>/runs/{experiment}/seed-{seed}/predictions.csv",
        metrics="<results>/runs/{experiment}/seed-{seed}/metrics.json",
        model="<results>/runs/{experiment}/seed-{seed}/model.pt",
    wildcard_constraints:
        experiment=entries.run_pattern(config, "fairseq"),
    conda:
        "../envs/fairseq.yaml"
    threads: lambda w: entries.cores(curves.experiment(config, w.experiment)["finetune"])
    resources:
        mem_mb=sized(8000, per_mb=5),
        runtime=sized(8 * 60),
        gpu=lambda w: entries.gpus(curves.experiment(config, w.experiment)["finetune"]),
    params:
        settings=run_settings,
    message:
        "Fine-tune {wildcards.experiment} with seed {wildcards.seed}"
    script:
        "../scripts/training/finetune_fairseq.py"


rule finetune_transformers:
    input:
        search=search_of_experiment,
        data=collect(
            "<results>/data/{dataset}/{file}",
            dataset=experiment_dataset,
            file=["train.jsonl", "valid.jsonl", "test.jsonl", "audit.json"],
        ),
        start=branch(
            lambda w: entries.starts_from_folder(config, w.experiment),
            then=collect(
                "<results>/pretrained/{model}{of_seed}/transformers/{file}",
                model=experiment_model,
                of_seed=experiment_of_seed,
                file=TRANSFORMERS_FILES,
            ),
        ),
        tokenizer=branch(
            lambda w: entries.starts_from_folder(config, w.experiment),
            otherwise=collect(
                "<results>/tokens/{model}/{file}",
                model=experiment_model,
                file=lambda w: [*entries.tokenizer_files(config, experiment_model(w)), "dict.txt"],
            ),
        ),
    output:
        history="<results>/runs/{experiment}/seed-{seed}/history.csv",
        predictions="<results>/runs/{experiment}/seed-{seed}/predictions.csv",
        metrics="<results>/runs/{experiment}/seed-{seed}/metrics.json",
        folder=multiext("<results>/runs/{experiment}/seed-{seed}/model/", *TRANSFORMERS_FILES),
    wildcard_constraints:
        experiment=entries.run_pattern(config, "transformers"),
    conda:
        "../envs/transformers.yaml"
    threads: lambda w: entries.cores(curves.experiment(config, w.experiment)["finetune"])
    resources:
        mem_mb=sized(8000, per_mb=5),
        runtime=sized(8 * 60),
        gpu=lambda w: entries.gpus(curves.experiment(config, w.experiment)["finetune"]),
    params:
        settings=run_settings,
    message:
        "Fine-tune {wildcards.experiment} with seed {wildcards.seed}"
    script:
        "../scripts/training/finetune_transformers.py"


# The files of an engine's models that are none of transformers.
MODEL_FILES = {"linear": ["config.json", "model.safetensors", "vocabulary.json"]}


# No seed changes what it finds: it is run for the first one alone.
rule train_linear:
    input:
        search=search_of_experiment,
        data=collect(
            "<results>/data/{dataset}/{file}",
            dataset=experiment_dataset,
            file=["train.jsonl", "valid.jsonl", "test.jsonl", "audit.json"],
        ),
    output:
        history="<results>/runs/{experiment}/seed-{seed}/history.csv",
        predictions="<results>/runs/{experiment}/seed-{seed}/predictions.csv",
        metrics="<results>/runs/{experiment}/seed-{seed}/metrics.json",
        folder=multiext("<results>/runs/{experiment}/seed-{seed}/model/", *MODEL_FILES["linear"]),
    wildcard_constraints:
        experiment=entries.run_pattern(config, "linear"),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(2000, per_mb=80),
        runtime=sized(2 * 60, per_mb=0.2),
    params:
        settings=run_settings,
    message:
        "Train the linear classifier {wildcards.experiment}"
    script:
        "../scripts/training/train_linear.py"
