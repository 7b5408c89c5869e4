# Tables to figures, each as SVG (shown in the reports) and PNG.
localrules:
    write_events,
    tensorboard,


rule plot_training:
    input:
        metrics=lambda w: reporting.run_files(config, "metrics.json", engine=w.engine),
        histories=lambda w: reporting.run_files(config, "history.csv", engine=w.engine),
    output:
        svg=report(
            "<results>/figures/training-{engine}.svg",
            caption="../reports/captions/training.rst",
            category="Figures",
            labels={"Figure": "Accuracy over training, {engine}"},
        ),
        png="<results>/figures/training-{engine}.png",
    log:
        "<logs>/plot_training/{engine}.log",
    benchmark:
        "<benchmarks>/plot_training/{engine}.tsv"
    wildcard_constraints:
        engine=study.name_pattern(reporting.engines(config)),
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        experiments=list(config["experiments"]),
        code=code_sha256("plot_training"),
    message:
        "Plot accuracy over training with {wildcards.engine}"
    script:
        "../scripts/plot_training.py"


# Curves for TensorBoard, on request: `make tensorboard`.
rule write_events:
    input:
        history="<results>/{run}/history.csv",
    output:
        events="<results>/tensorboard/{run}/events.out.tfevents.seedwise",
    log:
        "<logs>/write_events/{run}.log",
    benchmark:
        "<benchmarks>/write_events/{run}.tsv"
    wildcard_constraints:
        run=r"(runs/[a-z0-9-]+/seed-\d+|pretrained/[a-z0-9-]+)",
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_sha256("write_events"),
    message:
        "Write the curves of {wildcards.run} for TensorBoard"
    script:
        "../scripts/write_events.py"


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
    log:
        "<logs>/plot_accuracy.log",
    benchmark:
        "<benchmarks>/plot_accuracy.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_sha256("plot_accuracy"),
    message:
        "Plot test accuracy"
    script:
        "../scripts/plot_accuracy.py"


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
    log:
        "<logs>/plot_confusion/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_confusion/{dataset}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_sha256("plot_confusion"),
    message:
        "Plot what is taken for what on {wildcards.dataset}"
    script:
        "../scripts/plot_confusion.py"


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
    log:
        "<logs>/plot_calibration/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_calibration/{dataset}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        experiments=list(config["experiments"]),
        code=code_sha256("plot_calibration"),
    message:
        "Plot accuracy over confidence on {wildcards.dataset}"
    script:
        "../scripts/plot_calibration.py"
