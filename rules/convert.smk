# fairseq to transformers: the weights, the tokenizer, and the proof that both agree.
rule predict_reference:
    input:
        model="<results>/pretrained/{model}/model.pt",
        binarized=collect(
            "<results>/binarized/{{model}}/{dataset}/input0/{file}",
            dataset=lambda w: study.datasets_with_model(config, w.model)[0],
            file=["dict.txt", "valid.bin", "valid.idx"],
        ),
    output:
        reference="<results>/pretrained/{model}/reference.npz",
    log:
        "<logs>/predict_reference/{model}.log",
    benchmark:
        "<benchmarks>/predict_reference/{model}.tsv"
    conda:
        "../envs/fairseq.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
    params:
        code=code_sha256("predict_reference"),
    message:
        "Predict masked tokens of 64 texts with fairseq's {wildcards.model}"
    script:
        "../scripts/predict_reference.py"


rule convert_model:
    input:
        checkpoint="<results>/pretrained/{model}/model.pt",
        sentencepiece="<results>/tokens/{model}/sentencepiece.bpe.model",
        dictionary="<results>/tokens/{model}/dict.txt",
        reference=rules.predict_reference.output.reference,
        texts=collect(
            "<results>/data/{dataset}/{split}.jsonl",
            dataset=lambda w: study.datasets_with_model(config, w.model),
            split=["train", "valid", "test"],
        ),
        tokens=collect(
            "<results>/binarized/{{model}}/{dataset}/input0/{split}.bin",
            dataset=lambda w: study.datasets_with_model(config, w.model),
            split=["train", "valid", "test"],
        ),
    output:
        folder=multiext("<results>/pretrained/{model}/transformers/", *TRANSFORMERS_FILES),
        report="<results>/pretrained/{model}/conversion.json",
    log:
        "<logs>/convert_model/{model}.log",
    benchmark:
        "<benchmarks>/convert_model/{model}.tsv"
    wildcard_constraints:
        # Others bring a transformers folder of their own.
        model=study.name_pattern(
            set(config["models"]) - set(study.models_with(config, "transformers_checkpoint"))
        ),
    conda:
        "../envs/transformers.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        architecture=lookup(within=config, dpath="models/{model}/architecture"),
        code=code_sha256("convert_model"),
    message:
        "Convert {wildcards.model} from fairseq to transformers, and check it"
    script:
        "../scripts/convert_model.py"


# A fine-tuned fairseq model as a transformers folder, beside its model.pt.
rule export_run:
    input:
        checkpoint="<results>/runs/{experiment}/seed-{seed}/model.pt",
        predictions="<results>/runs/{experiment}/seed-{seed}/predictions.csv",
        sentencepiece=collect(
            "<results>/tokens/{model}/sentencepiece.bpe.model", model=experiment_model
        ),
        dictionary=collect("<results>/tokens/{model}/dict.txt", model=experiment_model),
        data=collect(
            "<results>/data/{dataset}/{file}",
            dataset=experiment_dataset,
            file=["test.jsonl", "audit.json"],
        ),
    output:
        folder=multiext("<results>/runs/{experiment}/seed-{seed}/model/", *TRANSFORMERS_FILES),
    log:
        "<logs>/export_run/{experiment}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/export_run/{experiment}/seed-{seed}.tsv"
    wildcard_constraints:
        experiment=study.name_pattern(study.experiments(config, engine="fairseq")),
    conda:
        "../envs/transformers.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        architecture=lambda w: study.run_settings(config, w.experiment)["architecture"],
        code=code_sha256("export_run"),
    message:
        "Export {wildcards.experiment}, seed {wildcards.seed}, as a transformers folder"
    script:
        "../scripts/export_run.py"
