import numpy as np
import pandas as pd
import pytest
from scipy import stats

import compare_experiments
from seedwise.errors import UserError
from seedwise.files import write_json
from support import ROOT, synthetic_study


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


DEMO = ROOT / "tests" / "data" / "demo"
"""What the default study predicted (a column per run, labels as initials), and its comparisons."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The default study's comparisons, made anew, and who was right: (texts, seeds) by name."""
    predicted = pd.read_csv(DEMO / "predictions.csv", dtype=str)
    folders, right = [], {}
    for run in predicted.columns[2:]:
        experiment, seed = run.split("/")
        folder = tmp_path_factory.mktemp("run")
        table = predicted[["id", "label"]].assign(prediction=predicted[run])
        table[[f"probability_{label}" for label in sorted(set(table["label"]))]] = 0.5
        table.to_csv(folder / "predictions.csv", index=False)
        metrics = {"experiment": experiment, "seed": int(seed), "dataset": "movie-reviews"}
        metrics["engine"] = experiment.partition("-")[0]
        metrics["init"] = "pretrained"
        correct = (table["label"] == table["prediction"]).to_numpy(dtype=float)
        write_json(folder / "metrics.json", metrics | {"test_accuracy": correct.mean()})
        folders.append(folder)
        right.setdefault(experiment, []).append(correct)
    table = compare(folders, tmp_path_factory.mktemp("tables") / "comparisons.csv")
    return table, {name: np.array(runs).T for name, runs in right.items()}


def test_the_default_study_is_what_its_predictions_say(demo):
    recorded = pd.read_csv(DEMO / "comparisons.csv")
    pd.testing.assert_frame_equal(demo[0][recorded.columns], recorded)


def test_the_default_study_against_scipy_called_directly(demo):
    table, right = demo
    assert len(table) == 3
    rng = np.random.default_rng(5)
    for _, row in table.iterrows():
        a, b = (right[row[name]] for name in ("experiment_a", "experiment_b"))
        per_text = b.mean(axis=1) - a.mean(axis=1)
        assert row["texts"] == 2000 and row["seeds"] == 3
        assert row["difference"] == pytest.approx(per_text.mean())
        # A permutation test written out: signs flipped at random, 20,000 times.
        signs = rng.choice(np.array([-1, 1], dtype=np.int8), (20_000, per_text.size))
        sums = np.abs(signs @ np.rint(3 * per_text))
        flipped = np.mean(sums >= abs(np.rint(3 * per_text).sum()))
        assert row["p_value"] == pytest.approx(flipped, abs=4 * np.sqrt(flipped / 20_000) + 2e-4)
        # scipy's, on the two columns of means over seeds.
        test = stats.permutation_test(
            (b.mean(axis=1), a.mean(axis=1)),
            lambda x, y, axis: np.mean(x - y, axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=5000,
            batch=500,
            rng=rng,
        )
        assert row["p_value"] == pytest.approx(test.pvalue, abs=0.02)
        resampled = rng.choice(per_text, (5000, per_text.size)).mean(axis=1)
        interval = np.quantile(resampled, [0.025, 0.975])
        assert [row["ci_low"], row["ci_high"]] == pytest.approx(interval, abs=0.0015)
        seeds = stats.ttest_rel(b.mean(axis=0), a.mean(axis=0)).confidence_interval(0.95)
        assert [row["seeds_ci_low"], row["seeds_ci_high"]] == pytest.approx([*seeds])


def test_the_default_study_is_corrected_for_three_comparisons(demo):
    # Holm by hand: the smallest of three p-values times 3, the next times 2, none below another.
    smallest, middle, largest = sorted(demo[0]["p_value"])
    by_hand = [3 * smallest, max(3 * smallest, 2 * middle), max(2 * middle, largest)]
    assert sorted(demo[0]["p_holm"]) == pytest.approx([min(1, p) for p in by_hand])


LABELS = ["negative", "positive"]


def linear_run(folder, right):
    """Make the run of a linear experiment that gets the texts right which the function says."""
    folder.mkdir(parents=True)
    rows = [
        (f"test-{i}", LABELS[i % 2], LABELS[i % 2 if right(i) else 1 - i % 2], 0.5, 0.5)
        for i in range(synthetic_study.TEXTS)
    ]
    table = pd.DataFrame(
        rows,
        columns=["id", "label", "prediction", *(f"probability_{label}" for label in LABELS)],
    )
    table.to_csv(folder / "predictions.csv", index=False)
    named = {
        "experiment": folder.name,
        "engine": "linear",
        "init": "none",
        "seed": 0,
        "dataset": "reviews",
    }
    write_json(folder / "metrics.json", named | {"test_accuracy": 0.5})
    return folder


def test_a_deterministic_run_stands_beside_each_of_the_others(tmp_path):
    folders = synthetic_study.write_study(tmp_path)
    linear = linear_run(tmp_path / "linear", lambda i: i % 4 > 0)
    row = compare([linear, *folders[:3]], tmp_path / "comparisons.csv").iloc[0]
    assert (row["experiment_a"], row["experiment_b"]) == ("linear", "fairseq-pretrained")
    a, b = np.arange(synthetic_study.TEXTS) % 4 > 0, correctness(tmp_path, "fairseq-pretrained")
    assert row["seeds"] == 3 and row["mean_a"] == 0.75
    per_text = b.mean(axis=1) - a
    assert row["difference"] == pytest.approx(per_text.mean())
    rng = np.random.default_rng(7)
    flipped = [abs((per_text * rng.choice([-1, 1], per_text.size)).sum()) for _ in range(20_000)]
    p_value = np.mean(np.array(flipped) >= abs(per_text.sum()) - 1e-9)
    assert row["p_value"] == pytest.approx(p_value, abs=0.015)
    # Over seeds, only the other's accuracy moves.
    seeds = stats.ttest_1samp(b.mean(axis=0) - 0.75, 0).confidence_interval(0.95)
    assert (row["seeds_ci_low"], row["seeds_ci_high"]) == pytest.approx((seeds.low, seeds.high))


def test_two_deterministic_runs_are_compared_by_mcnemars_test(tmp_path):
    linear = linear_run(tmp_path / "linear", lambda i: i % 4 > 0)
    other = linear_run(tmp_path / "words", lambda i: i % 5 > 0)
    row = compare([linear, other], tmp_path / "comparisons.csv").iloc[0]
    only = [sum(i % m == 0 and i % n > 0 for i in range(400)) for m, n in ((4, 5), (5, 4))]
    assert row["p_value"] == pytest.approx(stats.binomtest(only[0], sum(only)).pvalue)
    assert row["seeds"] == 1 and np.isnan(row["seeds_ci_low"])


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
