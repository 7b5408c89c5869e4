"""Scores of experiments side by side: correlation and error, resampled and exchanged over texts.

As with macro F1, all experiments on a data set are resampled together. Spearman's correlation is
Pearson's of the ranks, which each run's scores get once, among all texts of the test split.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from seedwise.results.statistics import RESAMPLES, TAILS, resamples

MEASURES = ("pearson", "spearman", "mae")
"""The columns of all that is measured here; of the last, less is better."""


@dataclass(frozen=True)
class Scored:
    """The predictions of one experiment's runs, and what resampling the texts makes of them.

    Attributes:
        terms: What each text adds to the sums from which the `MEASURES` are computed: x, x², xy,
            their like for ranks, and the error; shape (texts, terms, seeds).
        truth: The sums of the texts' own scores and ranks, and of their squares, shape (4,).
        resampled: The measures of each run over each bootstrap resample, shape
            (resamples, measures, seeds).
        exchanged: Sums of ``terms`` over the texts of each random exchange, shape
            (resamples, terms, seeds).
    """

    terms: np.ndarray
    truth: np.ndarray
    resampled: np.ndarray
    exchanged: np.ndarray

    def of(self, seeds: Sequence[int]) -> "Scored":
        """Return the same of some runs alone, given by their places."""
        places = list(seeds)
        return Scored(
            self.terms[:, :, places],
            self.truth,
            self.resampled[:, :, places],
            self.exchanged[:, :, places],
        )

    @property
    def values(self) -> np.ndarray:
        """The measures of each run, shape (measures, seeds)."""
        return measures(self.terms.sum(axis=0), self.truth, len(self.terms))


def contributions(scores: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `Scored.terms`, and what each text adds to `Scored.truth`: shape (texts, 4).

    Args:
        scores: The texts' own, shape (texts,).
        predicted: Those of each run, shape (texts, seeds).
    """
    # Around their means, so that no digits are lost.
    y, x = scores - scores.mean(), predicted - predicted.mean(axis=0)
    middle = (len(scores) + 1) / 2
    ranks_y, ranks_x = rankdata(scores) - middle, rankdata(predicted, axis=0) - middle
    own, ranks = y[:, None], ranks_y[:, None]
    error = abs(predicted - scores[:, None])
    terms = [x, x * x, x * own, ranks_x, ranks_x * ranks_x, ranks_x * ranks, error]
    return np.stack(terms, axis=1), np.stack([y, y * y, ranks_y, ranks_y * ranks_y], axis=1)


def measures(terms: np.ndarray, truth: np.ndarray, texts: int) -> np.ndarray:
    """Return the `MEASURES`, shape (..., measures, seeds); a correlation with a constant is 0.

    Args:
        terms: Sums of `contributions`, shape (..., terms, seeds).
        truth: The same of the texts' own scores, shape (..., 4).
        texts: Over how many they are.
    """
    means, own = terms / texts, truth[..., None] / texts
    found = []
    for first, second in ((0, 0), (3, 2)):
        x, xx, xy = (means[..., first + term, :] for term in range(3))
        y, yy = own[..., second, :], own[..., second + 1, :]
        spread_x, spread_y = xx - x * x, yy - y * y
        constant = (spread_x <= 1e-13 * xx) | (spread_y <= 1e-13 * yy)
        with np.errstate(divide="ignore", invalid="ignore"):
            r = (xy - x * y) / np.sqrt(spread_x * spread_y)
        found.append(np.where(constant, 0.0, np.clip(r, -1, 1)))
    return np.stack([*found, means[..., 6, :]], axis=-2)


def score(scores: np.ndarray, predictions: Sequence[np.ndarray], seed: int = 0) -> list[Scored]:
    """Resample the texts for all experiments on a data set at once.

    Args:
        scores: The texts' own, shape (texts,).
        predictions: For each experiment, the scores that each run predicts, shape (texts, seeds).
        seed: Of the draws.
    """
    texts = len(scores)
    each = [contributions(scores, side) for side in predictions]
    truth = each[0][1]
    resampled = [np.empty((RESAMPLES, len(MEASURES), side.shape[1])) for side in predictions]
    exchanged = [np.empty((RESAMPLES, *terms.shape[1:])) for terms, _ in each]
    for chunk, times, exchange in resamples(texts, seed):
        times, exchange = times.astype(float), exchange.astype(float)
        own = times @ truth
        for (terms, _), found, moved in zip(each, resampled, exchanged, strict=True):
            flat, shape = terms.reshape(texts, -1), (len(times), *terms.shape[1:])
            found[chunk] = measures((times @ flat).reshape(shape), own, texts)
            moved[chunk] = (exchange @ flat).reshape(shape)
    return [
        Scored(terms, truth.sum(axis=0), found, moved)
        for (terms, _), found, moved in zip(each, resampled, exchanged, strict=True)
    ]


def intervals(a: Scored, b: Scored) -> np.ndarray:
    """Return the 95 % percentile bootstrap interval of b's measures less a's: (2, measures)."""
    differences = b.resampled.mean(axis=-1) - a.resampled.mean(axis=-1)
    return np.quantile(differences, TAILS, axis=0)


def permutation_p_values(a: Scored, b: Scored) -> np.ndarray:
    """Return the two-sided p-value of the difference in each measure, shape (measures,).

    If two experiments were equally good, each text's predictions could as well have been exchanged
    between them; the exchange observed counts among the random ones (Phipson & Smyth 2010). The
    means to which predictions are related are those of each run: a run that is off by a constant
    differs in its error alone.
    """
    texts = len(a.terms)
    total_a, total_b = a.terms.sum(axis=0), b.terms.sum(axis=0)
    moved = b.exchanged - a.exchanged
    one, other = (measures(terms, a.truth, texts) for terms in (total_a + moved, total_b - moved))
    apart = abs(other.mean(axis=-1) - one.mean(axis=-1))
    observed = abs(b.values.mean(axis=-1) - a.values.mean(axis=-1))
    return (1 + (apart >= observed - 1e-12).sum(axis=0)) / (1 + RESAMPLES)
