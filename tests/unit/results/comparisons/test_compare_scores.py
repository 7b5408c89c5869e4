import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import compare_scores
from seedwise.errors import UserError
from seedwise.predictions.measures import score_measures


@pytest.fixture
def files(tmp_path):
    """Two tuned experiments of three seeds and a deterministic one, from good to bad."""
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, 80).astype(float)
    metrics, predictions = [], []
    for experiment, noise in (("good", 0.5), ("bad", 3.0), ("linear", 1.0)):
        for seed in range(1 if experiment == "linear" else 3):
            folder = tmp_path / experiment / f"seed-{seed}"
            folder.mkdir(parents=True)
            found = scores + rng.normal(0, noise, len(scores))
            table = pd.DataFrame({"id": range(len(scores)), "label": scores, "prediction": found})
            table.to_csv(folder / "predictions.csv", index=False)
            run = {
                "experiment": experiment, "seed": seed, "dataset": "sts", "engine": "x",
                "init": "none" if experiment == "linear" else "random",
            }  # fmt: skip
            own = {f"test_{name}": v for name, v in score_measures(scores, found).items()}
            (folder / "metrics.json").write_text(json.dumps(run | own))
            metrics.append(folder / "metrics.json")
            predictions.append(folder / "predictions.csv")
    return {"metrics": metrics, "predictions": predictions, "output": tmp_path / "out.csv"}


def test_a_row_for_each_pair_and_measure(files):
    compare_scores.main(**files)
    table = pd.read_csv(files["output"])
    assert list(table) == compare_scores.COLUMNS
    assert table["measure"].tolist() == ["pearson", "spearman", "mae"] * 3
    first = table.iloc[0]
    assert (first["experiment_a"], first["experiment_b"]) == ("good", "bad")
    assert first["seeds"] == 3 and first["texts"] == 80
    runs = [pd.read_csv(path) for path in files["predictions"]]
    r = [stats.pearsonr(run["label"], run["prediction"]).statistic for run in runs]
    assert first["mean_a"] == pytest.approx(np.mean(r[:3]))
    assert first["difference"] == pytest.approx(np.mean(r[3:6]) - np.mean(r[:3]))
    assert first["ci_low"] < first["difference"] < first["ci_high"] < 0
    assert first["p_value"] == 1e-4 and first["p_holm"] == pytest.approx(3e-4)
    assert first["p_better"] == 0
    assert (table.loc[table["measure"] != "pearson", "p_better"]).isna().all()
    assert table.loc[2, "difference"] > 0  # of the errors


def test_a_deterministic_run_stands_beside_each_of_the_others(files):
    compare_scores.main(**files)
    table = pd.read_csv(files["output"]).query("experiment_b == 'linear'")
    assert (table["seeds"] == 3).all()


def test_other_scores_are_refused(files):
    path = files["predictions"][1]
    table = pd.read_csv(path)
    table.loc[0, "label"] = 4.5
    table.to_csv(path, index=False)
    with pytest.raises(UserError, match=r"seed-1.*other test texts or labels"):
        compare_scores.main(**files)
