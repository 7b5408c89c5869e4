import pandas as pd

from plot_lora import main, plot
from seedwise.figures.drawing import use_style
from seedwise.training.run_files import read_histories


def write_history(folder, experiment, seed, loss):
    path = folder / experiment / f"seed-{seed}" / "history.csv"
    path.parent.mkdir(parents=True)
    rows = [(0.0, "valid", loss, 0), (1.0, "train", loss - 0.5, 10), (1.0, "valid", loss - 1, 10)]
    pd.DataFrame(rows, columns=["epoch", "split", "loss", "update"]).to_csv(path, index=False)
    return path


def test_a_panel_per_experiment_with_the_mean_over_seeds(tmp_path):
    paths = [write_history(tmp_path, "a", 0, 2.0), write_history(tmp_path, "a", 1, 4.0)]
    paths.append(write_history(tmp_path, "b", 0, 3.0))
    use_style()
    figure = plot(read_histories(paths))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b"]
    means = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    assert list(means["validation"]) == [3.0, 2.0]
    assert list(means["training"]) == [2.5]


def test_the_figure_is_written_twice_with_the_same_bytes(tmp_path):
    path = write_history(tmp_path, "a", 0, 2.0)
    written = []
    for name in "xy":
        main(histories=[path], svg=tmp_path / f"{name}.svg", png=tmp_path / f"{name}.png")
        written.append((tmp_path / f"{name}.svg").read_bytes())
    assert written[0] == written[1]
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
