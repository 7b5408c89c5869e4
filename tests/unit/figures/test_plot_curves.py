import pandas as pd
import pytest

import plot_curves

RUNS = pd.DataFrame(
    [
        ("a", "d", 100, 0, 0.6), ("a", "d", 100, 1, 0.64), ("a", "d", 400, 0, 0.7),
        ("a", "d", 400, 1, 0.72), ("linear", "d", 100, 0, 0.65), ("linear", "d", 400, 0, 0.66),
        ("a", "other", 100, 0, 0.1),
    ],
    columns=["experiment", "dataset", "train_texts", "seed", "test_accuracy"],
)  # fmt: skip


def test_every_run_is_a_point_and_every_experiment_a_line():
    figure = plot_curves.plot(RUNS[RUNS["dataset"] == "d"], ["x", "a", "linear"])
    axes = figure.axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert lines["a"].get_xdata().tolist() == [100, 400]
    assert lines["a"].get_ydata().tolist() == pytest.approx([0.62, 0.71])
    assert lines["linear"].get_ydata().tolist() == [0.65, 0.66]
    points = [c for c in axes.collections if len(c.get_offsets()) in (2, 4) and c.get_sizes().size]
    assert sum(len(c.get_offsets()) for c in points) == 6
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["100", "400"]


def test_files_are_the_same_again(tmp_path):
    RUNS.to_csv(tmp_path / "runs.csv", index=False)
    written = []
    for name in ("first", "second"):
        svg, png = tmp_path / f"{name}.svg", tmp_path / f"{name}.png"
        plot_curves.main(
            curves=tmp_path / "runs.csv", dataset="d", experiments=["a", "linear"], svg=svg, png=png
        )
        written.append((svg.read_bytes(), png.read_bytes()))
    assert written[0] == written[1]
