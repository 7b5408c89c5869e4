# LoRA adapters for causal language models, on questions and answers.
from seedwise.study import lora_entries
from seedwise.study.sources import source_path

lora_model = lookup(within=config, dpath="lora/experiments/{experiment}/model")
lora_dataset = lookup(within=config, dpath="lora/experiments/{experiment}/dataset")


localrules:
    prepare_questions,
    summarise_lora,


rule prepare_questions:
    input:
        source=lambda w: source_path(config["lora"]["datasets"][w.dataset]["source"]),
    output:
        train="<results>/questions/{dataset}/train.jsonl",
        valid="<results>/questions/{dataset}/valid.jsonl",
        heldout="<results>/questions/{dataset}/heldout.jsonl",
        audit="<results>/questions/{dataset}/audit.json",
    wildcard_constraints:
        dataset=entries.name_pattern(config["lora"]["datasets"]),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        settings=lookup(within=config, dpath="lora/datasets/{dataset}"),
    message:
        "Split the questions of {wildcards.dataset}"
    script:
        "../scripts/lora/prepare_questions.py"


rule pretrain_bloom:
    input:
        corpus=collect(
            "<results>/data/{corpus}/{part}.jsonl",
            corpus=lookup(within=config, dpath="lora/models/{model}/corpus"),
            part=["train", "unlabelled"],
        ),
    output:
        folder=directory("<results>/bases/{model}/transformers"),
        history="<results>/bases/{model}/history.csv",
        metrics="<results>/bases/{model}/metrics.json",
    wildcard_constraints:
        model=entries.name_pattern(lora_entries.built_models(config)),
    conda:
        "../envs/transformers.yaml"
    threads: lookup(within=config, dpath="lora/models/{model}/pretrain/threads", default=1)
    resources:
        mem_mb=sized(8000),
        runtime=sized(24 * 60),
        gpu=lambda w: entries.gpus(config["lora"]["models"][w.model]["pretrain"]),
    params:
        settings=lookup(within=config, dpath="lora/models/{model}"),
    message:
        "Pre-train the BLOOM {wildcards.model}"
    script:
        "../scripts/lora/pretrain_bloom.py"


rule prepare_base:
    input:
        source=lambda w: source_path(config["lora"]["models"][w.model]["checkpoint"]["source"]),
    output:
        folder=directory("<results>/bases/{model}/transformers"),
    wildcard_constraints:
        model=entries.name_pattern(
            set(config["lora"]["models"]) - set(lora_entries.built_models(config))
        ),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(30),
    params:
        checkpoint=lookup(within=config, dpath="lora/models/{model}/checkpoint"),
    message:
        "Unpack the base model {wildcards.model}"
    script:
        "../scripts/lora/prepare_base.py"


rule finetune_lora:
    input:
        base=collect("<results>/bases/{model}/transformers", model=lora_model),
        questions=collect(
            "<results>/questions/{dataset}/{split}.jsonl",
            dataset=lora_dataset,
            split=["train", "valid", "heldout"],
        ),
    output:
        adapter_config="<results>/lora/{experiment}/seed-{seed}/adapter/adapter_config.json",
        adapter_weights="<results>/lora/{experiment}/seed-{seed}/adapter/adapter_model.safetensors",
        history="<results>/lora/{experiment}/seed-{seed}/history.csv",
        parameters="<results>/lora/{experiment}/seed-{seed}/parameters.csv",
        generations="<results>/lora/{experiment}/seed-{seed}/generations.jsonl",
        metrics="<results>/lora/{experiment}/seed-{seed}/metrics.json",
    wildcard_constraints:
        experiment=entries.name_pattern(config["lora"]["experiments"]),
    conda:
        "../envs/transformers.yaml"
    threads: lambda w: entries.cores(config["lora"]["experiments"][w.experiment])
    resources:
        mem_mb=sized(8000),
        runtime=sized(8 * 60),
        gpu=lambda w: entries.gpus(config["lora"]["experiments"][w.experiment]),
    params:
        settings=lambda w: lora_entries.lora_settings(config, w.experiment),
    message:
        "Train the adapter {wildcards.experiment} with seed {wildcards.seed}"
    script:
        "../scripts/lora/finetune_lora.py"


# For whoever wants the model in one piece; nothing else asks for it.
rule merge_adapter:
    input:
        base=collect("<results>/bases/{model}/transformers", model=lora_model),
        adapter_config=rules.finetune_lora.output.adapter_config,
        adapter_weights=rules.finetune_lora.output.adapter_weights,
    output:
        folder=directory("<results>/lora/{experiment}/seed-{seed}/merged"),
    conda:
        "../envs/transformers.yaml"
    resources:
        mem_mb=sized(8000),
        runtime=sized(30),
    message:
        "Merge the adapter {wildcards.experiment} of seed {wildcards.seed} into its base"
    script:
        "../scripts/lora/merge_adapter.py"


rule summarise_lora:
    input:
        metrics=lora_entries.lora_runs(config, "metrics.json"),
        parameters=lora_entries.lora_runs(config, "parameters.csv"),
        generations=lora_entries.lora_runs(config, "generations.jsonl"),
    output:
        table="<results>/tables/lora.csv",
        report="<results>/tables/lora.json",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        experiments=lookup(within=config, dpath="lora/experiments"),
    message:
        "Summarise the LoRA runs"
    script:
        "../scripts/lora/summarise_lora.py"
