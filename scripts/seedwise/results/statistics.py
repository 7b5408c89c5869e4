"""The few statistics of the report: spread and interval over seeds, paired tests over texts."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 9999

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
    """Return the exact two-sided p-value of the paired permutation (sign-flip) test.

    Under the null hypothesis each difference could as well have the other sign, so the sum is
    that of independent ``± |difference|``. Equal sizes are pooled: ``n`` differences of size
    ``k`` add ``k (2 B - n)``, with ``B`` binomial (n, 1/2). Convolving these gives the
    distribution over all ``2^n`` sign changes, without drawing any.

    Args:
        differences: Integers, one per text (correct seeds of one experiment minus the other's).
    """
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    distribution = np.ones(1)  # of the sum, on the integers from -reach to reach
    for size, count in zip(sizes, counts, strict=True):
        part = np.zeros(2 * size * count + 1)
        part[:: 2 * size] = stats.binom.pmf(np.arange(count + 1), count, 0.5)
        distribution = np.convolve(distribution, part)
    reach = len(distribution) // 2
    sums = np.arange(-reach, reach + 1)
    return min(1.0, float(distribution[np.abs(sums) >= abs(int(differences.sum()))].sum()))


def bootstrap_interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean of ``values``, texts resampled."""
    interval = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=100,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number by Holm's step-down method (1979)."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(np.asarray(p_values, dtype=float)[order] * factors)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected.tolist()
