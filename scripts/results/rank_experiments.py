"""Rank experiments over several data sets.

Inputs: metrics.json and predictions.csv of every run. Output: ranks.csv, a row for each kind of
experiment, with its mean accuracy (of scores, Pearson's correlation) and its population standard
deviation over seeds on each data set (``mean_{dataset}``, ``std_{dataset}``, in [0, 1]), and its
distance to the best there (``distance_{dataset}``, in standard deviations of a run).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedwise.files import atomic
from seedwise.results import correlations
from seedwise.results.ranks import by_accuracy, by_correlation, rank
from seedwise.step import step
from seedwise.training.run_files import (
    check_consistent,
    measure,
    read_classes,
    read_metrics,
    read_scores,
)


def main(
    *,
    metrics: Sequence[Path],
    predictions: Sequence[Path],
    experiments: Mapping[str, Mapping[str, str]],
    output: Path,
) -> None:
    """Write ranks.csv; ``experiments`` are by kind and by data set."""
    records = read_metrics(metrics)
    check_consistent(records, metrics)
    runs = pd.DataFrame(records)[["experiment"]].assign(predictions=list(predictions))
    scored = {run["dataset"] for run in records if measure(run) == "pearson"}
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {}
    compared = []
    datasets = list(next(iter(experiments.values())))
    for dataset in datasets:
        names = [own[dataset] for own in experiments.values()]
        files = [runs.loc[runs["experiment"] == name, "predictions"].to_list() for name in names]
        paths = [path for own in files for path in own]
        if dataset in scored:
            truth, given = read_scores(paths)
            found = correlations.score(truth, [given[own].to_numpy() for own in files])
            compared.append(by_correlation(found))
            spread = [own.values[0].std() for own in found]
            columns[f"measure_{dataset}"] = ["pearson"] * len(names)
        else:
            _, labels, predicted = read_classes(paths)
            right = [predicted[own].to_numpy() == labels[:, None] for own in files]
            compared.append(by_accuracy(right, rng))
            spread = [own.mean(axis=0).std() for own in right]
        columns[f"mean_{dataset}"] = compared[-1].means
        columns[f"std_{dataset}"] = spread
    ranking = rank(compared, rng)
    table = pd.DataFrame(
        {
            "experiments": list(experiments),
            "score": ranking.score,
            "ci_low": ranking.low,
            "ci_high": ranking.high,
            "place": ranking.place,
            **columns,
            **{
                f"distance_{name}": own
                for name, own in zip(datasets, ranking.distances, strict=True)
            },
        }
    )
    with atomic(output) as partial:
        table.sort_values("score", kind="stable").to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            predictions=[Path(path) for path in snakemake.input.predictions],
            experiments=snakemake.params.experiments,
            output=Path(snakemake.output.ranks),
        )
