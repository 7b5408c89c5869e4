"""Plot learning curves: accuracy over the number of training texts, every seed a point.

Inputs: learning_curve.csv. Outputs: one figure, SVG and PNG.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from seedwise.figures.drawing import WIDTH, add_legend, looks, name_measure, save, use_style
from seedwise.results.statistics import measure_of, student_interval
from seedwise.step import step


def plot(runs: pd.DataFrame, experiments: Sequence[str]) -> Figure:
    """Draw a line per experiment through its means, with their 95 % intervals as a band.

    Args:
        runs: Columns experiment, train_texts, test_accuracy (in [0, 1]) or test_pearson, a row per
            run on one data set.
        experiments: All experiments of the study, which fixes their colours and markers.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    style = looks(experiments)
    measure = measure_of(runs)
    reached = f"test_{measure}"
    for experiment, own in runs.groupby("experiment", sort=False):
        look = style[experiment]
        axes.scatter(
            own["train_texts"], own[reached], s=14, alpha=0.5, linewidth=0,
            color=look["color"],
        )  # fmt: skip
        by_size = own.groupby("train_texts")[reached]
        means = by_size.mean()
        axes.plot(means.index, means, markersize=6, markeredgewidth=0, label=experiment, **look)
        limits = by_size.apply(lambda values: pd.Series(student_interval(values.to_numpy())))
        low, high = limits.unstack().T.to_numpy()
        axes.fill_between(means.index, low, high, color=look["color"], alpha=0.15, linewidth=0)
    sizes = sorted(set(runs["train_texts"]))
    axes.set_xscale("log")
    axes.set_xticks(sizes)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    # An interval over few seeds may be wider than all accuracies; it would hide them.
    low, high = runs[reached].min(), runs[reached].max()
    margin = 0.25 * max(0.02, high - low)
    axes.set_ylim(
        max(0.0 if measure == "accuracy" else -1.0, low - margin), min(1.02, high + margin)
    )
    axes.set(xlabel="Training texts")
    name_measure(axes, "y", "Test", measure)
    axes.grid(linewidth=0.4)
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def main(*, curves: Path, dataset: str, experiments: Sequence[str], svg: Path, png: Path) -> None:
    """Write the figure of one data set."""
    use_style()
    runs = pd.read_csv(curves, dtype={"experiment": str, "dataset": str})
    figure = plot(runs[runs["dataset"] == dataset], experiments)
    save(figure, svg, png, f"Learning curves on {dataset}")


if __name__ == "__main__":
    with step(snakemake):
        main(
            curves=Path(snakemake.input.curves),
            dataset=snakemake.wildcards.dataset,
            experiments=snakemake.params.experiments,
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
