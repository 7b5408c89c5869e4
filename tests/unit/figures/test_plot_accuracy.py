from itertools import pairwise

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import PathCollection

import aggregate_runs
import plot_accuracy
from seedwise.figures.drawing import looks, use_style
from seedwise.study.reporting import published
from support import synthetic_study

EXPERIMENTS = list(synthetic_study.CONFIG["experiments"])


@pytest.fixture
def tables(tmp_path):
    folders = synthetic_study.write_study(tmp_path)
    paths = tmp_path / "runs.csv", tmp_path / "summary.csv"
    aggregate_runs.main(
        metrics=[folder / "metrics.json" for folder in folders],
        audits={},
        published=published(synthetic_study.CONFIG),
        candidates={},
        varied={},
        runs_output=paths[0],
        summary_output=paths[1],
    )
    return paths


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_same_bytes_for_the_same_tables(tables, tmp_path):
    runs, summary = tables
    drawn = []
    for name in "ab":
        svg, png = tmp_path / f"{name}.svg", tmp_path / f"{name}.png"
        plot_accuracy.main(runs=runs, summary=summary, experiments=EXPERIMENTS, svg=svg, png=png)
        drawn.append((svg.read_bytes(), png.read_bytes()))
    assert drawn[0] == drawn[1]


def test_every_seed_is_a_point_beside_mean_and_published(tables):
    runs, summary = map(pd.read_csv, tables)
    figure = plot_accuracy.plot(runs, summary, EXPERIMENTS)
    points = [len(group.get_offsets()) for group in figure.axes[0].collections[:1]]
    assert points == [3]
    assert legend(figure) == ["one seed", "mean, 95 % interval", "published, ± 1 std"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == EXPERIMENTS


def test_nothing_published_nothing_said(tables):
    runs, summary = map(pd.read_csv, tables)
    summary[["published_mean", "published_std"]] = float("nan")
    assert legend(plot_accuracy.plot(runs, summary, EXPERIMENTS)) == [
        "one seed",
        "mean, 95 % interval",
    ]


def test_one_seed_has_no_interval_but_is_drawn(tables):
    runs, summary = map(pd.read_csv, tables)
    summary[["ci_low", "ci_high"]] = float("nan")
    figure = plot_accuracy.plot(runs[runs["seed"] == 0], summary, EXPERIMENTS)
    assert [len(group.get_offsets()) for group in figure.axes[0].collections[:1]] == [1]


def test_intervals_beyond_all_accuracies_do_not_stretch_the_axis(tables):
    runs, summary = map(pd.read_csv, tables)
    summary[["ci_low", "ci_high"]] = -0.5, 2.3
    left, right = plot_accuracy.plot(runs, summary, EXPERIMENTS).axes[0].get_xlim()
    assert -0.05 < left < 0 and 1 < right < 1.05


def large(count):
    tables = synthetic_study.many_experiments(count)
    names = list(dict.fromkeys(tables["runs"]["experiment"]))
    use_style()
    figure = plot_accuracy.plot(tables["runs"], tables["summary"], names)
    figure.canvas.draw()
    plt.close(figure)
    return names, figure


@pytest.mark.parametrize("count", [12, 24])
def test_many_long_names_stand_clear_of_each_other(count):
    names, figure = large(count)
    (axes,) = figure.axes
    labels = axes.get_yticklabels()
    boxes = [label.get_window_extent() for label in labels]
    assert all(above.y0 >= below.y1 - 1 for above, below in pairwise(boxes))
    assert min(box.x0 for box in boxes) >= 0
    assert axes.get_window_extent().width > 0.6 * figure.bbox.width
    means = [line for line in axes.lines if line.get_marker() != "None"]
    drawn = [{"color": line.get_color(), "marker": line.get_marker()} for line in means]
    assert drawn == [looks(names)[name] for name in names]


def test_what_is_deterministic_has_no_spread_and_the_commonest_label_is_a_line():
    names, figure = large(3)
    (axes,) = figure.axes
    labels = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    assert labels[-1] == f"{names[-1]} (deterministic)" and len(labels) == 3
    seeds = [group for group in axes.collections if isinstance(group, PathCollection)]
    intervals = [line for line in axes.lines if len(line.get_xdata()) == 2]
    assert [len(group.get_offsets()) for group in seeds] == [3, 3] and len(intervals) == 2
    assert legend(figure)[-1] == "commonest label"
