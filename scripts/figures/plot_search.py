"""Plot expected validation performance: what each search would have found with fewer candidates.

Inputs: search.csv. Outputs: one figure, SVG and PNG.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from seedwise.figures.drawing import WIDTH, add_legend, looks, save, use_style
from seedwise.results.search import expected_best, expected_best_interval
from seedwise.step import step


def plot(search: pd.DataFrame, experiments: Sequence[str]) -> Figure:
    """Draw a line per searched experiment over the number of candidates, with its interval.

    Args:
        search: Columns experiment, valid_accuracy (in [0, 1]).
        experiments: All experiments of the study, which fixes their colours and markers.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    style = looks(experiments)
    for experiment, candidates in search.groupby("experiment", sort=False):
        values = candidates["valid_accuracy"].to_numpy(float)
        budgets = np.arange(1, len(values) + 1)
        look = style[experiment]
        axes.plot(budgets, expected_best(values), markersize=5, label=experiment, **look)
        low, high = expected_best_interval(values)
        axes.fill_between(budgets, low, high, color=look["color"], alpha=0.15, linewidth=0)
    axes.set(xlabel="Candidates tried", ylabel="Expected best validation accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.grid(linewidth=0.4)
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def main(*, search: Path, experiments: Sequence[str], svg: Path, png: Path) -> None:
    """Write the figure."""
    use_style()
    table = pd.read_csv(search, dtype={"experiment": str})
    save(plot(table, experiments), svg, png, "Expected validation performance")


if __name__ == "__main__":
    with step(snakemake):
        main(
            search=Path(snakemake.input.search),
            experiments=snakemake.params.experiments,
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
