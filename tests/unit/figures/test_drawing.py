import pytest
from matplotlib import pyplot as plt

from seedwise.figures.drawing import WIDTH, add_legend, looks, use_style


@pytest.mark.parametrize("count", [12, 24])
def test_colour_and_marker_never_repeat(count):
    found = looks([f"experiment-{i}" for i in range(count)])
    assert len({(look["color"], look["marker"]) for look in found.values()}) == count
    # In grey, the first thirteen differ by their markers alone.
    assert len({look["marker"] for look in found.values()}) == min(count, 13)


@pytest.mark.parametrize(("names", "columns"), [(["a"] * 3, 2), (["long" * 12] * 3, 1)])
def test_legend_fits_the_width(names, columns):
    use_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 3))
    legend = add_legend(figure, axes.plot([[0] * len(names)] * 2), names)
    figure.canvas.draw()
    plt.close(figure)
    assert legend._ncols == columns
    assert legend.get_window_extent().x1 <= figure.bbox.x1
