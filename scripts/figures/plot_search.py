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
from seedwise.study.selection import DIRECTIONS, MAIN

NAMES = MAIN | {"macro_f1": "macro F1", "loss": "loss"}


def plot(search: pd.DataFrame, selection: str, experiments: Sequence[str]) -> Figure:
    """Draw a line per searched experiment over the number of candidates, with its interval.

    Args:
        search: Columns experiment and ``valid_{selection}``.
        selection: By what candidates are chosen.
        experiments: All experiments of the study, which fixes their colours and markers.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    style, direction = looks(experiments), DIRECTIONS[selection]
    names = []
    for experiment, candidates in search.groupby("experiment", sort=False):
        own = selection
        if selection in MAIN and candidates.get("valid_pearson", pd.Series()).notna().any():
            own = "pearson"
        names.append(NAMES[own])
        values = direction * candidates[f"valid_{own}"].to_numpy(float)
        budgets = np.arange(1, len(values) + 1)
        look = style[experiment]
        expected, limits = expected_best(values), expected_best_interval(values)
        axes.plot(budgets, direction * expected, markersize=5, label=experiment, **look)
        low, high = (direction * limit for limit in limits)
        axes.fill_between(budgets, low, high, color=look["color"], alpha=0.15, linewidth=0)
    axes.set(
        xlabel="Candidates tried", ylabel=f"Expected validation {' or '.join(dict.fromkeys(names))}"
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if NAMES["pearson"] not in names and selection != "loss":
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.grid(linewidth=0.4)
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def main(*, search: Path, selection: str, experiments: Sequence[str], svg: Path, png: Path) -> None:
    """Write the figure."""
    use_style()
    table = pd.read_csv(search, dtype={"experiment": str})
    save(plot(table, selection, experiments), svg, png, "Expected validation performance")


if __name__ == "__main__":
    with step(snakemake):
        main(
            search=Path(snakemake.input.search),
            selection=snakemake.params.selection,
            experiments=snakemake.params.experiments,
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
