"""Gather the runs of all learning curves.

Inputs: metrics.json of every run of an experiment with a curve, with fewer texts and with all.
Output: learning_curve.csv, a row per run. Units: accuracies and macro F1 in [0, 1].
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from seedwise.files import atomic
from seedwise.step import step
from seedwise.study import curves
from seedwise.training.run_files import check_consistent, read_metrics, scalar_table

COLUMNS = [
    "experiment", "engine", "dataset", "train_texts", "seed",
    "valid_accuracy", "test_accuracy", "test_macro_f1",
]  # fmt: skip
OF_SCORES = ["valid_pearson", "test_pearson", "test_spearman", "test_mae"]


def main(*, metrics: Sequence[Path], output: Path) -> None:
    """Write learning_curve.csv."""
    runs = read_metrics(metrics)
    check_consistent(runs, metrics)
    table = scalar_table(runs)
    table["experiment"] = table["experiment"].map(curves.base)
    table = table.drop_duplicates(["experiment", "train_texts", "seed"], keep="last")
    order = pd.Series(range(len(table)), table.index).groupby(table["experiment"]).transform("min")
    table = table.assign(order=order).sort_values(["order", "train_texts", "seed"])
    with atomic(output) as partial:
        found = [name for name in OF_SCORES if name in table]
        table.reindex(columns=COLUMNS + found).to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            output=Path(snakemake.output.curves),
        )
