"""Macro F1 of experiments side by side: a paired permutation test, a bootstrap over texts."""

import numpy as np

from seedwise.results.statistics import RESAMPLES, TAILS

EXACT_TEXTS = 13
"""Up to so many texts that tell two experiments apart, all 2^n exchanges are tried."""

LARGE_TEXTS = 10_000
"""From so many texts on, sums over resampled texts are drawn from a normal distribution.

It has their mean and covariance, and they are as good as normal.
"""

_CHUNK = 500  # resamples at once
_CHUNKS = [_CHUNK] * (RESAMPLES // _CHUNK) + [RESAMPLES % _CHUNK]


def contributions(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Return what each text adds to the counts from which F1 is computed.

    Args:
        labels: Class of each text, shape (texts,).
        predictions: Class that each run predicts, shape (texts, seeds).
        classes: All labels there are, K.

    Returns:
        1 where the text is rightly predicted as a class, and where it is predicted as that class,
        shape (texts, 2 * seeds * K).
    """
    predicted = predictions[..., None] == np.arange(classes)
    right = predicted & (labels[:, None, None] == np.arange(classes))
    return np.stack([right, predicted], axis=1).reshape(len(labels), -1).astype(np.float32)


def macro_f1(counts: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Return macro F1, the mean over seeds, from sums of `contributions`.

    Args:
        counts: Shape (..., 2 * seeds * K).
        labelled: Texts of each class, shape (..., K). One that nobody names has an F1 of 0.
    """
    classes = labelled.shape[-1]
    right, predicted = np.moveaxis(counts.reshape(*counts.shape[:-1], 2, -1, classes), -3, 0)
    scores = 2 * right / np.maximum(1, predicted + labelled[..., None, :])
    return scores.mean(axis=(-1, -2))


def permutation_p_value(
    a: np.ndarray, b: np.ndarray, labelled: np.ndarray, seed: int = 0
) -> tuple[float, str]:
    """Return the two-sided p-value of the difference of two experiments, and how it was found.

    If they were equally good, each text's predictions could as well have been exchanged between
    them. Every exchange is tried where only `EXACT_TEXTS` texts or fewer differ; otherwise they
    are drawn at random, and the one observed counts among them (Phipson & Smyth 2010), so that no
    p-value is zero.

    Args:
        a: `contributions` of the first experiment.
        b: Of the second.
        labelled: Texts of each class, shape (K,).
        seed: Of the draws.
    """
    total_a, total_b = a.sum(axis=0), b.sum(axis=0)
    change = (b - a)[(a != b).any(axis=1)]
    observed = abs(macro_f1(total_b, labelled) - macro_f1(total_a, labelled)) - 1e-12
    texts = len(change)

    def at_least(moved: np.ndarray) -> int:
        found = macro_f1(total_b - moved, labelled) - macro_f1(total_a + moved, labelled)
        return int((abs(found) >= observed).sum())

    if texts <= EXACT_TEXTS:
        every = (np.arange(2**texts)[:, None] >> np.arange(texts)) & 1
        return at_least(every.astype(np.float32) @ change) / 2**texts, "exact"
    rng = np.random.default_rng(seed)
    if texts >= LARGE_TEXTS:
        wide = change.astype(float)
        count = at_least(_normal(rng, wide.sum(axis=0) / 2, wide.T @ wide / 4))
        return (1 + count) / (1 + RESAMPLES), f"{RESAMPLES} random exchanges, as normal sums"
    exchanges = (rng.integers(0, 2, (size, texts), np.int8) for size in _CHUNKS)
    count = sum(at_least(exchange.astype(np.float32) @ change) for exchange in exchanges)
    return (1 + count) / (1 + RESAMPLES), f"{RESAMPLES} random exchanges"


def bootstrap_interval(
    a: np.ndarray, b: np.ndarray, labels: np.ndarray, classes: int, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of b's macro F1 less a's, texts resampled.

    Args:
        a: `contributions` of the first experiment.
        b: Of the second.
        labels: Class of each text, shape (texts,).
        classes: All labels there are.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    texts, width = a.shape
    everything = np.hstack([a, b, (labels[:, None] == np.arange(classes)).astype(np.float32)])

    def difference(sums: np.ndarray) -> np.ndarray:
        labelled = sums[:, 2 * width :]
        return macro_f1(sums[:, width : 2 * width], labelled) - macro_f1(sums[:, :width], labelled)

    if texts >= LARGE_TEXTS:
        wide = everything.astype(float)
        total = wide.sum(axis=0)
        found = [difference(_normal(rng, total, wide.T @ wide - np.outer(total, total) / texts))]
    else:
        found = []
        for size in _CHUNKS:
            drawn = rng.integers(0, texts, (size, texts))
            times = np.stack([np.bincount(row, minlength=texts) for row in drawn])
            found.append(difference(times.astype(np.float32) @ everything))
    low, high = np.quantile(np.concatenate(found), TAILS)
    return float(low), float(high)


def _normal(rng: np.random.Generator, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return `RESAMPLES` draws, shape (draws, sums); the covariance may be singular."""
    return rng.multivariate_normal(mean, covariance, RESAMPLES, check_valid="ignore", method="eigh")
