import itertools

import numpy as np
import pytest
from scipy import stats

from seedwise.results import superiority


def runs(count, shift=0.0, seed=0):
    return np.random.default_rng(seed).integers(0, 6, count) / 6 + shift  # with ties


@pytest.mark.parametrize(("n", "m"), [(3, 3), (1, 5), (8, 2), (1, 1)])
def test_probability_is_mann_and_whitneys_u(n, m):
    a, b = runs(n), runs(m, seed=1)
    expected = stats.mannwhitneyu(b, a).statistic / (n * m)
    assert superiority.probability(a, b) == pytest.approx(expected)
    assert superiority.probability(b, a) == pytest.approx(1 - expected)


@pytest.mark.parametrize(("n", "m"), [(3, 3), (1, 4), (4, 2)])
def test_interval_is_that_of_all_resamples(n, m):
    a, b = runs(n), runs(m, seed=1)
    found = [
        superiority.probability(np.array(x), np.array(y))
        for x in itertools.product(a, repeat=n)
        for y in itertools.product(b, repeat=m)
    ]
    # Sampled, a quantile may fall on a neighbouring value of the few that there are.
    low, high = superiority.interval(a, b)
    assert np.quantile(found, 0.02) <= low <= np.quantile(found, 0.03)
    assert np.quantile(found, 0.97) <= high <= np.quantile(found, 0.98)
    assert superiority.interval(a, b) == (low, high)


def test_one_run_each_has_no_interval_and_a_clear_lead_no_doubt():
    assert np.isnan(superiority.interval(runs(1), runs(1))).all()
    assert superiority.interval(runs(3), runs(3, shift=2)) == (1, 1)
