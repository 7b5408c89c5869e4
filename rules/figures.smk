# Tables to figures, each as SVG (shown in the reports) and PNG; curves for TensorBoard.
localrules:
    plot_training,
    plot_accuracy,
    plot_search,
    plot_curves,
    plot_ranks,
    plot_confusion,
    plot_calibration,
    plot_scores,
    plot_lora,
    write_events,
    tensorboard,


rule plot_training:
    input:
        histories=lambda w: reporting.run_files(config, "history.csv", engine=w.engine),
    output:
        svg=report(
            "<results>/figures/training-{engine}.svg",
            caption="../reports/captions/training.rst",
            category="Figures",
            labels={"Figure": "Accuracy over training, {engine}"},
        ),
        png="<results>/figures/training-{engine}.png",
    wildcard_constraints:
        engine=entries.name_pattern(reporting.engines_with_epochs(config)),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        experiments=list(config["experiments"]),
    message:
        "Plot accuracy over training with {wildcards.engine}"
    script:
        "../scripts/figures/plot_training.py"


# Curves for TensorBoard, on request: `make tensorboard`.
rule write_events:
    input:
        history="<results>/{run}/history.csv",
    output:
        events="<results>/tensorboard/{run}/events.out.tfevents.seedwise",
    wildcard_constraints:
        run=r"(runs/[a-z0-9-]+/seed-\d+|pretrained/[a-z0-9-]+(/seed-\d+)?)",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    message:
        "Write the curves of {wildcards.run} for TensorBoard"
    script:
        "../scripts/figures/write_events.py"


rule tensorboard:
    input:
        [
            f"<results>/tensorboard/{run}/events.out.tfevents.seedwise"
            for run in reporting.training_folders(config)
        ],


rule plot_accuracy:
    input:
        runs=rules.aggregate_runs.output.runs,
        summary=rules.aggregate_runs.output.summary,
    output:
        svg=report(
            "<results>/figures/accuracy.svg",
            caption="../reports/captions/accuracy.rst",
            category="Figures",
            labels={"Figure": "Test accuracy"},
        ),
        png="<results>/figures/accuracy.png",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        experiments=list(config["experiments"]),
    message:
        "Plot test accuracy"
    script:
        "../scripts/figures/plot_accuracy.py"


rule plot_search:
    input:
        search=rules.aggregate_search.output.search,
    output:
        svg=report(
            "<results>/figures/search.svg",
            caption="../reports/captions/search.rst",
            category="Figures",
            labels={"Figure": "Expected validation performance"},
        ),
        png="<results>/figures/search.png",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        selection=config["selection"],
        experiments=list(config["experiments"]),
    message:
        "Plot expected validation performance over the candidates tried"
    script:
        "../scripts/figures/plot_search.py"


rule plot_curves:
    input:
        curves=rules.aggregate_curves.output.curves,
    output:
        svg=report(
            "<results>/figures/learning-curve-{dataset}.svg",
            caption="../reports/captions/learning_curve.rst",
            category="Figures",
            labels={"Figure": "Learning curves on {dataset}"},
        ),
        png="<results>/figures/learning-curve-{dataset}.png",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        experiments=list(config["experiments"]),
    message:
        "Plot accuracy over training texts on {wildcards.dataset}"
    script:
        "../scripts/figures/plot_curves.py"


rule plot_ranks:
    input:
        ranks=rules.rank_experiments.output.ranks,
    output:
        svg=report(
            "<results>/figures/ranks.svg",
            caption="../reports/captions/ranks.rst",
            category="Figures",
            labels={"Figure": "Rank over the data sets"},
        ),
        png="<results>/figures/ranks.png",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    message:
        "Plot the rank over the data sets"
    script:
        "../scripts/figures/plot_ranks.py"


rule plot_confusion:
    input:
        confusion=rules.analyse_predictions.output.confusion,
    output:
        svg=report(
            "<results>/figures/confusion-{dataset}.svg",
            caption="../reports/captions/confusion.rst",
            category="Figures",
            labels={"Figure": "Confusion on {dataset}"},
        ),
        png="<results>/figures/confusion-{dataset}.png",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    message:
        "Plot what is taken for what on {wildcards.dataset}"
    script:
        "../scripts/figures/plot_confusion.py"


rule plot_calibration:
    input:
        metrics=lambda w: reporting.run_files(config, "metrics.json", dataset=w.dataset),
        predictions=lambda w: reporting.run_files(config, "predictions.csv", dataset=w.dataset),
    output:
        svg=report(
            "<results>/figures/calibration-{dataset}.svg",
            caption="../reports/captions/calibration.rst",
            category="Figures",
            labels={"Figure": "Calibration on {dataset}"},
        ),
        png="<results>/figures/calibration-{dataset}.png",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        experiments=list(config["experiments"]),
    message:
        "Plot accuracy over confidence on {wildcards.dataset}"
    script:
        "../scripts/figures/plot_calibration.py"


rule plot_scores:
    input:
        metrics=lambda w: reporting.run_files(config, "metrics.json", dataset=w.dataset),
        predictions=lambda w: reporting.run_files(config, "predictions.csv", dataset=w.dataset),
    output:
        svg=report(
            "<results>/figures/scores-{dataset}.svg",
            caption="../reports/captions/scores.rst",
            category="Figures",
            labels={"Figure": "Scores on {dataset}"},
        ),
        png="<results>/figures/scores-{dataset}.png",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        experiments=list(config["experiments"]),
    message:
        "Plot predicted over true scores on {wildcards.dataset}"
    script:
        "../scripts/figures/plot_scores.py"


rule plot_lora:
    input:
        histories=lora_entries.lora_runs(config, "history.csv"),
    output:
        svg=report(
            "<results>/figures/lora-loss.svg",
            caption="../reports/captions/lora.rst",
            category="Figures",
            labels={"Figure": "Loss of the LoRA runs"},
        ),
        png="<results>/figures/lora-loss.png",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    message:
        "Plot the loss of the LoRA runs"
    script:
        "../scripts/figures/plot_lora.py"


# The figures of the study; both reports show them.
FIGURES = [
    *collect(rules.plot_training.output.svg, engine=reporting.engines_with_epochs(config)),
    rules.plot_accuracy.output.svg,
    *collect(rules.plot_confusion.output.svg, dataset=reporting.datasets(LABELLED)),
    *collect(rules.plot_calibration.output.svg, dataset=reporting.datasets(LABELLED)),
    *collect(rules.plot_scores.output.svg, dataset=reporting.datasets(SCORED)),
    *collect(rules.plot_curves.output.svg, dataset=reporting.datasets_with_curve(config)),
    *([rules.plot_ranks.output.svg] if reporting.ranked(config) else []),
    *([rules.plot_search.output.svg] if entries.searched(config) else []),
    *([rules.plot_lora.output.svg] if "lora" in config else []),
]
