import pandas as pd
import pytest

import plot_search
from seedwise.results.search import expected_best


@pytest.fixture
def search():
    found = {"a": [0.7, 0.8, 0.75], "b": [0.9]}
    rows = [{"experiment": e, "valid_accuracy": v} for e, values in found.items() for v in values]
    return pd.DataFrame(rows)


def test_a_line_per_searched_experiment_over_the_candidates(search):
    figure = plot_search.plot(search, "accuracy", ["other", "a", "b"])
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["a", "b"]
    assert lines[0].get_xdata().tolist() == [1, 2, 3]
    assert lines[0].get_ydata().tolist() == expected_best(search["valid_accuracy"][:3]).tolist()


def test_of_losses_the_lowest_is_expected(search):
    search["valid_loss"] = 1 - search["valid_accuracy"]
    figure = plot_search.plot(search, "loss", ["a", "b"])
    line, (band, *_) = figure.axes[0].get_lines()[0], figure.axes[0].collections
    found = line.get_ydata()
    assert found[0] == pytest.approx(0.25) and found[-1] == pytest.approx(0.2)
    assert band.get_paths()[0].vertices[:, 1].min() >= 0.2 - 1e-9


def test_files_are_the_same_again(search, tmp_path):
    table = tmp_path / "search.csv"
    search.to_csv(table, index=False)
    written = []
    for name in ("first", "second"):
        svg, png = tmp_path / f"{name}.svg", tmp_path / f"{name}.png"
        plot_search.main(
            search=table, selection="accuracy", experiments=["a", "b"], svg=svg, png=png
        )
        written.append((svg.read_bytes(), png.read_bytes()))
    assert written[0] == written[1]
