import itertools

import pandas as pd

import plot_confusion


def counts(experiments, labels):
    rows = itertools.product(experiments, labels, labels)
    table = pd.DataFrame(rows, columns=["experiment", "label", "prediction"])
    same = table["label"] == table["prediction"]
    return table.assign(dataset="d", texts=same.map({True: 6.0, False: 2.0}))


def test_a_panel_per_experiment_with_shares_of_each_true_label(tmp_path):
    figure = plot_confusion.plot(counts(["x", "y", "z", "w"], ["a", "b", "c"]))
    shown = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in shown] == ["x", "y", "z", "w"]
    texts = [text.get_text() for text in shown[0].texts]
    assert texts == ["60", "20", "20", "20", "60", "20", "20", "20", "60"]
    counts(["x"], ["1", "2"]).to_csv(tmp_path / "confusion.csv", index=False)
    plot_confusion.main(
        confusion=tmp_path / "confusion.csv",
        dataset="d",
        svg=tmp_path / "a.svg",
        png=tmp_path / "a.png",
    )
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")


def test_no_numbers_where_they_could_not_be_read():
    figure = plot_confusion.plot(counts(["x"], [f"label{n}" for n in range(12)]))
    assert not figure.axes[0].texts
