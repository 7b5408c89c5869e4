import numpy as np
from matplotlib import pyplot as plt

import plot_scores
from seedwise.figures.drawing import use_style

TRUTH = np.array([0.0, 1.0, 2.5, 5.0])


def test_a_panel_each_with_its_points_and_correlation():
    use_style()
    found = {"one": TRUTH * 0.8 + 0.5, "two": np.array([2.0, 1.0, 3.0, 1.0])}
    figure = plot_scores.plot(TRUTH, found, ["one", "two"])
    panels = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title().split("\n")[1] for axes in panels] == ["r = 1.000", "r = -0.220"]
    np.testing.assert_allclose(panels[0].collections[0].get_offsets()[:, 1], found["one"])
    plt.close(figure)
