import pandas as pd
from matplotlib import pyplot as plt

import plot_training
from seedwise.training.run_files import read_histories
from support import synthetic_study


def draw(folders, to):
    plot_training.main(
        histories=[folder / "history.csv" for folder in folders],
        experiments=list(synthetic_study.CONFIG["experiments"]),
        title="Training",
        svg=to / "training.svg",
        png=to / "training.png",
    )
    return to / "training.svg", to / "training.png"


def test_same_bytes_for_the_same_runs(tmp_path):
    folders = synthetic_study.write_study(tmp_path)[:6]
    first = [path.read_bytes() for path in draw(folders, tmp_path / "a")]
    second = [path.read_bytes() for path in draw(folders, tmp_path / "b")]
    assert first == second
    assert b"<dc:date>" not in first[0]
    assert first[1].startswith(b"\x89PNG")


def test_every_seed_is_a_line_and_the_mean_another(tmp_path):
    folders = synthetic_study.write_study(tmp_path)[:6]
    history = read_histories([folder / "history.csv" for folder in folders])
    figure = plot_training.plot(history, list(synthetic_study.CONFIG["experiments"]))
    axes = figure.axes[0]
    assert len(axes.lines) == 2 * (3 + 1)
    assert len(axes.collections) == 2  # the bands
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["fairseq-pretrained", "fairseq-random"]
    mean = axes.lines[3].get_ydata()
    valid = history.query("split == 'valid' and experiment == 'fairseq-pretrained'")
    assert list(mean) == valid.groupby("epoch")["accuracy"].mean().tolist()


def test_twelve_experiments_have_a_pair_of_colour_and_marker_each():
    names = [f"transformers-xlm-roberta-base-number-{i}" for i in range(12)]
    rows = [(n, s, e, "valid", 0.5) for n in names for s in (0, 1) for e in (1, 2)]
    history = pd.DataFrame(rows, columns=["experiment", "seed", "epoch", "split", "accuracy"])
    figure = plot_training.plot(history, names)
    (axes,) = figure.axes
    means = [line for line in axes.lines if line.get_label() in names]
    assert len({(line.get_color(), line.get_marker()) for line in means}) == 12
    figure.canvas.draw()
    plt.close(figure)
    assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1
    assert axes.get_window_extent().height > 2 * figure.dpi  # inches, as with a few experiments
