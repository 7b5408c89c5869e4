import itertools
import time

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from seedwise.results import macro_f1

CLASSES = 3


def score(labels, predictions):
    """Return macro F1 as scikit-learn has it, the mean over seeds."""
    options = {"labels": range(CLASSES), "average": "macro", "zero_division": 0}
    return np.mean([f1_score(labels, column, **options) for column in predictions.T])


def example(texts, seeds, seed=0):
    """Return labels and two experiments' predictions, the second one better."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(CLASSES, texts, p=[0.7, 0.25, 0.05])
    noise = rng.choice(CLASSES, (2, texts, seeds))
    wrong = rng.random((2, texts, seeds)) < np.array([0.5, 0.25])[:, None, None]
    return labels, *np.where(wrong, noise, labels[None, :, None])


def counted(labels, *sides):
    labelled = np.bincount(labels, minlength=CLASSES)
    return labelled, *(macro_f1.contributions(labels, side, CLASSES) for side in sides)


@pytest.mark.parametrize("seeds", [1, 3])
def test_macro_f1_is_scikit_learns(seeds):
    labels, a, _ = example(50, seeds)
    labels[labels == 2] = 1  # a label that no text has, but some predictions
    labelled, own = counted(labels, a)
    found = macro_f1.macro_f1(own.sum(axis=0), labelled)
    assert found == pytest.approx(score(labels, a), abs=1e-6)


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_exact_test_is_a_brute_force_over_all_exchanges(seeds):
    labels, a, b = example(9, seeds, seed=5)
    observed = abs(score(labels, b) - score(labels, a))
    found = []
    for exchanged in itertools.product([False, True], repeat=9):
        swap = np.array(exchanged)[:, None]
        one, other = np.where(swap, b, a), np.where(swap, a, b)
        found.append(abs(score(labels, other) - score(labels, one)) >= observed - 1e-9)
    labelled, own_a, own_b = counted(labels, a, b)
    p_value, how = macro_f1.permutation_p_value(own_a, own_b, labelled)
    assert p_value == pytest.approx(np.mean(found)) and how == "exact"
    assert 0 < p_value < 1


def test_the_sampled_test_is_that_of_scipy():
    labels, a, b = example(60, 1)

    def statistic(x, y, axis):
        assert x.ndim == 1
        return score(labels, y[:, None]) - score(labels, x[:, None])

    other = stats.permutation_test(
        (a[:, 0], b[:, 0]), lambda x, y: statistic(x, y, 0), permutation_type="samples",
        n_resamples=999, vectorized=False, rng=1,
    )  # fmt: skip
    labelled, own_a, own_b = counted(labels, a, b)
    p_value, how = macro_f1.permutation_p_value(own_a, own_b, labelled)
    assert p_value == pytest.approx(other.pvalue, abs=0.03) and "9999 random" in how
    assert macro_f1.permutation_p_value(own_a, own_b, labelled)[0] == p_value  # the same again


def test_equal_experiments_do_not_differ():
    labels, a, _ = example(40, 2)
    labelled, own = counted(labels, a)
    assert macro_f1.permutation_p_value(own, own, labelled) == (1.0, "exact")
    assert macro_f1.bootstrap_interval(own, own, labels, CLASSES) == (0.0, 0.0)


def test_the_interval_is_scipys_percentile_bootstrap():
    labels, a, b = example(80, 1)

    def difference(rows):
        rows = rows.astype(int)
        return score(labels[rows], b[rows]) - score(labels[rows], a[rows])

    other = stats.bootstrap(
        (np.arange(80),), difference, n_resamples=999, vectorized=False, method="percentile", rng=1
    ).confidence_interval
    _, own_a, own_b = counted(labels, a, b)
    low, high = macro_f1.bootstrap_interval(own_a, own_b, labels, CLASSES)
    assert (low, high) == (pytest.approx(other.low, abs=0.02), pytest.approx(other.high, abs=0.02))


def test_sums_over_many_texts_are_as_good_as_normal(monkeypatch):
    labels, a, _ = example(4000, 2)
    rng = np.random.default_rng(1)
    wrong = rng.random(a.shape) < 0.485  # a difference in doubt
    b = np.where(wrong, rng.choice(CLASSES, a.shape), labels[:, None])
    labelled, own_a, own_b = counted(labels, a, b)
    found = {}
    for name, large in (("resampled", 10_000), ("normal", 1)):
        monkeypatch.setattr(macro_f1, "LARGE_TEXTS", large)
        found[name] = [
            *macro_f1.bootstrap_interval(own_a, own_b, labels, CLASSES),
            macro_f1.permutation_p_value(own_a, own_b, labelled)[0],
        ]
    low, high, p_value = found["resampled"]
    assert 0.02 < p_value < 0.9
    assert found["normal"][:2] == pytest.approx([low, high], abs=(high - low) / 25)
    assert found["normal"][2] == pytest.approx(p_value, abs=0.02)


def test_macro_f1_of_a_hundred_thousand_texts_takes_seconds():
    labels, a, b = example(100_000, 10)
    started = time.process_time()
    labelled, own_a, own_b = counted(labels, a, b)
    low, high = macro_f1.bootstrap_interval(own_a, own_b, labels, CLASSES)
    p_value, how = macro_f1.permutation_p_value(own_a, own_b, labelled)
    assert time.process_time() - started < 20  # 1.5 s
    assert 0 < low < high and p_value == 1 / 10_000 and "normal" in how
