"""What predictions are worth: of classes accuracy and macro F1, of scores correlation and error."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def f1(correct: np.ndarray, predicted: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Return the F1 of each class, shape (..., K): 0 of one that nobody names.

    Args:
        correct: Texts of each class that are found to be, shape (..., K).
        predicted: Texts that are found to be of each class, shape (..., K).
        labelled: Texts of each class, shape (..., K).
    """
    return 2 * correct / np.maximum(1, predicted + labelled)


def macro_f1(labels: Sequence[int], predictions: Sequence[int], classes: int) -> float:
    """Return the mean F1 over all ``classes``, present or not."""
    truth, found = np.asarray(labels), np.asarray(predictions)
    chosen = (truth[truth == found], found, truth)
    return float(f1(*(np.bincount(texts, minlength=classes) for texts in chosen)).mean())


def class_measures(labels: Sequence[int], predicted: np.ndarray) -> dict[str, float]:
    """Return accuracy and macro F1.

    Args:
        labels: Class of each text, shape (texts,).
        predicted: Logits or probabilities, shape (texts, classes).
    """
    best = predicted.argmax(axis=-1)
    return {
        "accuracy": float((best == np.asarray(labels)).mean()),
        "macro_f1": macro_f1(labels, best, predicted.shape[-1]),
    }


def measured(truth: Sequence[Any], outputs: np.ndarray) -> dict[str, float]:
    """Return what a run's history says of an epoch, beside its loss.

    Args:
        truth: Class, or score, of each text, shape (texts,).
        outputs: Logits or probabilities, shape (texts, classes); or scores, (texts, 1).
    """
    if outputs.shape[-1] > 1:
        return class_measures(truth, outputs)
    return {"pearson": pearson(np.asarray(truth, dtype=float), outputs[:, 0].astype(float))}


def score_measures(scores: Sequence[float], predicted: Sequence[float]) -> dict[str, float]:
    """Return Pearson's and Spearman's correlation and the mean absolute error.

    Predictions that are all the same go with nothing: their correlations are 0.
    """
    from scipy.stats import rankdata

    truth, found = np.asarray(scores, dtype=float), np.asarray(predicted, dtype=float)
    return {
        "pearson": pearson(truth, found),
        "spearman": pearson(rankdata(truth), rankdata(found)),
        "mae": float(abs(found - truth).mean()),
    }


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation of two arrays of the shape (texts,); 0 if one is constant."""
    a, b = a - a.mean(), b - b.mean()
    return pearson_of(len(a), [a.sum(), b.sum(), a @ a, b @ b, a @ b])


def pearson_of(texts: int, sums: Sequence[float]) -> float:
    """Return the correlation that sums over so many texts amount to: of x, y, xx, yy and xy."""
    x, y, xx, yy, xy = (value / texts for value in sums)
    spread_x, spread_y = xx - x * x, yy - y * y
    if spread_x <= 1e-13 * xx or spread_y <= 1e-13 * yy:  # what rounding leaves of 0
        return 0.0
    return float(np.clip((xy - x * y) / np.sqrt(spread_x * spread_y), -1, 1))
