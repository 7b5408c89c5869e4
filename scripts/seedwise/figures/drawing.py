"""How every figure looks, and how it is saved: the same bytes for the same data."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import MaxNLocator, PercentFormatter

from seedwise.files import atomic
from seedwise.study.selection import MAIN

matplotlib.use("Agg")

WIDTH = 6.3  # inches: the text width of the report, so that nothing is scaled
# 13, which has no factor in common with the 10 colours: no pair repeats within 130 experiments.
MARKERS = "osD^vPX*<>dph"
_MANY = 8  # experiments, from which on names are written small
_STYLE = {
    "svg.hashsalt": "seedwise",  # ids in the SVG would be random otherwise
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "figure.dpi": 200,
}


def use_style() -> None:
    """Set seaborn's style for all figures of this process."""
    sns.set_theme(context="paper", style="ticks", font_scale=1.1, rc=_STYLE)


def looks(experiments: Sequence[str]) -> dict[str, dict[str, object]]:
    """Return colour (safe for the colour-blind) and marker of each experiment, a pair of its own.

    An experiment looks the same in every figure if all get the same list.
    """
    colors = sns.color_palette("colorblind", 10)
    return {
        name: {"color": colors[i % len(colors)], "marker": MARKERS[i % len(MARKERS)]}
        for i, name in enumerate(experiments)
    }


def add_legend(figure: Figure, handles: Sequence[Artist], names: Sequence[str]) -> Legend:
    """Write the names above the figure, which grows by what they take beyond two lines.

    Names too long to stand side by side stand one a line.
    """
    size, fits = (7, 46) if len(names) > _MANY else (8.8, 36)  # points, characters
    columns = 1 if max(map(len, names)) > fits else 2
    lines = -(-len(names) // columns)
    inches = 1.65 * size / 72 * max(0, lines - 2)
    figure.set_figheight(figure.get_figheight() + inches)
    return figure.legend(handles, names, loc="outside upper left", ncols=columns, fontsize=size)


def name_measure(axes: Axes, side: str, split: str, measure: str) -> None:
    """Write the name of a main measure of a split along the x or the y axis, and its numbers."""
    axis = axes.xaxis if side == "x" else axes.yaxis
    axis.set_label_text(f"{split} {MAIN[measure]}")
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))  # whole per cents
    if measure == "accuracy":
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def save(figure: Figure, svg: Path, png: Path, title: str) -> None:
    """Write the figure in both formats, without dates, versions or random ids."""
    with atomic(svg) as partial:
        metadata = {"Title": title, "Date": None, "Creator": None}
        figure.savefig(partial, format="svg", metadata=metadata)
    with atomic(png) as partial:
        figure.savefig(partial, format="png", metadata={"Title": title, "Software": None})
