"""Plot predicted over true scores of all experiments on one data set.

Inputs: metrics.json and predictions.csv of the runs. Outputs: one figure, SVG and PNG.
"""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from seedwise.figures.drawing import WIDTH, looks, save, use_style
from seedwise.predictions.measures import pearson
from seedwise.step import step
from seedwise.training.run_files import read_metrics, read_scores

COLUMNS = 3
_NAME_WIDTH = 24  # characters
_FEW = 500
"""Up to so many texts points are dark; of more they are the lighter, the more there are."""


def plot(
    truth: np.ndarray, predicted: Mapping[str, np.ndarray], experiments: Sequence[str]
) -> Figure:
    """Draw a panel per experiment, a point per text; on the dashed line predictions are right.

    Args:
        truth: Score of each text, shape (texts,).
        predicted: By experiment, the mean over its seeds of what is predicted, shape (texts,).
        experiments: All experiments of the study, which fixes their colours.
    """
    columns = min(COLUMNS, len(predicted))
    rows = -(-len(predicted) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(WIDTH, 0.5 + rows * (WIDTH / COLUMNS + 0.1)), sharex=True,
        sharey=True, squeeze=False,
    )  # fmt: skip
    style = looks(experiments)
    alpha = max(0.05, min(0.6, 0.6 * (_FEW / len(truth)) ** 0.5))
    for panel in grid.flat[len(predicted) :]:
        panel.axis("off")
    for panel, (name, found) in zip(grid.flat, predicted.items(), strict=False):
        # As an image within the SVG: of 100,000 points that would be unreadably large.
        panel.scatter(
            truth, found, s=7, alpha=alpha, linewidth=0, color=style[name]["color"], rasterized=True
        )
        panel.axline((truth.min(),) * 2, slope=1, color="0.45", linestyle="--", linewidth=1)
        title = f"{textwrap.fill(name, _NAME_WIDTH)}\nr = {pearson(truth, found):.3f}"
        panel.set_title(title, fontsize=8, loc="center")
        panel.grid(linewidth=0.4)
    figure.supxlabel("Score in the data", fontsize=9)
    figure.supylabel("Predicted score, mean over seeds", fontsize=9)
    return figure


def main(
    *,
    metrics: Sequence[Path],
    predictions: Sequence[Path],
    experiments: Sequence[str],
    dataset: str,
    svg: Path,
    png: Path,
) -> None:
    """Write the figure."""
    use_style()
    truth, found = read_scores(predictions)
    owners = pd.Series([run["experiment"] for run in read_metrics(metrics)], found.columns)
    means = {
        name: found[list(own.index)].mean(axis=1).to_numpy()
        for name, own in owners.groupby(owners, sort=False)
    }
    save(plot(truth, means, experiments), svg, png, f"Scores on {dataset}")


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            predictions=[Path(path) for path in snakemake.input.predictions],
            experiments=snakemake.params.experiments,
            dataset=snakemake.wildcards.dataset,
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
