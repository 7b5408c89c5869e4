import plot_training
from seedwise.training.runs import read_histories
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
