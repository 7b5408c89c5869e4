import pandas as pd
import pytest
from matplotlib import pyplot as plt

import plot_ranks
from seedwise.figures.drawing import use_style

RANKS = pd.DataFrame(
    {
        "experiments": ["tuned", "linear"],
        "score": [1.0, 3.5],
        "ci_low": [1.0, 2.0],
        "ci_high": [1.5, 5.0],
        "place": [1, 2],
        "mean_a": [0.9, 0.8],
        "distance_a": [0.0, 1.0],
        "distance_b": [0.0, 4.0],
    }
)


def test_scores_intervals_and_each_data_set(tmp_path):
    use_style()
    figure = plot_ranks.plot(RANKS)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["tuned", "linear"]
    first, second, mean = (line.get_xdata().tolist() for line in axes.lines)
    assert (first, second, mean) == ([1.0, 2.0], [1.0, 5.0], [1.0, 3.5])
    (bars,) = axes.collections
    assert [segment[:, 0].tolist() for segment in bars.get_segments()] == [[1.0, 1.5], [2.0, 5.0]]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["all data sets, 95 % interval", "a", "b"]
    plt.close(figure)


def test_same_bytes_again(tmp_path):
    RANKS.to_csv(tmp_path / "ranks.csv", index=False)
    for name in "ab":
        figures = {kind: tmp_path / f"{name}.{kind}" for kind in ("svg", "png")}
        plot_ranks.main(ranks=tmp_path / "ranks.csv", **figures)
    for kind in ("svg", "png"):
        one, other = ((tmp_path / f"{name}.{kind}").read_bytes() for name in "ab")
        assert one == other and len(one) > 1000


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")
