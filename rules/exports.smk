# Models for others: folders of transformers, ONNX beside them.
localrules:
    export,


# A fine-tuned fairseq model as a transformers folder, beside its model.pt.
rule export_run:
    input:
        checkpoint="<results>/runs/{experiment}/seed-{seed}/model.pt",
        predictions="<results>/runs/{experiment}/seed-{seed}/predictions.csv",
        tokenizer=experiment_tokenizer,
        dictionary=collect("<results>/tokens/{model}/dict.txt", model=experiment_model),
        original=branch(
            experiment_converted,
            then=collect(
                "<results>/pretrained/{model}/transformers/config.json", model=experiment_model
            ),
        ),
        data=collect(
            "<results>/data/{dataset}/{file}",
            dataset=experiment_dataset,
            file=["test.jsonl", "audit.json"],
        ),
    output:
        folder=multiext("<results>/runs/{experiment}/seed-{seed}/model/", *TRANSFORMERS_FILES),
        report="<results>/runs/{experiment}/seed-{seed}/model/export.json",
    wildcard_constraints:
        experiment=entries.run_pattern(config, "fairseq"),
    conda:
        "../envs/transformers.yaml"
    resources:
        mem_mb=sized(4000, per_mb=3),
        runtime=sized(60),
    params:
        architecture=lambda w: entries.run_settings(config, w.experiment)["architecture"],
        max_tokens=lambda w: entries.max_tokens(config, experiment_model(w)),
    message:
        "Export {wildcards.experiment}, seed {wildcards.seed}, as a transformers folder"
    script:
        "../scripts/exports/export_run.py"


# Any fine-tuned model as ONNX, in its folder, in each form that answers as transformers does.
rule export_onnx:
    input:
        folder=multiext("<results>/runs/{experiment}/seed-{seed}/model/", *TRANSFORMERS_FILES),
        data=collect(
            "<results>/data/{dataset}/{file}",
            dataset=experiment_dataset,
            file=["valid.jsonl", "test.jsonl", "audit.json"],
        ),
        metrics="<results>/runs/{experiment}/seed-{seed}/metrics.json",
    output:
        onnx=directory("<results>/runs/{experiment}/seed-{seed}/model/onnx"),
    conda:
        "../envs/transformers.yaml"
    resources:
        mem_mb=sized(4000, per_mb=6),
        runtime=sized(60, per_mb=0.2),
    params:
        agreement=config["onnx"]["agreement"],
    message:
        "Export {wildcards.experiment}, seed {wildcards.seed}, as ONNX"
    script:
        "../scripts/exports/export_onnx.py"


# All models of the study, each with its card.
rule export:
    input:
        reporting.run_files(config, "model/README.md"),
