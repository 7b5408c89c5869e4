"""Gather the runs and average them over seeds.

Inputs: metrics.json of every run. Outputs: runs.csv (a row per run) and summary.csv (a row per
experiment). Units: accuracies in [0, 1], times in seconds, memory in MiB.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedwise.files import atomic
from seedwise.results.statistics import student_interval
from seedwise.step import step
from seedwise.training.runs import check_consistent, read_metrics, scalar_table


def summarize(runs: pd.DataFrame, published: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Return mean and spread of the test accuracy over seeds, a row per experiment.

    ``std`` is the population standard deviation, as the study prints it; the interval is 95 %,
    Student's t over seeds, and empty for a single seed.
    """
    rows = []
    keys = ["experiment", "engine", "init", "dataset"]
    for key, group in runs.groupby(keys, sort=False):
        accuracies = group["test_accuracy"].to_numpy()
        low, high = student_interval(accuracies)
        known = published.get(key[0], {})
        rows.append(
            dict(zip(keys, key, strict=True))
            | {
                "n": len(accuracies),
                "mean": np.mean(accuracies),
                "std": np.std(accuracies),
                "ci_low": low,
                "ci_high": high,
                "published_mean": known.get("mean"),
                "published_std": known.get("std"),
            }
        )
    return pd.DataFrame(rows)


def main(
    *,
    metrics: Sequence[Path],
    published: dict[str, dict[str, Any]],
    runs_output: Path,
    summary_output: Path,
) -> None:
    """Write runs.csv and summary.csv."""
    records = read_metrics(metrics)
    check_consistent(records, metrics)
    runs = scalar_table(records)
    with atomic(runs_output) as partial:
        runs.to_csv(partial, index=False)
    with atomic(summary_output) as partial:
        summarize(runs, published).to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            published=snakemake.params.published,
            runs_output=Path(snakemake.output.runs),
            summary_output=Path(snakemake.output.summary),
        )
