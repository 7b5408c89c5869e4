from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from seedwise.results import search


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_expected_best_is_the_mean_over_all_subsets(count):
    values = np.random.default_rng(count).normal(size=count)
    values[count // 2] = values[0]  # a tie
    every = [np.mean([max(s) for s in combinations(values, k)]) for k in range(1, count + 1)]
    np.testing.assert_allclose(search.expected_best(values), every, atol=1e-12)


def test_its_interval_is_the_percentile_bootstrap_of_scipy():
    values = np.random.default_rng(0).normal(size=6)
    low, high = search.expected_best_interval(values)

    def expected(sample, axis):
        assert axis == -1
        return np.apply_along_axis(lambda v: search.expected_best(v)[2], -1, sample)

    other = stats.bootstrap(
        [values], expected, vectorized=True, method="percentile", n_resamples=9999, rng=1
    ).confidence_interval
    assert low[2] == pytest.approx(other.low, abs=0.08)
    assert high[2] == pytest.approx(other.high, abs=0.08)
    assert (low <= high).all() and high[-1] == values.max()


def test_a_single_candidate_has_no_width():
    low, high = search.expected_best_interval(np.array([0.8]))
    assert low == high == 0.8
