# Runs to tables: one row per run, mean and spread, paired comparisons, costs.
from seedwise.study import lora_entries

# The rules above have ended when the tables are made; those below may still be running.
TIMED_RULES = [name for name, proxy in rules._rules.items() if proxy.rule.script]


localrules:
    aggregate_runs,
    aggregate_costs,
    aggregate_curves,
    aggregate_search,
    compare_forms,


rule aggregate_runs:
    input:
        metrics=reporting.run_files(config, "metrics.json"),
        audits=collect("<results>/data/{dataset}/audit.json", dataset=reporting.datasets(config)),
    output:
        runs="<results>/tables/runs.csv",
        summary="<results>/tables/summary.csv",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        published=reporting.published(config),
        datasets=reporting.datasets(config),
        candidates={e: len(entries.candidates(config, e)) for e in entries.searched(config)},
        varied=reporting.varied(config),
    message:
        "Average the runs over their seeds"
    script:
        "../scripts/results/aggregate_runs.py"


rule aggregate_search:
    input:
        metrics=reporting.candidate_files(config, "metrics.json"),
        chosen=collect(
            "<results>/search/{experiment}/chosen.json", experiment=entries.searched(config)
        ),
    output:
        search="<results>/tables/search.csv",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        candidates={e: entries.candidates(config, e) for e in entries.searched(config)},
    message:
        "Gather the candidates of all searches"
    script:
        "../scripts/results/aggregate_search.py"


rule aggregate_curves:
    input:
        metrics=reporting.curve_files(config, "metrics.json"),
    output:
        curves="<results>/tables/learning_curve.csv",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    message:
        "Gather the runs of all learning curves"
    script:
        "../scripts/results/aggregate_curves.py"


rule compare_experiments:
    input:
        metrics=reporting.run_files(LABELLED, "metrics.json"),
        predictions=reporting.run_files(LABELLED, "predictions.csv"),
    output:
        comparisons="<results>/tables/comparisons.csv",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(2000, per_mb=5),
        runtime=sized(30, per_mb=0.1),
    message:
        "Compare the experiments in pairs"
    script:
        "../scripts/results/compare_experiments.py"


rule compare_scores:
    input:
        metrics=reporting.run_files(SCORED, "metrics.json"),
        predictions=reporting.run_files(SCORED, "predictions.csv"),
    output:
        comparisons="<results>/tables/score_comparisons.csv",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(2000, per_mb=5),
        runtime=sized(30, per_mb=0.1),
    message:
        "Compare the experiments on scores in pairs"
    script:
        "../scripts/results/compare_scores.py"


rule compare_forms:
    input:
        metrics=reporting.first_runs(config, "metrics.json"),
        predictions=reporting.first_runs(config, "predictions.csv"),
        onnx=reporting.first_runs(config, "model/onnx"),
    output:
        forms="<results>/tables/forms.csv",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(2000, per_mb=3),
        runtime=sized(10),
    message:
        "Compare the forms of exported models"
    script:
        "../scripts/results/compare_forms.py"


rule rank_experiments:
    input:
        metrics=reporting.run_files(config, "metrics.json"),
        predictions=reporting.run_files(config, "predictions.csv"),
    output:
        ranks="<results>/tables/ranks.csv",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(2000, per_mb=5),
        runtime=sized(30, per_mb=0.1),
    params:
        experiments=reporting.ranked(config),
    message:
        "Rank the experiments over the data sets"
    script:
        "../scripts/results/rank_experiments.py"


rule analyse_predictions:
    input:
        metrics=reporting.run_files(LABELLED, "metrics.json"),
        predictions=reporting.run_files(LABELLED, "predictions.csv"),
        tests=collect("<results>/data/{dataset}/test.jsonl", dataset=reporting.datasets(LABELLED)),
    output:
        confusion="<results>/tables/confusion.csv",
        calibration="<results>/tables/calibration.csv",
        agreement="<results>/tables/agreement.csv",
        mistakes="<results>/tables/mistakes.csv",
        disagreements="<results>/tables/disagreements.csv",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(2000, per_mb=3),
        runtime=sized(30, per_mb=0.1),
    params:
        datasets=reporting.datasets(LABELLED),
    message:
        "Tabulate confusion, calibration, agreement, mistakes and disagreements"
    script:
        "../scripts/results/analyse_predictions.py"


rule aggregate_costs:
    input:
        metrics=reporting.run_files(config, "metrics.json")
        + reporting.curve_files(config, "metrics.json"),
        lora=lora_entries.lora_runs(config, "metrics.json"),
        parameters="<results>/tables/parameters.csv",
    output:
        costs="<results>/tables/costs.csv",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        benchmarks=f"results/{config['study']}/benchmarks",
        rules=TIMED_RULES,
    message:
        "Gather what every job cost"
    script:
        "../scripts/results/aggregate_costs.py"
