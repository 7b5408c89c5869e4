import pandas as pd
import pytest

import aggregate_curves
from seedwise.errors import UserError
from seedwise.files import write_json


def run(folder, experiment, seed, texts, accuracy, **others):
    path = folder / experiment / f"seed-{seed}" / "metrics.json"
    found = {
        "experiment": experiment, "engine": "fairseq", "dataset": "d", "seed": seed,
        "train_texts": texts, "valid_accuracy": 0.5, "test_accuracy": accuracy,
        "test_macro_f1": 0.5, "precision": "float32",
    }  # fmt: skip
    write_json(path, found | others)
    return path


def test_a_row_per_run_from_the_smallest_subset_to_all(tmp_path):
    paths = [
        run(tmp_path, "b@20", 0, 20, 0.5),
        run(tmp_path, "b@80", 0, 80, 0.7),  # as many as there are: `b` itself
        run(tmp_path, "b", 0, 80, 0.7),
        run(tmp_path, "a@20", 1, 20, 0.6),
        run(tmp_path, "a@20", 0, 20, 0.55),
        run(tmp_path, "a", 0, 80, 0.9),
    ]
    aggregate_curves.main(metrics=paths, output=tmp_path / "curve.csv")
    table = pd.read_csv(tmp_path / "curve.csv")
    assert list(table) == aggregate_curves.COLUMNS
    assert table[["experiment", "train_texts", "seed", "test_accuracy"]].to_numpy().tolist() == [
        ["b", 20, 0, 0.5], ["b", 80, 0, 0.7],
        ["a", 20, 0, 0.55], ["a", 20, 1, 0.6], ["a", 80, 0, 0.9],
    ]  # fmt: skip


def test_points_of_different_precision_are_refused(tmp_path):
    paths = [
        run(tmp_path, "a@20", 0, 20, 0.6),
        run(tmp_path, "a@20", 1, 20, 0.6, precision="bfloat16"),
    ]
    with pytest.raises(UserError, match="differ in precision"):
        aggregate_curves.main(metrics=paths, output=tmp_path / "curve.csv")
