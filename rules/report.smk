# Pages, model cards, the two reports (report.pdf, set with typst; report.html, Snakemake's own), and
# the archive.
report: "../reports/workflow.rst"


# What studies of labels have, and those of scores.
OF_LABELS = ["comparisons", "calibration", "agreement", "mistakes", "disagreements"]
TABLES = [
    "summary", "runs",
    *(OF_LABELS if LABELLED["experiments"] else []),
    *(["score_comparisons"] if SCORED["experiments"] else []),
    "parameters", "costs",
    *(["ranks"] if reporting.ranked(config) else []),
    *(["forms"] if reporting.compares_forms(config) else []),
    *(["search"] if entries.searched(config) else []),
    *(["learning_curve"] if curves.with_curve(config) else []),
]  # fmt: skip
LORA = lora_entries.lora_tables(config)
model_files = lambda w: MODEL_FILES.get(
    curves.experiment(config, w.experiment)["engine"], TRANSFORMERS_FILES
)
# ONNX is made of what transformers reads, whoever trained it.
has_onnx = lambda w: entries.trains_model(curves.experiment(config, w.experiment))


localrules:
    describe_model,
    render_answer,
    render_table,
    render_pdf,
    render_html,
    study,


rule describe_model:
    input:
        search=search_of_experiment,
        folder=collect("<results>/runs/{{experiment}}/seed-{{seed}}/model/{file}", file=model_files),
        metrics=collect(
            "<results>/runs/{{experiment}}/seed-{seed}/metrics.json",
            seed=lambda w: entries.seeds(config, w.experiment),
        ),
        predictions="<results>/runs/{experiment}/seed-{seed}/predictions.csv",
        audit=collect("<results>/data/{dataset}/audit.json", dataset=experiment_dataset),
        onnx=branch(has_onnx, then="<results>/runs/{experiment}/seed-{seed}/model/onnx"),
    output:
        card="<results>/runs/{experiment}/seed-{seed}/model/README.md",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        settings=run_settings,
        title=config["title"],
        licence=config["licence"],
    message:
        "Write the model card of {wildcards.experiment}, seed {wildcards.seed}"
    script:
        "../scripts/report/describe_model.py"


# The start page of report.html, taken in by reports/workflow.rst.
rule render_answer:
    input:
        summary=rules.aggregate_runs.output.summary,
        comparisons=collect(
            "<results>/tables/{table}.csv",
            table=[name for name in TABLES if name.endswith("comparisons")],
        ),
        accuracy=rules.plot_accuracy.output.svg,
    output:
        page="<results>/answer.html",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        title=config["title"],
        selection=config["selection"],
    message:
        "Write the start page of report.html"
    script:
        "../scripts/report/render_answer.py"


rule render_table:
    input:
        table="<results>/tables/{table}.csv",
        style=f"{SEEDWISE}/reports/table.css",
    output:
        page=report(
            "<results>/tables/{table}.html",
            caption="../reports/captions/table.rst",
            category="Tables",
            labels={"Table": "{table}"},
        ),
    wildcard_constraints:
        table="|".join(TABLES),
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    message:
        "Make a page of the table {wildcards.table}"
    script:
        "../scripts/report/render_table.py"


rule render_pdf:
    input:
        template=f"{SEEDWISE}/reports/report.typ",
        tables=collect("<results>/tables/{table}.csv", table=TABLES),
        metrics=reporting.run_files(config, "metrics.json"),
        # What a study without a search does not have.
        chosen=rules.aggregate_search.input.chosen,
        audits=collect("<results>/data/{dataset}/audit.json", dataset=config["datasets"]),
        figures=FIGURES,
        conversions=collect(
            "<results>/pretrained/{model}/conversion.json", model=reporting.converted(config)
        ),
        lora=[path for path in LORA if path.endswith(".json")],
    output:
        pdf=report(
            "<results>/report.pdf",
            caption="../reports/captions/report.rst",
            category="Report",
            labels={"Report": "report.pdf"},
        ),
        config="<results>/config.yaml",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        config=config,
        datasets=list(config["datasets"]),
        engines=reporting.engines_with_epochs(config),
        converted=reporting.converted(config),
    message:
        "Set report.pdf"
    script:
        "../scripts/report/render_pdf.py"


# All results but report.html, which describes them.
rule study:
    input:
        rules.render_pdf.output,
        rules.render_answer.output,
        FIGURES,
        [figure.removesuffix("svg") + "png" for figure in FIGURES],
        LORA,
        collect(rules.render_table.output, table=TABLES),
        # A run that was lost is made anew, even where the tables have it already.
        reporting.run_files(config, "predictions.csv"),


rule render_html:
    input:
        study=rules.study.input,
        config=rules.render_pdf.output.config,
        style=f"{SEEDWISE}/reports/report.css",
    output:
        html="<results>/report.html",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=sized(2000),
        runtime=sized(20),
    params:
        snakefile=f"{SEEDWISE}/Snakefile",
        target="study",
    message:
        "Make report.html"
    script:
        "../scripts/report/render_html.py"


# The rules that make tables, of whatever part of the study.
is_table = lambda file: Path(file).parent.name == "tables" and Path(file).suffix == ".csv"
TABLE_RULES = {
    name: proxy.rule
    for name, proxy in rules._rules.items()
    if any(is_table(str(file)) for file in proxy.rule.output)
}


# All of the study that somebody else needs to check its tables, and its best models, in one file.
rule archive_study:
    input:
        sources=[rule.input for rule in TABLE_RULES.values()],
        metrics=reporting.run_files(config, "metrics.json"),
        made=[
            rules.study.input,
            rules.render_html.output,
            reporting.run_files(config, "history.csv"),
            [
                rule.output
                for rule in TABLE_RULES.values()
                if any(Path(str(file)).stem in TABLES for file in rule.output)
            ],
        ],
        cards=reporting.run_files(config, "model/README.md"),
    output:
        archive="<results>/archive.zip",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=sized(2000),
        runtime=sized(60),
    params:
        results=lambda w, output: str(Path(output.archive).parent),
        title=config["title"],
        licence=config["licence"],
        selection=config["selection"],
        table_rules=list(TABLE_RULES),
        folder=SEEDWISE,
    message:
        "Pack the study"
    script:
        "../scripts/report/archive_study.py"
