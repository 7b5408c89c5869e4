"""Plot learning curves: accuracy over the number of training texts, every seed a point.

Inputs: learning_curve.csv. Outputs: one figure, SVG and PNG.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

from seedwise.figures.drawing import WIDTH, add_legend, looks, save, use_style
from seedwise.results.statistics import student_interval
from seedwise.step import step


def plot(runs: pd.DataFrame, experiments: Sequence[str]) -> Figure:
    """Draw a line per experiment through its means, with their 95 % intervals as a band.

    Args:
        runs: Columns experiment, train_texts, test_accuracy (in [0, 1]), a row per run.
        experiments: All experiments of the study, which fixes their colours and markers.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    style = looks(experiments)
    for experiment, own in runs.groupby("experiment", sort=False):
        look = style[experiment]
        axes.scatter(
            own["train_texts"], own["test_accuracy"], s=14, alpha=0.5, linewidth=0,
            color=look["color"],
        )  # fmt: skip
        by_size = own.groupby("train_texts")["test_accuracy"]
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
    margin = 0.25 * max(0.02, runs["test_accuracy"].max() - runs["test_accuracy"].min())
    axes.set_ylim(
        max(0.0, runs["test_accuracy"].min() - margin),
        min(1.02, runs["test_accuracy"].max() + margin),
    )
    axes.set(xlabel="Training texts", ylabel="Test accuracy")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
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
