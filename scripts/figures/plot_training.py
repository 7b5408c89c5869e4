"""Plot validation accuracy per epoch: every seed thin, the mean bold with a band.

Inputs: history.csv of the runs of one engine. Outputs: one figure, SVG and PNG.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from seedwise.figures.drawing import WIDTH, add_legend, looks, save, use_style
from seedwise.step import step
from seedwise.training.run_files import read_histories


def plot(history: pd.DataFrame, experiments: Sequence[str]) -> Figure:
    """Draw validation accuracy over epochs; the band is ± one population standard deviation.

    Args:
        history: Columns experiment, seed, epoch, split, accuracy (in [0, 1]).
        experiments: All experiments of the study, which fixes their colours.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    style = looks(experiments)
    valid = history[history["split"] == "valid"]
    for name, group in valid.groupby("experiment", sort=False):
        color = style[name]["color"]
        for _, run in group.groupby("seed"):
            axes.plot(run["epoch"], run["accuracy"], color=color, linewidth=0.8, alpha=0.5)
        over_seeds = group.groupby("epoch")["accuracy"]
        mean, std = over_seeds.mean(), over_seeds.std(ddof=0)
        axes.fill_between(mean.index, mean - std, mean + std, color=color, alpha=0.15, linewidth=0)
        axes.plot(
            mean.index, mean, linewidth=2, markersize=7, markeredgecolor="w", markeredgewidth=0.5,
            label=name, **style[name],
        )  # fmt: skip
    axes.set(xlabel="Epoch", ylabel="Validation accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))  # whole per cents
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    axes.grid(axis="y", linewidth=0.4)
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def main(
    *,
    histories: Sequence[Path],
    experiments: Sequence[str],
    title: str,
    svg: Path,
    png: Path,
) -> None:
    """Write the figure."""
    use_style()
    save(plot(read_histories(histories), experiments), svg, png, title)


if __name__ == "__main__":
    with step(snakemake):
        main(
            histories=[Path(path) for path in snakemake.input.histories],
            experiments=snakemake.params.experiments,
            title=f"Accuracy over training, {snakemake.wildcards.engine}",
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
