"""Plot final test accuracy: every seed a point, mean and 95 % interval, published beside it.

Inputs: runs.csv and summary.csv. Outputs: one figure, SVG and PNG.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seedwise.figures.drawing import WIDTH, looks, name_measure, save, use_style
from seedwise.step import step
from seedwise.study.selection import MAIN

_GREY = "0.45"
_MARGIN = 0.02  # so that a point at 0 or 100 % is whole
_NAME_WIDTH = 30  # characters; longer names stand in several lines, broken at their hyphens


def plot(runs: pd.DataFrame, summary: pd.DataFrame, experiments: Sequence[str]) -> Figure:
    """Draw a row per experiment: seeds, mean with interval, and the published result if any.

    Experiments on scores have a panel of their own, with Pearson's correlation.

    Args:
        runs: Columns experiment, test_accuracy (in [0, 1]), or test_pearson.
        summary: summary.csv; its order is the order of the rows, from the top.
        experiments: All experiments of the study, which fixes their colours and markers.
    """
    named = summary["engine"] != "none"
    shown = summary[named]
    parts = [(m, part) for m in MAIN if len(part := shown[shown["measure"] == m])]
    row_height = 0.5 if len(shown) <= 8 else 0.24  # inches
    height = 0.4 + 0.6 * len(parts) + row_height * len(shown)
    figure, panels = plt.subplots(
        len(parts), squeeze=False, figsize=(WIDTH, height),
        height_ratios=[0.6 + row_height * len(part) for _, part in parts],
    )  # fmt: skip
    style = looks(experiments)
    same = summary[~named & (summary["measure"] == "accuracy")].set_index("dataset")["mean"]
    for axes, (measure, part) in zip(panels.flat, parts, strict=True):
        own = runs.set_index("experiment")[f"test_{measure}"]
        draw_rows(axes, part, own, same if measure == "accuracy" else same[:0], style)
        name_measure(axes, "x", "Test", measure)
        # Student's interval over few seeds knows no bounds, an accuracy or a correlation does.
        left, right = axes.get_xlim()
        least = 0 if measure == "accuracy" else -1
        axes.set_xlim(max(left, least - _MARGIN), min(right, 1 + _MARGIN))
    keys = [
        Line2D([], [], color="k", marker="o", linestyle="", markersize=4, label="one seed"),
        Line2D(
            [], [], color="k", marker="o", markersize=8, linewidth=2, label="mean, 95 % interval"
        ),
    ]
    if shown["published_mean"].notna().any():
        keys.append(Line2D([], [], color=_GREY, marker="s", label="published, ± 1 std"))
    if len(same):
        keys.append(Line2D([], [], color=_GREY, linestyle="--", label="commonest label"))
    figure.legend(handles=keys, loc="outside upper left", ncols=len(keys), columnspacing=1.2)
    return figure


def draw_rows(
    axes: Axes, summary: pd.DataFrame, reached: pd.Series, same: pd.Series, style: dict[str, Any]
) -> None:
    """Draw the experiments of one measure.

    Args:
        axes: Where.
        summary: Their rows of summary.csv.
        reached: What each run reached, by experiment.
        same: The accuracy of the commonest label, by data set.
        style: Of each experiment.
    """
    names = []
    for y, row in enumerate(summary.itertuples()):
        look = style[row.experiment]
        fixed = pd.isna(row.std)
        if not fixed:
            own = reached.loc[[row.experiment]]
            axes.scatter(
                own, [y - 0.15] * len(own), color=look["color"], s=18, alpha=0.6, linewidth=0
            )
        if pd.notna(row.ci_low):
            axes.plot([row.ci_low, row.ci_high], [y, y], color=look["color"], linewidth=2)
        axes.plot(row.mean, y, markersize=8, markeredgewidth=0, **look)
        if pd.notna(row.published_mean):
            axes.errorbar(
                row.published_mean, y + 0.2, xerr=row.published_std,
                fmt="s", color=_GREY, markersize=5, linewidth=1, capsize=3,
            )  # fmt: skip
        if row.dataset in same:
            axes.vlines(
                same[row.dataset], y - 0.5, y + 0.5, color=_GREY, linestyle="--", linewidth=1
            )
        name = f"{row.experiment} (deterministic)" if fixed else row.experiment
        names.append(textwrap.fill(name, _NAME_WIDTH))
    long = any("\n" in name for name in names)
    axes.set_yticks(range(len(names)), names, fontsize=7 if long else None)
    axes.set_ylim(len(summary) - 0.5, -0.5)
    axes.grid(axis="x", linewidth=0.4)


def main(*, runs: Path, summary: Path, experiments: Sequence[str], svg: Path, png: Path) -> None:
    """Write the figure."""
    use_style()
    text = dict.fromkeys(("experiment", "dataset"), str)
    tables = (pd.read_csv(path, dtype=text) for path in (runs, summary))
    save(plot(*tables, experiments), svg, png, "Test accuracy")


if __name__ == "__main__":
    with step(snakemake):
        main(
            runs=Path(snakemake.input.runs),
            summary=Path(snakemake.input.summary),
            experiments=snakemake.params.experiments,
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
