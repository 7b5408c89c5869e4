"""What a search would have found with fewer candidates: expected validation performance."""

import numpy as np
from scipy.special import comb

from seedwise.results.statistics import RESAMPLES, TAILS


def _weights(count: int) -> np.ndarray:
    """Return how likely each order statistic is the largest of k drawn, shape (count, k).

    Of all ``C(n, k)`` ways to draw k of n values without replacement, ``C(i - 1, k - 1)`` have the
    i-th smallest as their largest.
    """
    orders, budgets = np.arange(1, count + 1)[:, None], np.arange(1, count + 1)[None, :]
    return comb(orders - 1, budgets - 1) / comb(count, budgets)


def expected_best(values: np.ndarray) -> np.ndarray:
    """Return the expected largest of k of these ``values``, for k = 1 to their number.

    The unbiased estimator of Tang et al. 2020, "Showing Your Work Doesn't Always Work" (ACL): the
    mean over all subsets of k values, without drawing any.
    """
    return np.sort(values) @ _weights(len(values))


def expected_best_interval(values: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % percentile bootstrap interval of each of `expected_best`.

    The candidates are resampled; with few of them the interval is too narrow, as every bootstrap.
    """
    drawn = np.random.default_rng(seed).choice(values, (RESAMPLES, len(values)))
    expected = np.sort(drawn, axis=1) @ _weights(len(values))
    low, high = np.quantile(expected, TAILS, axis=0)
    return low, high
