"""How probable it is that a run of one experiment beats one of another."""

from functools import cache

import numpy as np

from seedwise.results.statistics import RESAMPLES, TAILS


def _wins(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 1 where b's run is above a's, 1/2 where they are equal, else 0; shape (a, b)."""
    return (b > a[:, None]) + 0.5 * (b == a[:, None])


def probability(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of all pairs of runs in which b's is the better one, ties as a half.

    The probability of outperforming of Bouthillier et al. 2021, "Accounting for Variance in
    Machine Learning Benchmarks" (MLSys), over all pairs: Mann and Whitney's U by its largest value.

    Args:
        a: Scores of the first experiment's runs, shape (runs,).
        b: Of the second one's.
    """
    return float(_wins(a, b).mean())


def compare(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """Return `probability` and its `interval`, as the tables of comparisons have them."""
    low, high = interval(a, b)
    return {"p_better": probability(a, b), "p_better_low": low, "p_better_high": high}


@cache
def _resamples(*counts: int) -> list[np.ndarray]:
    """Return how often each run is drawn, shape (resamples, runs), for each number of runs.

    The last of ``counts`` is the seed. Pairs of as many runs share the draws.
    """
    *sizes, seed = counts
    rng = np.random.default_rng(seed)
    return [rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(float) for n in sizes]


def interval(a: np.ndarray, b: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of `probability`, the runs resampled.

    NaN twice where neither experiment has several runs.
    """
    if max(len(a), len(b)) < 2:
        return float("nan"), float("nan")
    wins = _wins(a, b)
    times = _resamples(len(a), len(b), seed)
    found = ((times[0] @ wins) * times[1]).sum(axis=1) / wins.size
    low, high = np.quantile(found, TAILS)
    return float(low), float(high)
