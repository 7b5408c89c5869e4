"""Compare every two experiments on the same data set of scores, paired over test texts and seeds.

Inputs: metrics.json and predictions.csv of every run. Output: score_comparisons.csv, a row for each
pair and measure. Units: correlations and their differences (b minus a) in [-2, 2], errors in those
of the scores.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from seedwise.files import atomic
from seedwise.results import correlations, sides, superiority
from seedwise.results.statistics import RESAMPLES, holm, student_interval
from seedwise.step import step
from seedwise.training.run_files import check_consistent, read_metrics, read_scores

COLUMNS = [
    "dataset", "experiment_a", "experiment_b", "measure", "texts", "seeds", "mean_a", "mean_b",
    "difference", "ci_low", "ci_high", "seeds_ci_low", "seeds_ci_high",
    "p_value", "p_holm", "test", "p_better", "p_better_low", "p_better_high",
]  # fmt: skip


def compare(a: correlations.Scored, b: correlations.Scored) -> list[dict[str, float | int | str]]:
    """Return a row for each of the `correlations.MEASURES`."""
    lows, highs = correlations.intervals(a, b)
    p_values = correlations.permutation_p_values(a, b)
    rows = []
    for number, measure in enumerate(correlations.MEASURES):
        one, other = a.values[number], b.values[number]
        seeds_low, seeds_high = student_interval(other - one)
        rows.append(
            {
                "measure": measure,
                "texts": len(a.terms),
                "seeds": len(one),
                "mean_a": one.mean(),
                "mean_b": other.mean(),
                "difference": other.mean() - one.mean(),
                "ci_low": lows[number],
                "ci_high": highs[number],
                "seeds_ci_low": seeds_low,
                "seeds_ci_high": seeds_high,
                "p_value": p_values[number],
                "test": f"{RESAMPLES} random exchanges",
            }
        )
    return rows


def main(*, metrics: Sequence[Path], predictions: Sequence[Path], output: Path) -> None:
    """Write score_comparisons.csv."""
    records = read_metrics(metrics)
    check_consistent(records, metrics)
    runs = pd.DataFrame(records).assign(predictions=list(predictions))
    rows = []
    for dataset, group in runs.groupby("dataset", sort=False):
        truth, predicted = read_scores(group["predictions"].tolist())
        experiments = [
            own.sort_values("seed") for _, own in group.groupby("experiment", sort=False)
        ]
        scored = correlations.score(
            truth, [predicted[own["predictions"].to_list()].to_numpy() for own in experiments]
        )
        for a, b, *places in sides.pairs(experiments):
            own, other = experiments[a], experiments[b]
            names = (frame["experiment"].iloc[0] for frame in (own, other))
            named = dict(zip(COLUMNS, (dataset, *names), strict=False))
            found = compare(scored[a].of(places[0]), scored[b].of(places[1]))
            better = (frame["test_pearson"].to_numpy() for frame in (own, other))
            found[0] |= superiority.compare(*better)
            rows += [named | row for row in found]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["p_holm"] = table.groupby("measure")["p_value"].transform(lambda own: holm(own.to_list()))
    with atomic(output) as partial:
        table.to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            predictions=[Path(path) for path in snakemake.input.predictions],
            output=Path(snakemake.output.comparisons),
        )
