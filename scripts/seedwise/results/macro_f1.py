"""Macro F1 of experiments side by side: a paired permutation test, a bootstrap over texts.

All experiments on a data set are resampled together, with the same draws: what a resample makes of
an experiment is computed once, not for each of its comparisons.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedwise.predictions.measures import f1
from seedwise.results.statistics import RESAMPLES, TAILS, resamples

EXACT_TEXTS = 13
"""Up to so many texts that tell two experiments apart, all 2^n exchanges are tried."""


@dataclass(frozen=True)
class Scored:
    """The predictions of one experiment's runs, and what resampling the texts makes of them.

    Attributes:
        counts: What each text adds to the counts from which F1 is computed: 1 where it is rightly
            predicted as a class, and where it is predicted as that class, shape
            (texts, 2, seeds, classes).
        labelled: Texts of each class, shape (classes,).
        resampled: Macro F1 of each run over each bootstrap resample, shape (resamples, seeds).
        exchanged: Sums of ``counts`` over the texts of each random exchange, shape
            (resamples, 2, seeds, classes).
    """

    counts: np.ndarray
    labelled: np.ndarray
    resampled: np.ndarray
    exchanged: np.ndarray

    def of(self, seeds: Sequence[int]) -> "Scored":
        """Return the same of some runs alone, given by their places."""
        if list(seeds) == list(range(self.resampled.shape[1])):
            return self
        return Scored(
            self.counts[:, :, seeds],
            self.labelled,
            self.resampled[:, seeds],
            self.exchanged[:, :, seeds],
        )

    @property
    def total(self) -> np.ndarray:
        """The counts of all texts, shape (2, seeds, classes)."""
        return self.counts.sum(axis=0)

    @property
    def macro_f1(self) -> float:
        """The mean over the runs."""
        return float(macro_f1(self.total, self.labelled).mean())


def contributions(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Return the `Scored.counts` of predictions.

    Args:
        labels: Class of each text, shape (texts,).
        predictions: Class that each run predicts, shape (texts, seeds).
        classes: All labels there are, K.
    """
    predicted = predictions[..., None] == np.arange(classes)
    right = predicted & (labels[:, None, None] == np.arange(classes))
    return np.stack([right, predicted], axis=1).astype(np.float32)


def macro_f1(counts: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Return the macro F1 of each run, shape (..., seeds).

    Args:
        counts: Sums of `contributions`, shape (..., 2, seeds, K).
        labelled: Texts of each class, shape (..., K). One that nobody names has an F1 of 0.
    """
    right, predicted = counts[..., 0, :, :], counts[..., 1, :, :]
    return f1(right, predicted, labelled[..., None, :]).mean(axis=-1)


def _mean_macro_f1(counts: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Return the mean over runs of `macro_f1`, of many ``counts``: a product, which is faster."""
    right, predicted = counts[:, 0], counts[:, 1]
    scores = (right / np.maximum(1, predicted + labelled)).reshape(len(counts), -1)
    return scores @ np.full(scores.shape[1], 2 / scores.shape[1], scores.dtype)


def score(
    labels: np.ndarray, predictions: Sequence[np.ndarray], classes: int, seed: int = 0
) -> list[Scored]:
    """Resample the texts for all experiments on a data set at once.

    Args:
        labels: Class of each text, shape (texts,).
        predictions: For each experiment, the class that each run predicts, shape (texts, seeds).
        classes: All labels there are.
        seed: Of the draws.
    """
    texts = len(labels)
    each = [contributions(labels, side, classes) for side in predictions]
    truth = (labels[:, None] == np.arange(classes)).astype(np.float32)
    resampled = [np.empty((RESAMPLES, side.shape[1])) for side in predictions]
    exchanged = [np.empty((RESAMPLES, *own.shape[1:]), np.float32) for own in each]
    for chunk, times, exchange in resamples(texts, seed):
        count = len(times)
        labelled = times @ truth
        for own, scores, moved in zip(each, resampled, exchanged, strict=True):
            flat, shape = own.reshape(texts, -1), (count, *own.shape[1:])
            scores[chunk] = macro_f1((times @ flat).reshape(shape), labelled)
            moved[chunk] = (exchange @ flat).reshape(shape)
    whole = np.bincount(labels, minlength=classes)
    return [
        Scored(own, whole, scores, moved)
        for own, scores, moved in zip(each, resampled, exchanged, strict=True)
    ]


def interval(a: Scored, b: Scored) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of b's macro F1 less a's, texts resampled."""
    low, high = np.quantile(b.resampled.mean(axis=-1) - a.resampled.mean(axis=-1), TAILS)
    return float(low), float(high)


def permutation_p_value(a: Scored, b: Scored) -> tuple[float, str]:
    """Return the two-sided p-value of the difference of two experiments, and how it was found.

    If they were equally good, each text's predictions could as well have been exchanged between
    them. Every exchange is tried where only `EXACT_TEXTS` texts or fewer differ; otherwise random
    ones are, and the one observed counts among them (Phipson & Smyth 2010), so that no p-value is
    zero. A deterministic run is exchanged with each of the other's.
    """
    observed = abs(b.macro_f1 - a.macro_f1) - 1e-6  # float32
    total_a, total_b = a.total, b.total

    def at_least(moved: np.ndarray) -> int:
        """Count differences as large as the one observed, ``moved`` going from b to a."""
        one, other = (
            _mean_macro_f1(counts, a.labelled) for counts in (total_a + moved, total_b - moved)
        )
        return int((abs(other - one) >= observed).sum())

    differing = (a.counts != b.counts).any(axis=(1, 2, 3))
    if (texts := differing.sum()) <= EXACT_TEXTS:
        change = b.counts[differing] - a.counts[differing]
        every = (np.arange(2**texts)[:, None] >> np.arange(texts)) & 1
        return at_least(np.tensordot(every.astype(np.float32), change, axes=1)) / 2**texts, "exact"
    count = at_least(b.exchanged - a.exchanged)
    return (1 + count) / (1 + RESAMPLES), f"{RESAMPLES} random exchanges"
