"""Tabulate what the runs' predictions say beyond accuracy.

Inputs: metrics.json and predictions.csv of every run, the test splits. Outputs: confusion.csv (mean
counts over seeds), calibration.csv, agreement.csv, mistakes.csv, the texts that all runs on a data
set get wrong, and disagreements.csv, those on which the seeds of an experiment disagree.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from seedwise.files import atomic, read_jsonl
from seedwise.results import mistakes, votes
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


def main(
    *,
    metrics: Sequence[Path],
    predictions: Sequence[Path],
    tests: Mapping[str, Path],
    outputs: Mapping[str, Path],
) -> None:
    """Write the five tables; ``tests`` are the test splits by data set."""
    found = mistakes.read_predictions(metrics, predictions)
    wrong, split = [], []
    for dataset in dict.fromkeys(runs.dataset for runs in found):
        texts = {record["id"]: record["text"] for record in read_jsonl(tests[dataset])}
        own = [runs for runs in found if runs.dataset == dataset]
        wrong += mistakes.always_wrong(own, texts)
        split += [row for runs in own for row in votes.disagreements(runs, texts)]
    rows = {
        "confusion": [row for runs in found for row in confusion_rows(runs)],
        "calibration": [
            mistakes.calibration(runs)
            | {"vote_accuracy": float((votes.vote(runs) == runs.truth).mean())}
            for runs in found
        ],
        "agreement": mistakes.agreements(found),
        "mistakes": wrong,
        "disagreements": split,
    }
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
