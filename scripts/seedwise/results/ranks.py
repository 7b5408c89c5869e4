"""Experiments over several data sets: how far each is behind the best, in units of the spread.

The score is one plus the mean over data sets of that distance, in which one point counts more where
runs and texts differ less (EuroEval's mean rank score): who is best everywhere has 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seedwise.results.correlations import Scored
from seedwise.results.statistics import RESAMPLES, TAILS

_AT_ONCE = 2_000_000  # numbers in memory while texts are resampled


@dataclass(frozen=True)
class Ranking:
    """Scores of experiments; each attribute but the last has the shape (experiments,).

    Attributes:
        score: One plus the mean distance to the best.
        low: Lower end of the 95 % percentile bootstrap interval, data sets and texts resampled.
        high: Upper end.
        place: 1 for the first. Whoever is not shown to be behind the first of a place (the interval
            of their difference holds 0) shares it; the next one counts all before it.
        distances: To the best of each data set, shape (datasets, experiments).
    """

    score: np.ndarray
    low: np.ndarray
    high: np.ndarray
    place: np.ndarray
    distances: np.ndarray


def pooled_deviation(right: Sequence[np.ndarray]) -> float:
    """Return the standard deviation of one run's accuracy, pooled over experiments.

    The variance of a run is that between seeds (0 with one) and that of drawing its texts,
    p (1 - p) / n.

    Args:
        right: For each experiment, 1 where a run is right, else 0; shape (texts, seeds).
    """
    variances = []
    for own in right:
        texts, seeds = own.shape
        accuracy = own.mean(axis=0)
        between = accuracy.var(ddof=1) if seeds > 1 else 0.0
        variances.append(between + (accuracy * (1 - accuracy)).mean() / texts)
    return float(np.sqrt(np.mean(variances)))


def distances(accuracies: np.ndarray, unit: float) -> np.ndarray:
    """Return how far each of ``accuracies``, shape (..., experiments), is below the highest."""
    behind = accuracies.max(axis=-1, keepdims=True) - accuracies
    return behind / unit if unit else np.zeros_like(behind)


def resampled(right: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return the mean accuracies on resampled texts, shape (resamples, experiments).

    Texts on which all experiments are as often right are alike: how often each kind is drawn is
    multinomial.

    Args:
        right: As in `pooled_deviation`; the same texts in all.
        rng: Draws.
    """
    shares = np.stack([own.mean(axis=1) for own in right], axis=1)
    kinds, counts = np.unique(shares, axis=0, return_counts=True)
    size = max(1, _AT_ONCE // len(kinds))
    return np.concatenate(
        [
            rng.multinomial(len(shares), counts / len(shares), min(size, RESAMPLES - begun)) @ kinds
            for begun in range(0, RESAMPLES, size)
        ]
    ) / len(shares)


class OnDataset(NamedTuple):
    """What the experiments reach on one data set.

    Attributes:
        means: The mean over seeds, of which more is better; shape (experiments,).
        unit: The standard deviation of one run, pooled over experiments.
        drawn: The means on resampled texts, shape (resamples, experiments).
    """

    means: np.ndarray
    unit: float
    drawn: np.ndarray


def by_accuracy(right: Sequence[np.ndarray], rng: np.random.Generator) -> OnDataset:
    """Measure experiments by accuracy, the arguments as in `resampled`."""
    means = np.array([own.mean() for own in right])
    return OnDataset(means, pooled_deviation(right), resampled(right, rng))


def by_correlation(scored: Sequence[Scored]) -> OnDataset:
    """Measure experiments by Pearson's correlation.

    The variance of a run is that between seeds and that of its resamples.
    """
    drawn = [own.resampled[:, 0] for own in scored]  # (resamples, seeds)
    found = [own.values[0] for own in scored]
    variances = [
        (own.var(ddof=1) if len(own) > 1 else 0.0) + samples.var(axis=0).mean()
        for own, samples in zip(found, drawn, strict=True)
    ]
    means = np.array([own.mean() for own in found])
    drawn_means = np.stack([own.mean(axis=1) for own in drawn], axis=1)
    return OnDataset(means, float(np.sqrt(np.mean(variances))), drawn_means)


def rank(datasets: Sequence[OnDataset], rng: np.random.Generator) -> Ranking:
    """Rank experiments over data sets.

    Args:
        datasets: The same experiments on each, in the same order.
        rng: Draws data sets.
    """
    found = np.stack([distances(own.means, own.unit) for own in datasets])
    score = 1 + found.mean(axis=0)
    drawn = np.stack([distances(own.drawn, own.unit) for own in datasets])
    chosen = rng.integers(len(datasets), size=(RESAMPLES, len(datasets)))
    scores = 1 + drawn[chosen, np.arange(RESAMPLES)[:, None]].mean(axis=1)
    low, high = np.quantile(scores, TAILS, axis=0)
    place = np.ones(len(score), dtype=int)
    order = np.argsort(score, kind="stable")
    first = order[0]
    for position, own in enumerate(order):
        if np.quantile(scores[:, own] - scores[:, first], TAILS[0]) > 0:
            first, place[own] = own, position + 1
        else:
            place[own] = place[first]
    return Ranking(score, low, high, place, found)
