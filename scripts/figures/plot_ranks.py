"""Plot the rank over data sets: mean rank score with its interval, the distance on each data set.

Input: ranks.csv. Outputs: one figure, SVG and PNG.
"""

from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seedwise.figures.drawing import WIDTH, add_legend, looks, save, use_style
from seedwise.step import step

DISTANCE = "distance_"


def plot(ranks: pd.DataFrame) -> Figure:
    """Draw a row per kind of experiments, the best at the top.

    Args:
        ranks: ranks.csv, in its order.
    """
    datasets = [name.removeprefix(DISTANCE) for name in ranks if name.startswith(DISTANCE)]
    figure, axes = plt.subplots(figsize=(WIDTH, 1.0 + 0.4 * len(ranks)))
    style, rows = looks(datasets), range(len(ranks))
    for name in datasets:
        axes.plot(
            1 + ranks[DISTANCE + name], [row + 0.22 for row in rows], linestyle="", markersize=5,
            markeredgewidth=0, alpha=0.8, **style[name],
        )  # fmt: skip
    axes.hlines(rows, ranks["ci_low"], ranks["ci_high"], color="k", linewidth=2)
    axes.plot(ranks["score"], rows, color="k", marker="o", markersize=8, linestyle="")
    axes.set_yticks(rows, ranks["experiments"])
    axes.set_ylim(len(ranks) - 0.5, -0.5)
    axes.set(xlabel="1 + distance to the best, in standard deviations of a run")
    axes.grid(axis="x", linewidth=0.4)
    mean = Line2D([], [], color="k", marker="o", markersize=8, linewidth=2)
    marks = [Line2D([], [], linestyle="", **style[name]) for name in datasets]
    add_legend(figure, [mean, *marks], ["all data sets, 95 % interval", *datasets])
    return figure


def main(*, ranks: Path, svg: Path, png: Path) -> None:
    """Write the figure."""
    use_style()
    table = pd.read_csv(ranks, dtype={"experiments": str})
    save(plot(table), svg, png, "Rank over the data sets")


if __name__ == "__main__":
    with step(snakemake):
        main(
            ranks=Path(snakemake.input.ranks),
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
