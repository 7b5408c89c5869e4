import numpy as np
import pandas as pd
import pytest
import synthetic_study
from scipy import stats

import compare_experiments
from seedwise.errors import UserError


def compare(folders, output):
    compare_experiments.main(
        metrics=[folder / "metrics.json" for folder in folders],
        predictions=[folder / "predictions.csv" for folder in folders],
        output=output,
    )
    return pd.read_csv(output)


def correctness(results, experiment):
    tables = [
        pd.read_csv(results / "runs" / experiment / f"seed-{seed}" / "predictions.csv")
        for seed in (0, 1, 2)
    ]
    return np.array([table["label"] == table["prediction"] for table in tables]).T


def test_every_pair_once_with_effect_interval_and_p_values(tmp_path):
    table = compare(synthetic_study.write_study(tmp_path), tmp_path / "comparisons.csv")
    assert list(zip(table["experiment_a"], table["experiment_b"], strict=True)) == [
        ("fairseq-pretrained", "fairseq-random"),
        ("fairseq-pretrained", "transformers-pretrained"),
        ("fairseq-random", "transformers-pretrained"),
    ]
    assert table["difference"].tolist() == pytest.approx([-0.55 / 3, -0.01, 0.52 / 3])
    assert (table["ci_low"] < table["difference"]).all()
    assert (table["difference"] < table["ci_high"]).all()
    assert (table["p_holm"] >= table["p_value"]).all()
    assert table["test"].nunique() == 1


def test_against_scipy_and_a_permutation_test_written_out(tmp_path):
    table = compare(synthetic_study.write_study(tmp_path), tmp_path / "comparisons.csv")
    row = table.iloc[1]
    a, b = (correctness(tmp_path, name) for name in (row["experiment_a"], row["experiment_b"]))
    per_text = b.mean(axis=1) - a.mean(axis=1)
    rng = np.random.default_rng(7)
    flipped = [abs((per_text * rng.choice([-1, 1], per_text.size)).sum()) for _ in range(20_000)]
    p_value = np.mean(np.array(flipped) >= abs(per_text.sum()) - 1e-9)
    assert row["p_value"] == pytest.approx(p_value, abs=0.015)
    seeds = stats.ttest_rel(b.mean(axis=0), a.mean(axis=0)).confidence_interval(0.95)
    assert (row["seeds_ci_low"], row["seeds_ci_high"]) == pytest.approx((seeds.low, seeds.high))


def test_same_bytes_again(tmp_path):
    folders = synthetic_study.write_study(tmp_path)
    compare(folders, tmp_path / "a.csv")
    compare(folders, tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_one_experiment_has_no_pairs_but_a_header(tmp_path):
    table = compare(synthetic_study.write_study(tmp_path)[:3], tmp_path / "comparisons.csv")
    assert table.empty
    assert "p_holm" in table.columns


def test_refuses_other_texts(tmp_path):
    folders = synthetic_study.write_study(tmp_path)
    path = folders[4] / "predictions.csv"
    path.write_text(path.read_text().replace("test-7,", "test-x,"))
    with pytest.raises(UserError, match="other test texts or labels") as error:
        compare(folders, tmp_path / "comparisons.csv")
    assert str(path) in str(error.value)
