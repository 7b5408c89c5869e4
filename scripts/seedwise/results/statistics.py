"""The few statistics of the report: spread and interval over seeds, paired tests over texts."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import stats
from scipy.fft import irfft, next_fast_len

from seedwise.study.selection import main_measure

CONFIDENCE = 0.95
TAILS = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
RESAMPLES = 9999
_DRAWN = 40_000_000  # texts drawn at once; their times take four bytes each

P_ERROR = 1e-12
"""How far a p-value of the sign-flip test may be from the exact one, by rounding."""

TEST_NAME = "exact paired permutation test over texts"
TEST_ASSUMPTION = (
    "For every test text, correctness is averaged over the seeds in both experiments; if the "
    "experiments were equally good, each text's difference could as well have had the other "
    "sign. The p-value is the exact share of all such sign changes that give at least the "
    "difference observed (with one seed this is McNemar's exact test), corrected by Holm's method "
    "for the number of comparisons in the table. It assumes that the texts are independent draws "
    "and takes the seeds as given. The interval over texts is a paired percentile bootstrap of "
    "the same differences; the interval over seeds is Student's t on the differences seed by "
    "seed, which says how far new seeds could move the result. Macro F1 is compared by the same "
    "kind of test: each text's predictions are exchanged between the experiments, in all ways "
    "where few texts tell them apart, otherwise in 9,999 random ones."
)

SCORES_ASSUMPTION = (
    "Scores are compared by a paired permutation test over texts: if two experiments were equally "
    "good, what they predict for a text could as well have been exchanged between them, for all "
    "seeds alike. The p-value is the share of 9,999 random exchanges of such texts (and the one "
    "observed) that give at least the difference observed, corrected by Holm's method for the "
    "comparisons by the same measure. The interval over texts is a paired percentile bootstrap, "
    "that over seeds Student's t on the differences seed by seed. Spearman's correlation is that "
    "of ranks which are given once, among all test texts."
)


def measure_of(runs: pd.DataFrame) -> str:
    """Return by what runs on one data set are measured first (`seedwise.study.selection.MAIN`).

    Args:
        runs: A row each; a column of scores is empty where others have scores.
    """
    return main_measure("test_pearson" in runs and bool(runs["test_pearson"].notna().all()))


def student_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % Student-t interval of the mean of ``values``; NaN twice for one value.

    It is built on the sample standard deviation (n - 1), unlike the population standard
    deviation that the study prints.
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    mean = float(np.mean(values))
    half = float(stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return mean - half, mean + half


def sign_flip_p_value(differences: np.ndarray) -> float:
    """Return the two-sided p-value of the paired permutation (sign-flip) test over all changes.

    Under the null hypothesis each difference could as well have the other sign, so the sum is
    that of independent ``± |difference|``. Its characteristic function is the product of
    ``cos(t |difference|)``, equal sizes pooled, and one Fourier transform of that is the
    distribution over all ``2^n`` sign changes, without drawing any. It is computed on nine standard
    deviations to each side; beyond them lies less than 6e-18 (Hoeffding 1963).

    Args:
        differences: Integers, one per text (correct seeds of one experiment minus the other's).

    Returns:
        The p-value, to `P_ERROR`; a smaller one is given as `P_ERROR`.
    """
    observed = abs(int(differences.sum()))
    if not observed:
        return 1.0
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    reach = 1 + int(9 * np.sqrt(counts @ sizes**2))  # of the sums that matter
    if observed > reach:
        return P_ERROR
    points = next_fast_len(2 * reach + 1, real=True)
    angles = np.outer(sizes, np.arange(points // 2 + 1) * (2 * np.pi / points))
    with np.errstate(divide="ignore"):  # where the cosine is 0
        magnitude = np.exp(counts @ np.log1p(-(np.sin(angles) ** 2)) / 2)
    sign = np.where(counts @ (np.cos(angles) < 0) % 2, -1, 1)
    distribution = irfft(sign * magnitude, points)  # of the sums 0, 1, ..., -2, -1
    share = float(distribution[observed : points - observed + 1].sum())
    return min(1.0, max(P_ERROR, share))


def bootstrap_interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean of ``values``, texts resampled.

    Args:
        values: One per text, with few different ones: how often each is drawn is multinomial.
        seed: Of the draws.
    """
    distinct, counts = np.unique(values, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(values), counts / len(values), RESAMPLES)
    low, high = np.quantile(drawn @ distinct / len(values), TAILS)
    return float(low), float(high)


def resamples(texts: int, seed: int) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Yield which of the `RESAMPLES` these are, and two arrays of the shape (resamples, texts).

    The first says how often each text is drawn, the second which texts are exchanged (1) between
    two experiments; both are in float32.
    """
    rng, size = np.random.default_rng(seed), max(1, _DRAWN // texts)
    for start in range(0, RESAMPLES, size):
        chunk = slice(start, min(start + size, RESAMPLES))
        count = chunk.stop - chunk.start
        drawn = (rng.integers(0, texts, texts, np.int32) for _ in range(count))
        times = np.stack([np.bincount(row, minlength=texts).astype(np.float32) for row in drawn])
        yield chunk, times, rng.integers(0, 2, (count, texts), np.int8).astype(np.float32)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number by Holm's step-down method (1979)."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(np.asarray(p_values, dtype=float)[order] * factors)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected.tolist()
