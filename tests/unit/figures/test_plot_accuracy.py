import pandas as pd
import pytest

import aggregate_runs
import plot_accuracy
from seedwise.study.reporting import published
from support import synthetic_study


@pytest.fixture
def tables(tmp_path):
    folders = synthetic_study.write_study(tmp_path)
    paths = tmp_path / "runs.csv", tmp_path / "summary.csv"
    aggregate_runs.main(
        metrics=[folder / "metrics.json" for folder in folders],
        audits={},
        published=published(synthetic_study.CONFIG),
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
        plot_accuracy.main(runs=runs, summary=summary, svg=svg, png=png)
        drawn.append((svg.read_bytes(), png.read_bytes()))
    assert drawn[0] == drawn[1]


def test_every_seed_is_a_point_beside_mean_and_published(tables):
    runs, summary = map(pd.read_csv, tables)
    figure = plot_accuracy.plot(runs, summary)
    points = [len(group.get_offsets()) for group in figure.axes[0].collections[:1]]
    assert points == [3]
    assert legend(figure) == ["one seed", "mean, 95 % interval", "published, ± 1 std"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == list(synthetic_study.CONFIG["experiments"])


def test_nothing_published_nothing_said(tables):
    runs, summary = map(pd.read_csv, tables)
    summary[["published_mean", "published_std"]] = float("nan")
    assert legend(plot_accuracy.plot(runs, summary)) == ["one seed", "mean, 95 % interval"]


def test_one_seed_has_no_interval_but_is_drawn(tables):
    runs, summary = map(pd.read_csv, tables)
    summary[["ci_low", "ci_high"]] = float("nan")
    figure = plot_accuracy.plot(runs[runs["seed"] == 0], summary)
    assert [len(group.get_offsets()) for group in figure.axes[0].collections[:1]] == [1]


def test_intervals_beyond_all_accuracies_do_not_stretch_the_axis(tables):
    runs, summary = map(pd.read_csv, tables)
    summary[["ci_low", "ci_high"]] = -0.5, 2.3
    left, right = plot_accuracy.plot(runs, summary).axes[0].get_xlim()
    assert -0.05 < left < 0 and 1 < right < 1.05
