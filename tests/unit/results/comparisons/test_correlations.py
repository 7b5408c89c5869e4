import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error

from seedwise.results import correlations, statistics


def simulated(texts=60, noises=(0.5, 1.0), seeds=3, seed=0):
    """Return scores from 0 to 5, in halves, and what experiments of so much noise predict."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 11, texts) / 2
    return scores, [scores[:, None] + rng.normal(0, noise, (texts, seeds)) for noise in noises]


def reference(scores, predicted):
    """Return the three measures of one run, as scipy and scikit-learn have them."""
    return [
        stats.pearsonr(scores, predicted).statistic,
        stats.spearmanr(scores, predicted).statistic,
        mean_absolute_error(scores, predicted),
    ]


@pytest.mark.parametrize("offset", [0, 1e6])
def test_measures_are_those_of_scipy_and_scikit_learn(offset):
    scores, predictions = simulated()
    scores = scores + offset
    for own, predicted in zip(
        correlations.score(scores, [p + offset for p in predictions]), predictions, strict=True
    ):
        expected = np.transpose([reference(scores, run + offset) for run in predicted.T])
        np.testing.assert_allclose(own.values, expected, atol=1e-8)


def test_what_is_constant_goes_with_nothing():
    scores, _ = simulated()
    (own,) = correlations.score(scores, [np.full((len(scores), 1), 2.1)])
    assert own.values[:2].tolist() == [[0], [0]]
    assert own.values[2, 0] == pytest.approx(abs(scores - 2.1).mean())


def test_intervals_are_those_of_resampling_rows():
    scores, (one, other) = simulated(seeds=1)
    a, b = correlations.score(scores, [one, other])
    found = correlations.intervals(a, b)
    rng = np.random.default_rng(1)
    ranks = [stats.rankdata(values) for values in (scores, one[:, 0], other[:, 0])]
    drawn = []
    for _ in range(4000):
        rows = rng.integers(0, len(scores), len(scores))
        drawn.append(
            [
                np.corrcoef(scores[rows], other[rows, 0])[0, 1]
                - np.corrcoef(scores[rows], one[rows, 0])[0, 1],
                np.corrcoef(ranks[0][rows], ranks[2][rows])[0, 1]
                - np.corrcoef(ranks[0][rows], ranks[1][rows])[0, 1],
                abs(scores - other[:, 0])[rows].mean() - abs(scores - one[:, 0])[rows].mean(),
            ]
        )
    expected = np.quantile(drawn, [0.025, 0.975], axis=0)
    width = expected[1] - expected[0]
    assert (abs(found - expected) < 0.1 * width).all()


def test_p_values_are_those_of_exchanging_predictions():
    scores, (one, other) = simulated(noises=(0.9, 1.0), seeds=1, texts=40)
    a, b = correlations.score(scores, [one, other])
    found = correlations.permutation_p_values(a, b)
    rng = np.random.default_rng(1)

    def difference(x, y):
        r = [np.corrcoef(scores, values)[0, 1] for values in (x, y)]
        errors = [abs(scores - values).mean() for values in (x, y)]
        return abs(r[1] - r[0]), abs(errors[1] - errors[0])

    errors = [abs(scores - values[:, 0]) for values in (one, other)]
    x, y = (values[:, 0] - values.mean() for values in (one, other))
    observed = difference(x, y)[0], abs(errors[1].mean() - errors[0].mean())
    drawn = []
    for _ in range(4000):
        turned = rng.random(len(scores)) < 0.5
        signed = np.where(turned, -1, 1) * (errors[1] - errors[0])
        swapped = np.where(turned, y, x), np.where(turned, x, y)
        drawn.append((difference(*swapped)[0], abs(signed.mean())))
    expected = (np.array(drawn) >= observed).mean(axis=0)
    np.testing.assert_allclose(found[[0, 2]], expected, atol=0.025)


def test_equal_experiments_are_rarely_told_apart():
    """Under the null hypothesis, p-values below 0.1 come about as often as one in ten."""
    small = 0
    for seed in range(60):
        scores, sides = simulated(noises=(1.0, 1.0), seeds=2, texts=30, seed=seed)
        small += correlations.permutation_p_values(*correlations.score(scores, sides)) < 0.1
    assert (small <= 13).all()


def test_few_texts_at_once_give_measures_alike(monkeypatch):
    scores, sides = simulated(texts=20)
    whole = correlations.score(scores, sides)
    monkeypatch.setattr(statistics, "_DRAWN", 20 * 500)
    parts = correlations.score(scores, sides)
    assert (parts[0].values == whole[0].values).all()
    low, high = np.quantile(parts[0].resampled[:, 0].mean(axis=1), [0.025, 0.975])
    expected = np.quantile(whole[0].resampled[:, 0].mean(axis=1), [0.025, 0.975])
    np.testing.assert_allclose([low, high], expected, atol=0.02)


def test_some_runs_alone():
    scores, sides = simulated()
    whole = correlations.score(scores, sides)[0]
    part = whole.of([2, 0])
    assert (part.values == whole.values[:, [2, 0]]).all()
    assert part.exchanged.shape == (statistics.RESAMPLES, 7, 2)
