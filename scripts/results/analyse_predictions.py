"""Tabulate what the runs' predictions say beyond accuracy.

Inputs: metrics.json and predictions.csv of every run, the test splits. Outputs: confusion.csv (mean
counts over seeds), calibration.csv, agreement.csv, mistakes.csv, the texts that all runs on a data
set get wrong, and disagreements.csv, those on which the seeds of an experiment disagree.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from seedwise.data.texts import BETWEEN, text_of
from seedwise.files import atomic, read_jsonl
from seedwise.results import mistakes, votes
from seedwise.results.together import Together
from seedwise.step import step

COLUMNS = {
    "confusion": ["dataset", "experiment", "label", "prediction", "texts"],
    "calibration": [
        "dataset", "experiment", "seeds", "accuracy", "confidence", "ece", "brier", "log_loss",
        "texts", "always_right", "always_wrong", "temperature", "ece_calibrated", "vote_accuracy",
    ],
    "agreement": [
        "dataset", "experiment_a", "experiment_b", "engine_a", "engine_b", "pairs", "agreement",
        "kappa",
    ],
    "mistakes": ["dataset", "id", "label", "prediction", "probability", "runs", "text"],
    "disagreements": [
        "dataset", "experiment", "id", "label", "vote", "agreeing", "votes", "text",
    ],
}  # fmt: skip


def confusion_rows(runs: mistakes.Predictions) -> list[dict[str, Any]]:
    """Return a row per true and predicted label."""
    counts = mistakes.confusion(runs)
    return [
        {
            "dataset": runs.dataset,
            "experiment": runs.experiment,
            "label": label,
            "prediction": prediction,
            "texts": counts[row, column],
        }
        for row, label in enumerate(runs.labels)
        for column, prediction in enumerate(runs.labels)
    ]


def add_texts(rows: list[dict[str, Any]], tests: Mapping[str, Path]) -> None:
    """Give each row the text, or the pair, that it is about, in place."""
    wanted = {(row["dataset"], row["id"]) for row in rows}
    texts = {
        (dataset, record["id"]): " | ".join(text_of(record).split(BETWEEN))
        for dataset, path in tests.items()
        for record in read_jsonl(path)
        if (dataset, record["id"]) in wanted
    }
    for row in rows:
        row["text"] = texts[row["dataset"], row["id"]]


def main(
    *,
    metrics: Sequence[Path],
    predictions: Sequence[Path],
    tests: Mapping[str, Path],
    outputs: Mapping[str, Path],
) -> None:
    """Write the five tables; ``tests`` are the test splits by data set."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
    together: dict[str, Together] = defaultdict(Together)
    for runs in mistakes.each_experiment(metrics, predictions):
        vote_accuracy = float((votes.vote(runs) == runs.truth).mean())
        rows["confusion"] += confusion_rows(runs)
        rows["calibration"].append(mistakes.calibration(runs) | {"vote_accuracy": vote_accuracy})
        rows["disagreements"] += votes.disagreements(runs)
        together[runs.dataset].add(runs)
    for experiments in together.values():
        rows["agreement"] += experiments.agreements()
        rows["mistakes"] += experiments.always_wrong()
    for name in ("mistakes", "disagreements"):
        add_texts(rows[name], tests)
    for name, columns in COLUMNS.items():
        with atomic(outputs[name]) as partial:
            pd.DataFrame(rows[name], columns=columns).to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            predictions=[Path(path) for path in snakemake.input.predictions],
            tests=dict(
                zip(snakemake.params.datasets, map(Path, snakemake.input.tests), strict=True)
            ),
            outputs={name: Path(snakemake.output[name]) for name in COLUMNS},
        )
