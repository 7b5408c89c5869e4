# Tables to figures, each as SVG (shown in the reports) and PNG.
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
