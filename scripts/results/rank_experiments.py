"""Rank experiments over several data sets.

Inputs: metrics.json and predictions.csv of every run. Output: ranks.csv, a row for each kind of
experiment, with its mean accuracy and its population standard deviation over seeds on each data set
(``mean_{dataset}``, ``std_{dataset}``, in [0, 1]).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from seedwise.files import atomic
from seedwise.results.ranks import rank
from seedwise.step import step
from seedwise.training.run_files import check_consistent, read_classes, read_metrics


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
    datasets = list(next(iter(experiments.values())))
    columns: dict[str, list[float]] = {}
    right = []
    for dataset in datasets:
        names = [own[dataset] for own in experiments.values()]
        files = [runs.loc[runs["experiment"] == name, "predictions"].to_list() for name in names]
        _, labels, predicted = read_classes([path for own in files for path in own])
        right.append([predicted[own].to_numpy() == labels[:, None] for own in files])
        columns[f"mean_{dataset}"] = [own.mean() for own in right[-1]]
        columns[f"std_{dataset}"] = [own.mean(axis=0).std() for own in right[-1]]
    ranking = rank(right)
    table = pd.DataFrame(
        {
            "experiments": list(experiments),
            "score": ranking.score,
            "ci_low": ranking.low,
            "ci_high": ranking.high,
            "place": ranking.place,
            **columns,
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
