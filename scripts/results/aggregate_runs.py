"""Gather the runs and average them over seeds.

Inputs: metrics.json of every run, the audits of the data. Outputs: runs.csv (a row per run) and
summary.csv (a row per experiment, and one per data set for its commonest label, or its mean score).
Units: accuracies in [0, 1], errors those of the scores, times in seconds, memory in MiB.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedwise.files import atomic, read_json
from seedwise.results.statistics import measure_of, student_interval
from seedwise.step import step
from seedwise.study.entries import COMMONEST_LABEL, MEAN_SCORE
from seedwise.training.run_files import check_consistent, read_metrics, scalar_table
from seedwise.training.runs import Metrics


def summarize(
    runs: pd.DataFrame,
    published: dict[str, dict[str, Any]],
    candidates: Mapping[str, int],
    varied: Mapping[str, str],
) -> pd.DataFrame:
    """Return mean and spread of the test accuracy over seeds, a row per experiment.

    Where texts have scores, it is Pearson's correlation, as ``measure`` says, and Spearman's and
    the mean absolute error stand in place of macro F1.

    ``std`` is the population standard deviation, as the study prints it, and empty where no seed
    changes the result; the interval is 95 %, Student's t over seeds, and empty for a single run.
    ``candidates`` says how many settings each experiment tried on the validation split,
    ``varied`` what differs between its runs.
    """
    rows = []
    keys = ["experiment", "engine", "init", "dataset"]
    for key, group in runs.groupby(keys, sort=False):
        measure = measure_of(group)
        scored = measure == "pearson"
        reached = group[f"test_{measure}"].to_numpy()
        fixed = key[2] == "none" and len(reached) == 1
        low, high = student_interval(reached)
        known = published.get(key[0], {})
        rows.append(
            dict(zip(keys, key, strict=True))
            | {
                "n": len(reached),
                "mean": np.mean(reached),
                "std": None if fixed else np.std(reached),
                "ci_low": low,
                "ci_high": high,
                "published_mean": known.get("mean"),
                "published_std": known.get("std"),
                "candidates": candidates[key[0]],
                **({} if scored else spread("macro_f1", group, fixed)),
                "varied": varied.get(key[0]),
                "measure": measure,
                **(
                    spread("spearman", group, fixed) | spread("mae", group, fixed) if scored else {}
                ),
            }
        )
    return pd.DataFrame(rows)


def spread(name: str, runs: pd.DataFrame, fixed: bool) -> dict[str, float | None]:
    """Return mean, population standard deviation and interval of a measure over seeds."""
    values = runs[f"test_{name}"].to_numpy()
    low, high = student_interval(values)
    return {
        f"{name}_mean": np.mean(values),
        f"{name}_std": None if fixed else np.std(values),
        f"{name}_ci_low": low,
        f"{name}_ci_high": high,
    }


def same_for_all(dataset: str, audit: dict[str, Any]) -> dict[str, Any]:
    """Return the row of always predicting the training split's commonest label, or mean score.

    Of several labels, it is the first in the order of the classes. Nothing is drawn, so nothing
    spreads. What is always the same has no correlation with anything: 0.
    """
    named = {"engine": "none", "init": "none", "dataset": dataset, "n": 1, "candidates": 1}
    if "range" in audit:
        found = {"mean": 0.0, "measure": "pearson", "mae_mean": audit["mean_score"]["test_mae"]}
        return {"experiment": MEAN_SCORE} | named | found
    counts = {split: audit["splits"][split]["labels"] for split in ("train", "test")}
    label = max(audit["labels"], key=counts["train"].get)
    mean = counts["test"][label] / sum(counts["test"].values())
    f1 = 2 * mean / (1 + mean) / len(audit["labels"])  # of one label; all others have 0
    found = {"mean": mean, "macro_f1_mean": f1, "measure": "accuracy"}
    return {"experiment": COMMONEST_LABEL} | named | found


def settings_tried(records: Sequence[Metrics], searched: Mapping[str, int]) -> dict[str, int]:
    """Return how many settings each experiment tried: its search's, each with its engine's own."""
    return {
        run["experiment"]: searched.get(run["experiment"], 1) * len(run.get("candidates", [run]))
        for run in records
    }


def main(
    *,
    metrics: Sequence[Path],
    audits: Mapping[str, Path],
    published: dict[str, dict[str, Any]],
    candidates: Mapping[str, int],
    varied: Mapping[str, str],
    runs_output: Path,
    summary_output: Path,
) -> None:
    """Write runs.csv and summary.csv.

    Args:
        metrics: metrics.json of every run.
        audits: those of the data sets, by name.
        published: the published results of experiments.
        candidates: how many each searched experiment has.
        varied: what differs between the runs of each experiment.
        runs_output: where runs.csv goes.
        summary_output: where summary.csv goes.
    """
    records = read_metrics(metrics)
    check_consistent(records, metrics)
    runs = scalar_table(records)
    with atomic(runs_output) as partial:
        runs.to_csv(partial, index=False)
    rows = [same_for_all(dataset, read_json(path)) for dataset, path in audits.items()]
    tried = settings_tried(records, candidates)
    summary = pd.concat([summarize(runs, published, tried, varied), pd.DataFrame(rows)])
    with atomic(summary_output) as partial:
        summary.to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            audits=dict(
                zip(snakemake.params.datasets, map(Path, snakemake.input.audits), strict=True)
            ),
            published=snakemake.params.published,
            candidates=snakemake.params.candidates,
            varied=snakemake.params.varied,
            runs_output=Path(snakemake.output.runs),
            summary_output=Path(snakemake.output.summary),
        )
