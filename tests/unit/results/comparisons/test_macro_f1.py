import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from seedwise.results import macro_f1, statistics

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


def scored(labels, *sides):
    return macro_f1.score(labels, sides, CLASSES)


@pytest.mark.parametrize("seeds", [1, 3])
def test_macro_f1_is_scikit_learns(seeds):
    labels, a, _ = example(50, seeds)
    labels[labels == 2] = 1  # a label that no text has, but some predictions
    (found,) = scored(labels, a)
    assert found.macro_f1 == pytest.approx(score(labels, a), abs=1e-6)
    assert found.of([0]).macro_f1 == pytest.approx(score(labels, a[:, :1]), abs=1e-6)


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_exact_test_is_a_brute_force_over_all_exchanges(seeds):
    labels, a, b = example(9, seeds, seed=5)
    observed = abs(score(labels, b) - score(labels, a))
    found = []
    for exchanged in itertools.product([False, True], repeat=9):
        swap = np.array(exchanged)[:, None]
        one, other = np.where(swap, b, a), np.where(swap, a, b)
        found.append(abs(score(labels, other) - score(labels, one)) >= observed - 1e-9)
    p_value, how = macro_f1.permutation_p_value(*scored(labels, a, b))
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
    p_value, how = macro_f1.permutation_p_value(*scored(labels, a, b))
    assert p_value == pytest.approx(other.pvalue, abs=0.03) and "9999 random" in how
    assert macro_f1.permutation_p_value(*scored(labels, a, b))[0] == p_value  # the same again


def test_a_deterministic_run_is_exchanged_with_each_of_the_others():
    labels, a, b = example(60, 2)
    one = np.repeat(a[:, :1], 2, axis=1)
    expected = macro_f1.permutation_p_value(*scored(labels, one, b))
    single, several = scored(labels, a[:, :1], b)
    assert macro_f1.permutation_p_value(single.of([0, 0]), several) == expected


def test_equal_experiments_do_not_differ():
    labels, a, _ = example(40, 2)
    (own,) = scored(labels, a)
    assert macro_f1.permutation_p_value(own, own) == (1.0, "exact")
    assert macro_f1.interval(own, own) == (0.0, 0.0)


def test_the_interval_is_scipys_percentile_bootstrap():
    labels, a, b = example(80, 1)

    def difference(rows):
        rows = rows.astype(int)
        return score(labels[rows], b[rows]) - score(labels[rows], a[rows])

    other = stats.bootstrap(
        (np.arange(80),), difference, n_resamples=999, vectorized=False, method="percentile", rng=1
    ).confidence_interval
    low, high = macro_f1.interval(*scored(labels, a, b))
    assert (low, high) == (pytest.approx(other.low, abs=0.02), pytest.approx(other.high, abs=0.02))


def test_an_experiment_beside_others_is_resampled_as_alone():
    labels, a, b = example(60, 2)
    pair, all_three = scored(labels, a, b), scored(labels, a, b, a)
    assert macro_f1.interval(*pair) == macro_f1.interval(*all_three[:2])


def test_few_texts_at_once_give_the_same(monkeypatch):
    labels, a, b = example(60, 2)
    monkeypatch.setattr(statistics, "_DRAWN", 60 * 7)
    low, high = macro_f1.interval(*scored(labels, a, b))
    monkeypatch.undo()
    assert (low, high) == pytest.approx(macro_f1.interval(*scored(labels, a, b)), abs=0.01)
