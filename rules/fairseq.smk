# One run per experiment and seed with fairseq-train.
rule finetune_fairseq:
    input:
        data=collect(
            "<results>/data/{dataset}/{file}",
            dataset=experiment_dataset,
            file=["train.jsonl", "valid.jsonl", "test.jsonl", "audit.json"],
        ),
        binarized=collect(
            "<results>/binarized/{model}/{dataset}/{part}/{file}",
            model=experiment_model,
            dataset=experiment_dataset,
            part=["input0", "label"],
            file=BINARIZED_FILES,
        ),
        pretrained=branch(
            experiment_init,
            cases={
                "pretrained": collect(
                    "<results>/pretrained/{model}/model.pt", model=experiment_model
                ),
                "random": [],
            },
        ),
    output:
        history="<results>/runs/{experiment}/seed-{seed}/history.csv",
        predictions="<results>/runs/{experiment}/seed-{seed}/predictions.csv",
        metrics="<results>/runs/{experiment}/seed-{seed}/metrics.json",
        model="<results>/runs/{experiment}/seed-{seed}/model.pt",
    log:
        "<logs>/finetune_fairseq/{experiment}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/finetune_fairseq/{experiment}/seed-{seed}.tsv"
    wildcard_constraints:
        experiment=study.name_pattern(study.experiments(config, engine="fairseq")),
    conda:
        "../envs/fairseq.yaml"
    threads: lambda w: study.cores(config["experiments"][w.experiment]["finetune"])
    resources:
        mem_mb=8000,
        runtime=8 * 60,
        gpu=lambda w: config["experiments"][w.experiment]["finetune"]["processes"],
    params:
        settings=lambda w: study.run_settings(config, w.experiment),
        code=code_sha256("finetune_fairseq"),
    message:
        "Fine-tune {wildcards.experiment} with seed {wildcards.seed}"
    script:
        "../scripts/finetune_fairseq.py"
