import numpy as np
import pytest
from sklearn import metrics

from seedwise.results import together
from seedwise.results.mistakes import Predictions

LABELS = ["a", "b", "c"]
TEXTS = 300


def make(experiment, engine="fairseq", seeds=3):
    rng = np.random.default_rng(len(experiment))
    truth = np.random.default_rng(0).integers(0, 3, TEXTS)
    logits = rng.normal(size=(seeds, TEXTS, 3)) + 1.5 * np.eye(3)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    ids = [str(number) for number in range(TEXTS)]
    ones = np.ones(seeds)
    return Predictions("d", experiment, engine, LABELS, ids, truth, probabilities, ones)


def added(*experiments):
    found = together.Together()
    for runs in experiments:
        found.add(runs)
    return found


def test_pairs_agree_as_scikit_learn_has_it(monkeypatch):
    predicted = np.concatenate([make("x").predicted, make("other").predicted])
    for cells in (together._CELLS, 100):  # all texts at once, or some
        monkeypatch.setattr(together, "_CELLS", cells)
        agreement, kappa = together.pairwise(predicted, 3)
        for i, j in np.ndindex(6, 6):
            assert agreement[i, j] == pytest.approx((predicted[i] == predicted[j]).mean())
            expected = metrics.cohen_kappa_score(predicted[i], predicted[j])
            assert kappa[i, j] == pytest.approx(expected)
    # Where all predict one label, chance alone gives 1.
    assert np.isnan(together.pairwise(np.zeros((2, 5), int), 3)[1]).all()


def test_agreement_within_seeds_and_between_engines():
    x, other = make("x"), make("other", "transformers", seeds=2)
    rows = added(x, other, make("y", seeds=1)).agreements()
    pairs = {(row["experiment_a"], row["experiment_b"]): row["pairs"] for row in rows}
    assert pairs == {
        ("x", "x"): 3, ("x", "other"): 6, ("x", "y"): 3,
        ("other", "other"): 1, ("other", "y"): 2,
    }  # fmt: skip
    between = next(row for row in rows if row["experiment_b"] == "other")
    assert (between["engine_a"], between["engine_b"]) == ("fairseq", "transformers")
    both = [(a, b) for a in x.predicted for b in other.predicted]
    assert between["agreement"] == pytest.approx(np.mean([np.mean(a == b) for a, b in both]))
    expected = np.mean([metrics.cohen_kappa_score(a, b) for a, b in both])
    assert between["kappa"] == pytest.approx(expected)
    a, b, c = x.predicted
    expected = np.mean([np.mean(one == two) for one, two in ((a, b), (a, c), (b, c))])
    assert rows[0]["agreement"] == pytest.approx(expected)


def test_always_wrong_means_every_run_of_every_experiment():
    both = [make("x"), make("other")]
    rows = added(*both).always_wrong()
    wrong = {
        str(n)
        for n in range(TEXTS)
        if all(own[n] != runs.truth[n] for runs in both for own in runs.predicted)
    }
    assert {row["id"] for row in rows} == wrong and 0 < len(wrong) < TEXTS
    sureness = [row["probability"] for row in rows]
    assert sureness == sorted(sureness)
    everyone = np.concatenate([runs.probabilities for runs in both])
    first = int(rows[0]["id"])
    assert sureness[0] == pytest.approx(everyone[:, first, both[0].truth[first]].mean())
    assert {row["runs"] for row in rows} == {6}
