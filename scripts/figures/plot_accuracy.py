"""Plot final test accuracy: every seed a point, mean and 95 % interval, published beside it.

Inputs: runs.csv and summary.csv. Outputs: one figure, SVG and PNG.
"""

from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from seedwise.figures.drawing import WIDTH, looks, save, use_style
from seedwise.step import step

_GREY = "0.45"

_MARGIN = 0.02  # so that a point at 0 or 100 % is whole


def plot(runs: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw a row per experiment: seeds, mean with interval, and the published result if any.

    Args:
        runs: Columns experiment, test_accuracy (in [0, 1]).
        summary: summary.csv; its order is the order of the rows, from the top.
    """
    row_height = 0.5 if len(summary) <= 8 else 0.3  # inches
    figure, axes = plt.subplots(figsize=(WIDTH, 1.3 + row_height * len(summary)))
    style = looks(summary["experiment"])
    for y, row in enumerate(summary.itertuples()):
        color = style[row.experiment]["color"]
        own = runs.loc[runs["experiment"] == row.experiment, "test_accuracy"]
        axes.scatter(own, [y - 0.15] * len(own), color=color, s=18, alpha=0.6, linewidth=0)
        if pd.notna(row.ci_low):
            axes.plot([row.ci_low, row.ci_high], [y, y], color=color, linewidth=2)
        axes.plot(row.mean, y, marker="D", color=color, markersize=6)
        if pd.notna(row.published_mean):
            axes.errorbar(
                row.published_mean, y + 0.2, xerr=row.published_std,
                fmt="s", color=_GREY, markersize=5, linewidth=1, capsize=3,
            )  # fmt: skip
    axes.set_yticks(range(len(summary)), summary["experiment"])
    axes.set_ylim(len(summary) - 0.5, -0.5)
    axes.set(xlabel="Test accuracy")
    # Student's interval over few seeds knows no bounds, an accuracy does.
    left, right = axes.get_xlim()
    axes.set_xlim(max(left, -_MARGIN), min(right, 1 + _MARGIN))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))  # whole per cents
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    axes.grid(axis="x", linewidth=0.4)
    keys = [
        Line2D([], [], color="k", marker="o", linestyle="", markersize=4, label="one seed"),
        Line2D([], [], color="k", marker="D", linewidth=2, label="mean, 95 % interval"),
    ]
    if summary["published_mean"].notna().any():
        keys.append(Line2D([], [], color=_GREY, marker="s", label="published, ± 1 std"))
    figure.legend(handles=keys, loc="outside upper left", ncols=3)
    return figure


def main(*, runs: Path, summary: Path, svg: Path, png: Path) -> None:
    """Write the figure."""
    use_style()
    save(plot(pd.read_csv(runs), pd.read_csv(summary)), svg, png, "Test accuracy")


if __name__ == "__main__":
    with step(snakemake):
        main(
            runs=Path(snakemake.input.runs),
            summary=Path(snakemake.input.summary),
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
