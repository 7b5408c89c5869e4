"""Plot validation accuracy per epoch: every seed thin, the mean bold with a band.

Inputs: history.csv of the runs of one engine. Outputs: one figure, SVG and PNG.
"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seedwise.figures.drawing import WIDTH, add_legend, looks, name_measure, save, use_style
from seedwise.step import step
from seedwise.study.selection import MAIN
from seedwise.training.run_files import read_histories


def plot(history: pd.DataFrame, experiments: Sequence[str]) -> Figure:
    """Draw validation accuracy over epochs; the band is ± one population standard deviation.

    Experiments on scores have a panel of their own, with Pearson's correlation.

    Args:
        history: Columns experiment, seed, epoch, split, and accuracy (in [0, 1]) or pearson.
        experiments: All experiments of the study, which fixes their colours.
    """
    valid = history[history["split"] == "valid"]
    measures = [name for name in MAIN if name in valid and valid[name].notna().any()]
    size = (WIDTH, 3.2 * len(measures))
    figure, panels = plt.subplots(len(measures), figsize=size, squeeze=False)
    style = looks(experiments)
    for axes, measure in zip(panels.flat, measures, strict=True):
        own = valid[valid[measure].notna()]
        for name, group in own.groupby("experiment", sort=False):
            color = style[name]["color"]
            for _, run in group.groupby("seed"):
                axes.plot(run["epoch"], run[measure], color=color, linewidth=0.8, alpha=0.5)
            over_seeds = group.groupby("epoch")[measure]
            mean, std = over_seeds.mean(), over_seeds.std(ddof=0)
            axes.fill_between(
                mean.index, mean - std, mean + std, color=color, alpha=0.15, linewidth=0
            )
            axes.plot(
                mean.index, mean, linewidth=2, markersize=7, markeredgecolor="w",
                markeredgewidth=0.5, label=name, **style[name],
            )  # fmt: skip
        axes.set(xlabel="Epoch")
        name_measure(axes, "y", "Validation", measure)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y", linewidth=0.4)
    drawn = (axes.get_legend_handles_labels() for axes in panels.flat)
    add_legend(figure, *map(list, map(chain.from_iterable, zip(*drawn, strict=True))))
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
