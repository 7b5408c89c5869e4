"""How probable it is that a run of one experiment beats one of another."""

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


def interval(a: np.ndarray, b: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of `probability`, the runs resampled.

    NaN twice where neither experiment has several runs.
    """
    if max(len(a), len(b)) < 2:
        return float("nan"), float("nan")
    rng, wins = np.random.default_rng(seed), _wins(a, b)
    times = [
        rng.multinomial(len(scores), np.full(len(scores), 1 / len(scores)), RESAMPLES)
        for scores in (a, b)
    ]
    found = ((times[0] @ wins) * times[1]).sum(axis=1) / wins.size
    low, high = np.quantile(found, TAILS)
    return float(low), float(high)
