# Runs to tables: one row per run, mean and spread, paired comparisons, costs.
from seedwise import lora_study, reporting

# The rules above have ended when the tables are made; those below may still be running.
TIMED_RULES = [rule.name for rule in workflow.rules if rule.benchmark]


localrules:
    aggregate_runs,
    aggregate_costs,


rule aggregate_runs:
    input:
        metrics=reporting.run_files(config, "metrics.json"),
    output:
        runs="<results>/tables/runs.csv",
        summary="<results>/tables/summary.csv",
    log:
        "<logs>/aggregate_runs.log",
    benchmark:
        "<benchmarks>/aggregate_runs.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        published=reporting.published(config),
        code=code_sha256("aggregate_runs"),
    message:
        "Average the runs over their seeds"
    script:
        "../scripts/aggregate_runs.py"


rule compare_experiments:
    input:
        metrics=reporting.run_files(config, "metrics.json"),
        predictions=reporting.run_files(config, "predictions.csv"),
    output:
        comparisons="<results>/tables/comparisons.csv",
    log:
        "<logs>/compare_experiments.log",
    benchmark:
        "<benchmarks>/compare_experiments.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_sha256("compare_experiments"),
    message:
        "Compare the experiments in pairs"
    script:
        "../scripts/compare_experiments.py"


rule analyse_predictions:
    input:
        metrics=reporting.run_files(config, "metrics.json"),
        predictions=reporting.run_files(config, "predictions.csv"),
        tests=collect("<results>/data/{dataset}/test.jsonl", dataset=reporting.datasets(config)),
    output:
        confusion="<results>/tables/confusion.csv",
        calibration="<results>/tables/calibration.csv",
        agreement="<results>/tables/agreement.csv",
        mistakes="<results>/tables/mistakes.csv",
    log:
        "<logs>/analyse_predictions.log",
    benchmark:
        "<benchmarks>/analyse_predictions.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        datasets=reporting.datasets(config),
        code=code_sha256("analyse_predictions"),
    message:
        "Tabulate confusion, calibration, agreement and mistakes"
    script:
        "../scripts/analyse_predictions.py"


rule aggregate_costs:
    input:
        metrics=reporting.run_files(config, "metrics.json"),
        lora=lora_study.lora_runs(config, "metrics.json"),
        parameters="<results>/tables/parameters.csv",
    output:
        costs="<results>/tables/costs.csv",
    log:
        "<logs>/aggregate_costs.log",
    benchmark:
        "<benchmarks>/aggregate_costs.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        benchmarks=f"results/{config['study']}/benchmarks",
        rules=TIMED_RULES,
        code=code_sha256("aggregate_costs"),
    message:
        "Gather what every job cost"
    script:
        "../scripts/aggregate_costs.py"
