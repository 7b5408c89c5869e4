# The LoRA runs, summed up in a table, a JSON for the report, and a figure.
rule summarise_lora:
    input:
        metrics=lora_study.lora_runs(config, "metrics.json"),
        parameters=lora_study.lora_runs(config, "parameters.csv"),
        generations=lora_study.lora_runs(config, "generations.jsonl"),
    output:
        table="<results>/tables/lora.csv",
        report="<results>/tables/lora.json",
    log:
        "<logs>/summarise_lora.log",
    benchmark:
        "<benchmarks>/summarise_lora.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        experiments=lookup(within=config, dpath="lora/experiments"),
        code=code_sha256("summarise_lora"),
    message:
        "Summarise the LoRA runs"
    script:
        "../scripts/summarise_lora.py"


rule plot_lora:
    input:
        histories=lora_study.lora_runs(config, "history.csv"),
    output:
        svg=report(
            "<results>/figures/lora-loss.svg",
            caption="../reports/captions/lora.rst",
            category="Figures",
            labels={"Figure": "Loss of the LoRA runs"},
        ),
        png="<results>/figures/lora-loss.png",
    log:
        "<logs>/plot_lora.log",
    benchmark:
        "<benchmarks>/plot_lora.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_sha256("plot_lora"),
    message:
        "Plot the loss of the LoRA runs"
    script:
        "../scripts/plot_lora.py"
