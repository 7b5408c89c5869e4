"""Plot the confusion matrices of all experiments on one data set.

Input: confusion.csv. Outputs: one figure, SVG and PNG.
"""

import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from seedwise.figures.drawing import WIDTH, save, use_style
from seedwise.step import step

COLUMNS = 3
_NAME_WIDTH = 24  # characters
_NUMBERED = 8
"""With more labels than this, numbers in the cells would not be legible."""


def _text(share: float) -> str:
    return f"{100 * share:.0f}"


def plot(counts: pd.DataFrame) -> Figure:
    """Draw a panel per experiment: the share of each true label's texts, in percent.

    Args:
        counts: Columns experiment, label, prediction, texts.
    """
    names = list(dict.fromkeys(counts["experiment"]))
    labels = list(dict.fromkeys(counts["label"]))
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    side = WIDTH / COLUMNS
    figure, grid = plt.subplots(
        rows, columns, figsize=(WIDTH, 0.5 + rows * (side + 0.1)), sharex=True, sharey=True,
        squeeze=False,
    )  # fmt: skip
    size = 8 if len(labels) <= 4 else 6
    for panel in grid.flat[len(names) :]:
        panel.axis("off")
    for panel, name in zip(grid.flat, names, strict=False):
        own = counts[counts["experiment"] == name]
        matrix = own.pivot(index="label", columns="prediction", values="texts")
        matrix = matrix.loc[labels, labels].to_numpy()
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1e-9)
        panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(*shares.shape):
            if len(labels) <= _NUMBERED:
                color = "white" if shares[row, column] > 0.6 else "black"
                panel.text(
                    column, row, _text(shares[row, column]), ha="center", va="center",
                    color=color, fontsize=size,
                )  # fmt: skip
        panel.set_title(textwrap.fill(name, _NAME_WIDTH), fontsize=8, loc="center")
        panel.set_xticks(range(len(labels)), labels, rotation=45, ha="right", fontsize=size)
        panel.set_yticks(range(len(labels)), labels, fontsize=size)
        panel.tick_params(length=0)
        for spine in panel.spines.values():
            spine.set_visible(True)
    figure.supxlabel("Predicted label", fontsize=9)
    figure.supylabel("True label", fontsize=9)
    return figure


def main(*, confusion: Path, dataset: str, svg: Path, png: Path) -> None:
    """Write the figure."""
    use_style()
    text = dict.fromkeys(("dataset", "label", "prediction"), str)
    counts = pd.read_csv(confusion, dtype=text, keep_default_na=False)
    save(plot(counts[counts["dataset"] == dataset]), svg, png, f"Confusion on {dataset}")


if __name__ == "__main__":
    with step(snakemake):
        main(
            confusion=Path(snakemake.input.confusion),
            dataset=snakemake.wildcards.dataset,
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
