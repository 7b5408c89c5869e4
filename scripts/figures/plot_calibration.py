"""Plot accuracy over confidence: how far the predicted probabilities can be trusted.

Inputs: metrics.json and predictions.csv of the runs. Outputs: one figure, SVG and PNG.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from seedwise.figures.drawing import WIDTH, add_legend, looks, save, use_style
from seedwise.results.mistakes import Predictions, each_experiment, reliability
from seedwise.step import step


def plot(all_runs: Iterable[Predictions], experiments: Sequence[str]) -> Figure:
    """Draw a line per experiment over ten bins of confidence; larger points hold more texts.

    Args:
        all_runs: The experiments' predictions.
        experiments: All experiments of the study, which fixes their colours.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.6))
    style = looks(experiments)
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--", label="as sure as right")
    lowest = 1.0
    for runs in all_runs:
        bins = reliability(runs)
        look = style[runs.experiment]
        axes.plot(bins["confidence"], bins["accuracy"], color=look["color"], linewidth=1.4)
        axes.scatter(
            bins["confidence"], bins["accuracy"], s=8 + 120 * bins["share"], linewidth=0,
            alpha=0.8, label=runs.experiment, **look,
        )  # fmt: skip
        lowest = min(lowest, bins["confidence"].min())
    axes.set(xlabel="Probability of the predicted label", ylabel="Accuracy", ylim=(0, 1.02))
    axes.set_xlim(max(0, lowest - 0.05), 1.02)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    axes.grid(linewidth=0.4)
    legend = add_legend(figure, *axes.get_legend_handles_labels())
    for handle in legend.legend_handles[1:]:
        handle.set_sizes([30])
    return figure


def main(
    *,
    metrics: Sequence[Path],
    predictions: Sequence[Path],
    experiments: Sequence[str],
    svg: Path,
    png: Path,
) -> None:
    """Write the figure."""
    use_style()
    save(plot(each_experiment(metrics, predictions), experiments), svg, png, "Calibration")


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            predictions=[Path(path) for path in snakemake.input.predictions],
            experiments=snakemake.params.experiments,
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
