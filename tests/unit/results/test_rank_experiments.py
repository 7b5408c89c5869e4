import json

import pandas as pd
import pytest

import rank_experiments
from seedwise.errors import UserError

KINDS = {"linear": {"a": "a-linear", "b": "b-linear"}, "tuned": {"a": "a-tuned", "b": "b-tuned"}}
RIGHT = {"a-linear": [7], "a-tuned": [9, 8], "b-linear": [6], "b-tuned": [6, 6]}


@pytest.fixture
def files(tmp_path):
    metrics, predictions = [], []
    for experiment, counts in RIGHT.items():
        for seed, right in enumerate(counts):
            folder = tmp_path / experiment / f"seed-{seed}"
            folder.mkdir(parents=True)
            rows = [
                (f"{experiment[0]}:{n}", "x", "x" if n < right else "y", 0.5) for n in range(10)
            ]
            table = pd.DataFrame(rows, columns=["id", "label", "prediction", "probability_x"])
            table.assign(probability_y=0.5).to_csv(folder / "predictions.csv", index=False)
            run = {"experiment": experiment, "seed": seed, "test_accuracy": right / 10}
            (folder / "metrics.json").write_text(json.dumps(run))
            metrics.append(folder / "metrics.json")
            predictions.append(folder / "predictions.csv")
    return {"metrics": metrics, "predictions": predictions}


def test_the_table(files, tmp_path):
    rank_experiments.main(**files, experiments=KINDS, output=tmp_path / "ranks.csv")
    table = pd.read_csv(tmp_path / "ranks.csv")
    assert list(table) == [
        "experiments", "score", "ci_low", "ci_high", "place", "mean_a", "std_a", "mean_b", "std_b",
        "distance_a", "distance_b",
    ]  # fmt: skip
    assert table["experiments"].tolist() == ["tuned", "linear"]
    assert table["mean_a"].tolist() == pytest.approx([0.85, 0.7])
    assert table["std_a"].tolist() == pytest.approx([0.05, 0])
    assert table["mean_b"].tolist() == pytest.approx([0.6, 0.6]) and table["score"][0] == 1
    first = (tmp_path / "ranks.csv").read_bytes()
    rank_experiments.main(**files, experiments=KINDS, output=tmp_path / "ranks.csv")
    assert (tmp_path / "ranks.csv").read_bytes() == first


def test_other_texts_are_refused(files, tmp_path):
    path = files["predictions"][1]
    path.write_text(path.read_text().replace("a:3", "a:33"))
    with pytest.raises(UserError, match="other test texts"):
        rank_experiments.main(**files, experiments=KINDS, output=tmp_path / "ranks.csv")
