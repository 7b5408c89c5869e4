"""Plot training and validation loss over the updates, a panel per LoRA experiment.

Inputs: history.csv of every run. Outputs: one figure, SVG and PNG. Units: nats per token.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from seedwise.figures.drawing import WIDTH, save, use_style
from seedwise.step import step
from seedwise.training.run_files import read_histories

SPLITS = {"train": "training", "valid": "validation"}


def plot(history: pd.DataFrame) -> Figure:
    """Draw each seed as a thin line and the mean over seeds as a bold one."""
    names = list(dict.fromkeys(history["experiment"]))
    figure, axes = plt.subplots(ncols=len(names), figsize=(WIDTH, 3.2), sharey=True, squeeze=False)
    colors = sns.color_palette("colorblind")
    for panel, name in zip(axes[0], names, strict=True):
        runs = history[history["experiment"] == name]
        for (split, words), color in zip(SPLITS.items(), colors, strict=False):
            curves = runs[runs["split"] == split].pivot(
                index="update", columns="seed", values="loss"
            )
            panel.plot(curves, color=color, linewidth=0.8, alpha=0.5)
            panel.plot(curves.mean(axis=1), color=color, linewidth=2.2, label=words)
        panel.set(title=name, xlabel="Update")
        panel.grid(axis="y", linewidth=0.4)
    axes[0, 0].set_ylabel("Loss (nats per token)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure


def main(*, histories: Sequence[Path], svg: Path, png: Path) -> None:
    """Write the figure."""
    use_style()
    save(plot(read_histories(histories)), svg, png, "Loss of the LoRA runs over training")


if __name__ == "__main__":
    with step(snakemake):
        main(
            histories=[Path(path) for path in snakemake.input.histories],
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
