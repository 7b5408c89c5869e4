"""What it would have meant, on the test split, to answer only where models are sure."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seedwise.predictions import PROBABILITY, temperature


@dataclass(frozen=True)
class Answered:
    """Of how many ``texts``, which ``share`` is answered, and which ``accuracy`` that has."""

    texts: int
    share: float
    accuracy: float

    def __str__(self) -> str:
        right = f", {self.accuracy:.1%} of them rightly" if self.share else ""
        return f"of the study's {self.texts:,} test texts, {self.share:.1%} are answered{right}"


def answered(
    predictions: Sequence[Path], temperatures: Sequence[float], least: float
) -> Answered | None:
    """Return what the mean of models answers whose largest probability is at least ``least``.

    Args:
        predictions: What each model predicts for the test split, as runs write it.
        temperatures: That of each.
        least: The probability that a label must have.

    Returns:
        None if a file is missing, or is of other texts than the first.
    """
    total, first = None, None
    for path, degree in zip(predictions, temperatures, strict=True):
        if not path.is_file():
            return None
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        texts = [(row["id"], row["label"]) for row in rows]
        names = [name for name in rows[0] if name.startswith(PROBABILITY)] if rows else []
        if not names or texts != (first or texts):
            return None
        first = texts
        own = np.array([[float(row[name]) for name in names] for row in rows])  # (texts, labels)
        found = temperature.apply(own, degree)
        total = found if total is None else total + found
    if total is None or first is None:
        return None
    mean = total / len(predictions)
    labels = [name.removeprefix(PROBABILITY) for name in names]
    right = np.array([label for _, label in first]) == np.array(labels)[mean.argmax(axis=1)]
    sure = mean.max(axis=1) >= least
    return Answered(len(right), float(sure.mean()), float(right[sure].mean()) if sure.any() else 0)
