"""Set the report in type: the answer first, then the tables and figures of a study.

Inputs: tables, figures, audits and metrics of the study, and the template in reports/. Outputs:
report.pdf, and config.yaml, the configuration as it was run, from which the study can be repeated.
"""

import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import typst
import yaml

from seedwise.code import SCRIPTS, git_commit
from seedwise.files import atomic, read_json, sha256_of_json, write_json, write_text
from seedwise.report import (
    answer,
    learning_curve,
    presentation,
    presentation_parts,
    printed_tables,
)
from seedwise.results.statistics import SCORES_ASSUMPTION, TEST_ASSUMPTION, TEST_NAME
from seedwise.step import step
from seedwise.study import search

Config = dict[str, Any]


SELECTIONS = {
    "accuracy": "the highest accuracy",
    "macro_f1": "the highest macro F1",
    "loss": "the lowest loss",
}


class _PlainDumper(yaml.SafeDumper):
    """Writes a repeated list out each time, where YAML would refer to the first."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def for_typst(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table of texts as the template wants it."""
    return {
        "columns": list(table.columns),
        "numeric": [presentation.is_numeric(table[column]) for column in table],
        "rows": table.to_numpy().tolist(),
    }


def pairs(rows: Sequence[tuple[str, str]], first: str, second: str) -> dict[str, Any]:
    """Return pairs of texts as a table of two columns, both flush left."""
    return {"columns": [first, second], "numeric": [False, False], "rows": [*map(list, rows)]}


def hyperparameters(config: Config, chosen: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each hyper-parameter and its value, by experiment where experiments differ.

    ``chosen`` holds, by experiment, the values that a search found.
    """
    experiments = {
        name: search.with_values(experiment, chosen.get(name, {}))
        for name, experiment in config["experiments"].items()
    }
    settings = {
        name: dict(
            presentation.plain_pairs(
                experiment.get("finetune")
                or {experiment["engine"]: experiment.get(experiment["engine"], {})}
            )
        )
        for name, experiment in experiments.items()
    }
    keys = dict.fromkeys(key for own in settings.values() for key in own)
    rows = []
    for key in keys:
        values = {name: own[key] for name, own in settings.items() if key in own}
        same = len(set(values.values())) == 1
        text = next(iter(values.values())) if same else "; ".join(map(": ".join, values.items()))
        rows.append((key, text))
    return rows


def lora_part(experiment: dict[str, Any]) -> dict[str, Any]:
    """Return what the report says of one LoRA experiment of lora.json."""
    return {
        "name": experiment["name"],
        "template": experiment["template"],
        "config": for_typst(presentation_parts.lora_config(experiment)),
        "counts": pairs(presentation_parts.lora_counts(experiment), "What", "Value"),
        "layers": for_typst(presentation_parts.lora_layers(experiment)),
        "results": for_typst(presentation_parts.lora_results(experiment)),
        "answers_seed": experiment["answers_seed"],
        "answers": experiment["answers"],
    }


def report_data(
    *,
    config: Config,
    commit: str,
    tables: Mapping[str, pd.DataFrame],
    audits: Mapping[str, Any],
    metrics: Sequence[dict[str, Any]],
    engines: Sequence[str],
    conversions: Mapping[str, Any],
    chosen: Mapping[str, Any],
    lora: Any = None,
) -> dict[str, Any]:
    """Return all that the template prints.

    Args:
        config: The configuration as it was run.
        commit: The commit of the code.
        tables: By name, the tables of `printed_tables.TABLES` that the study has.
        audits: By data set, the contents of its audit.json.
        metrics: The metrics of every run.
        engines: The engines, in the order of their figures (`training-{engine}.svg`).
        conversions: By converted model, the contents of its conversion.json.
        chosen: By searched experiment, the hyper-parameters of its best candidate.
        lora: The contents of lora.json, or None where the study has no LoRA experiments.
    """
    parameters = tables["parameters"]
    shown = {name: for_typst(printed_tables.TABLES[name](tables[name])) for name in tables}
    del shown["parameters"]
    published = {
        name: experiment["published"]["source"]
        for name, experiment in config["experiments"].items()
        if "published" in experiment
    }
    return {
        "title": config.get("title", config["study"]),
        "study": config["study"],
        "seeds": ", ".join(map(str, config["seeds"])),
        "headings": config.get("headings", {}),
        "answers": [
            part._asdict()
            for part in answer.answers(
                tables["summary"],
                answer.main_comparisons(tables),
                config.get("selection", "accuracy"),
            )
        ],
        "meaning": answer.MEANING,
        "commit": commit,
        "config_sha256": sha256_of_json(config),
        "config": yaml.dump(
            config, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=88
        ),
        "experiments": for_typst(
            pd.DataFrame(
                [
                    {
                        "Experiment": name,
                        "Engine": experiment["engine"],
                        "Start": experiment.get("init", presentation.DASH),
                        "Data set": experiment["dataset"],
                        "Model": experiment.get("model", presentation.DASH),
                    }
                    for name, experiment in config["experiments"].items()
                ]
            )
        ),
        "published_sources": sorted(set(published.values())),
        "tables": shown,
        "parameters": [
            {"model": model, "table": for_typst(printed_tables.parameters_table(table))}
            for model, table in parameters.groupby("model", sort=False)
        ],
        "conversions": for_typst(presentation_parts.conversions(conversions)),
        "audits": [
            {
                "dataset": dataset,
                "splits": for_typst(presentation_parts.audit_splits(audit)),
                "rest": pairs(presentation_parts.audit_rest(audit), "Item", "Value"),
            }
            for dataset, audit in audits.items()
        ],
        "cut": for_typst(presentation_parts.cut_texts(metrics)),
        "hyperparameters": pairs(hyperparameters(config, chosen), "Hyper-parameter", "Value"),
        "searches": for_typst(presentation_parts.searches(config["experiments"])),
        "engines": list(engines),
        "curves": {
            "datasets": list(dict.fromkeys(learning_curves["dataset"])),
            "sentences": learning_curve.sentences(learning_curves),
        }
        if (learning_curves := tables.get("learning_curve")) is not None
        else {},
        "selection": SELECTIONS[config.get("selection", "accuracy")],
        "datasets": {
            kind: list(dict.fromkeys(tables[name]["dataset"])) if name in tables else []
            for kind, name in (("labels", "calibration"), ("scores", "score_comparisons"))
        },
        "measures": presentation.main_measures(tables["summary"]["measure"]),
        "processor": ", ".join(sorted(set(tables["forms"]["processor"])))
        if "forms" in tables
        else "",
        "test": {"name": TEST_NAME, "assumption": TEST_ASSUMPTION, "scores": SCORES_ASSUMPTION},
        "versions": pairs(presentation_parts.versions(metrics), "Package", "Version"),
        "hardware": pairs(presentation_parts.hardware(metrics), "What", "Value"),
        "lora": [lora_part(experiment) for experiment in lora["experiments"]] if lora else [],
    }


def compile_report(
    template: Path, data: dict[str, Any], figures: Sequence[Path], pdf: Path
) -> None:
    """Compile the template with its data in a folder of its own; no system fonts, no dates."""
    with tempfile.TemporaryDirectory() as name, atomic(pdf) as partial:
        folder = Path(name)
        for path in (template, *figures):
            shutil.copy(path, folder)
        write_json(folder / "report.json", data)
        content, warnings = typst.compile_with_warnings(
            folder / template.name, ignore_system_fonts=True, timestamp=0
        )
        for warning in warnings:
            logging.getLogger("typst").warning("%s", warning)
        partial.write_bytes(content)


def main(
    *,
    config: Config,
    template: Path,
    tables: Mapping[str, Path],
    audits: Mapping[str, Path],
    metrics: Sequence[Path],
    engines: Sequence[str],
    figures: Sequence[Path],
    conversions: Mapping[str, Path],
    chosen: Sequence[Path],
    lora: Path | None,
    pdf: Path,
    config_output: Path,
) -> None:
    """Write report.pdf and config.yaml."""
    data = report_data(
        config=config,
        commit=git_commit(SCRIPTS),
        tables={name: presentation.read_table(path) for name, path in tables.items()},
        audits={dataset: read_json(path) for dataset, path in audits.items()},
        metrics=[read_json(path) for path in metrics],
        engines=engines,
        conversions={model: read_json(path) for model, path in conversions.items()},
        chosen={path.parent.name: read_json(path)["values"] for path in chosen},
        lora=read_json(lora) if lora else None,
    )
    data["config_path"] = config_output.as_posix()
    compile_report(template, data, figures, pdf)
    write_text(config_output, data["config"])


if __name__ == "__main__":
    with step(snakemake):
        main(
            config=snakemake.params.config,
            template=Path(snakemake.input.template),
            tables={Path(path).stem: Path(path) for path in snakemake.input.tables},
            audits=dict(
                zip(snakemake.params.datasets, map(Path, snakemake.input.audits), strict=True)
            ),
            metrics=[Path(path) for path in snakemake.input.metrics],
            engines=snakemake.params.engines,
            figures=[Path(path) for path in snakemake.input.figures],
            conversions=dict(
                zip(snakemake.params.converted, map(Path, snakemake.input.conversions), strict=True)
            ),
            chosen=[Path(path) for path in snakemake.input.chosen],
            lora=Path(snakemake.input.lora[0]) if snakemake.input.lora else None,
            pdf=Path(snakemake.output.pdf),
            config_output=Path(snakemake.output.config),
        )
