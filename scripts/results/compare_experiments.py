"""Compare every two experiments on the same data set of labels, paired over test texts and seeds.

The run of an engine that no seed changes stands beside each of the other's.

Inputs: metrics.json and predictions.csv of every run. Output: comparisons.csv, a row per pair.
Units: accuracies, macro F1 and their differences (b minus a) in [-1, 1].
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from seedwise.files import atomic
from seedwise.results import macro_f1, sides, superiority
from seedwise.results.statistics import (
    TEST_NAME,
    bootstrap_interval,
    holm,
    sign_flip_p_value,
    student_interval,
)
from seedwise.step import step
from seedwise.training.run_files import check_consistent, read_classes, read_metrics

COLUMNS = [
    "dataset", "experiment_a", "experiment_b", "texts", "seeds", "mean_a", "mean_b",
    "difference", "ci_low", "ci_high", "seeds_ci_low", "seeds_ci_high",
    "p_value", "p_holm", "test",
    "macro_f1_difference", "macro_f1_ci_low", "macro_f1_ci_high", "macro_f1_p_value",
    "macro_f1_p_holm", "macro_f1_test", "p_better", "p_better_low", "p_better_high",
]  # fmt: skip


def compare(a: np.ndarray, b: np.ndarray) -> dict[str, float | int | str]:
    """Compare two experiments by their correctness.

    Args:
        a: 1 where a run of the first experiment is right, else 0; shape (texts, seeds).
        b: The same for the second one, on the same texts and seeds.
    """
    texts, seeds = a.shape
    per_text = b.sum(axis=1) - a.sum(axis=1)  # in correct seeds: integers, as the test needs
    low, high = bootstrap_interval(per_text / seeds)
    seeds_low, seeds_high = student_interval(b.mean(axis=0) - a.mean(axis=0))
    return {
        "texts": texts,
        "seeds": seeds,
        "mean_a": a.mean(),
        "mean_b": b.mean(),
        "difference": b.mean() - a.mean(),
        "ci_low": low,
        "ci_high": high,
        "seeds_ci_low": seeds_low,
        "seeds_ci_high": seeds_high,
        "p_value": sign_flip_p_value(per_text),
        "test": TEST_NAME,
    }


def compare_macro_f1(a: macro_f1.Scored, b: macro_f1.Scored) -> dict[str, float | str]:
    """Compare two experiments by their macro F1, the mean over seeds."""
    low, high = macro_f1.interval(a, b)
    p_value, test = macro_f1.permutation_p_value(a, b)
    return {
        "macro_f1_difference": b.macro_f1 - a.macro_f1,
        "macro_f1_ci_low": low,
        "macro_f1_ci_high": high,
        "macro_f1_p_value": p_value,
        "macro_f1_test": test,
    }


def main(*, metrics: Sequence[Path], predictions: Sequence[Path], output: Path) -> None:
    """Write comparisons.csv."""
    records = read_metrics(metrics)
    check_consistent(records, metrics)
    kept = ["dataset", "experiment", "engine", "init", "seed", "test_accuracy"]
    runs = pd.DataFrame(records)[kept]
    runs["predictions"] = list(predictions)
    rows = []
    for dataset, group in runs.groupby("dataset", sort=False):
        classes, labels, predicted = read_classes(group["predictions"].tolist())
        experiments = [
            own.sort_values("seed") for _, own in group.groupby("experiment", sort=False)
        ]
        predictions_of = [predicted[own["predictions"].to_list()].to_numpy() for own in experiments]
        right = [side == labels[:, None] for side in predictions_of]
        scored = macro_f1.score(labels, predictions_of, classes)
        for a, b, *places in sides.pairs(experiments):
            own, other = experiments[a], experiments[b]
            names = (frame["experiment"].iloc[0] for frame in (own, other))
            rows.append(
                dict(zip(COLUMNS, (dataset, *names), strict=False))
                | compare(right[a][:, places[0]], right[b][:, places[1]])
                | compare_macro_f1(scored[a].of(places[0]), scored[b].of(places[1]))
                | superiority.compare(
                    own["test_accuracy"].to_numpy(), other["test_accuracy"].to_numpy()
                )
            )
    table = pd.DataFrame(rows, columns=COLUMNS)
    for measure in ("", "macro_f1_"):
        table[f"{measure}p_holm"] = holm(table[f"{measure}p_value"].to_list())
    with atomic(output) as partial:
        table.to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            predictions=[Path(path) for path in snakemake.input.predictions],
            output=Path(snakemake.output.comparisons),
        )
