import numpy as np
import pytest

from seedwise.results import ranks


def runs(texts, *accuracies, seeds=3, seed=0):
    """Return experiments of these accuracies, as right on the same texts as chance has it."""
    rng = np.random.default_rng(seed)
    return [rng.random((texts, seeds)) < accuracy for accuracy in accuracies]


def rank(datasets):
    """Return the ranking by accuracy."""
    rng = np.random.default_rng(0)
    return ranks.rank([ranks.by_accuracy(right, rng) for right in datasets], rng)


def test_the_unit_is_the_spread_of_a_run():
    """Between seeds and by the texts: that of accuracies simulated with both."""
    rng = np.random.default_rng(1)
    accuracies = rng.normal(0.8, 0.02, size=4000)
    measured = rng.binomial(500, accuracies) / 500
    right = [rng.random((500, 4)) < rng.normal(0.8, 0.02, size=4) for _ in range(400)]
    # The variance between seeds holds that of the texts, too: twice, as each seed draws its own.
    texts = 0.8 * 0.2 / 500
    expected = np.sqrt(measured.var() + texts)
    assert ranks.pooled_deviation(right) == pytest.approx(expected, rel=0.05)


def test_one_run_has_the_spread_of_its_texts():
    right = [np.arange(100)[:, None] < 90]
    assert ranks.pooled_deviation(right) == pytest.approx(np.sqrt(0.9 * 0.1 / 100))


def test_scores_by_hand():
    """Two data sets of 100 texts, one run each: 90, 80 and 80, 90 right, and 50, 50."""
    rows = np.arange(100)[:, None]
    datasets = [[rows < 90, rows < 80, rows < 50], [rows < 80, rows < 90, rows < 50]]
    unit = np.sqrt((0.09 + 0.16 + 0.25) / 3 / 100)
    found = rank(datasets)
    assert found.score == pytest.approx([1 + 0.05 / unit, 1 + 0.05 / unit, 1 + 0.4 / unit])
    assert found.place.tolist() == [1, 1, 3]
    assert (found.low <= found.score).all() and (found.score <= found.high).all()


def test_texts_are_resampled_together():
    """The interval of a mean accuracy is that of resampling whole rows with numpy."""
    right = runs(300, 0.7, 0.9)
    drawn = ranks.resampled(right, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    rows = rng.integers(300, size=(4000, 300))
    shares = np.stack([own.mean(axis=1) for own in right], axis=1)
    other = shares[rows].mean(axis=1)
    assert drawn.shape == (ranks.RESAMPLES, 2)
    assert np.quantile(drawn, [0.025, 0.5, 0.975], axis=0) == pytest.approx(
        np.quantile(other, [0.025, 0.5, 0.975], axis=0), abs=0.004
    )
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(np.corrcoef(other.T)[0, 1], abs=0.06)


def test_in_parts_texts_are_drawn_alike(monkeypatch):
    right = runs(200, 0.7, 0.9)
    whole = ranks.resampled(right, np.random.default_rng(0))
    monkeypatch.setattr(ranks, "_AT_ONCE", 5000)
    assert (ranks.resampled(right, np.random.default_rng(0)) == whole).all()


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_a_clear_order_and_equals(order):
    accuracies = np.array([0.9, 0.8, 0.8])[order]
    datasets = [runs(2000, *accuracies, seed=n) for n in range(4)]
    assert rank(datasets).place.tolist() == np.array([1, 2, 2])[order].tolist()
    assert rank(datasets).score[order.index(0)] == 1


def test_nobody_errs():
    right = [np.ones((50, 2)), np.ones((50, 1))]
    found = rank([right, right])
    assert found.score.tolist() == [1, 1] and found.place.tolist() == [1, 1]


def test_equal_experiments_share_a_place_nearly_always():
    """Of experiments alike, about one in twenty pairs is said to differ."""
    apart = sum(
        rank([runs(200, 0.8, 0.8, seed=3 * n + d) for d in range(3)]).place.max() > 1
        for n in range(100)
    )
    assert apart <= 10
