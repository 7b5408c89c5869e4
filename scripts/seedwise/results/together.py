"""What the runs of several experiments say of the same texts: agreement, and what all get wrong."""

from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from seedwise.results.mistakes import Predictions

_CELLS = 25_000_000  # runs times texts, compared at once


class Together:
    """The experiments on one data set, added one by one; of each, only the labels are kept."""

    def __init__(self) -> None:
        self._named: list[tuple[str, str]] = []
        self._predicted: list[np.ndarray] = []
        self._right: Any = False
        self._total: Any = 0.0

    def add(self, runs: Predictions) -> None:
        """Add an experiment."""
        if not self._named:
            self._dataset, self._labels = runs.dataset, runs.labels
            self._ids, self._truth = runs.ids, runs.truth
        self._named.append((runs.experiment, runs.engine))
        self._predicted.append(runs.predicted.astype(np.int16))
        self._right |= runs.correct.any(axis=0)
        self._total += runs.probabilities.sum(axis=0)

    def agreements(self) -> list[dict[str, Any]]:
        """Return how often runs predict the same label, and Cohen's kappa, means over pairs.

        The pairs are those of two seeds within an experiment (none, if it has one), and of any run
        of one with any of another.
        """
        agreement, kappa = pairwise(np.concatenate(self._predicted), len(self._labels))
        ends = np.cumsum([len(own) for own in self._predicted])
        places = [
            slice(end - len(own), end) for own, end in zip(self._predicted, ends, strict=True)
        ]
        rows = []
        for a, b in combinations_with_replacement(range(len(places)), 2):
            block = np.ones_like(agreement[places[a], places[b]], dtype=bool)
            pairs = np.triu(block, k=1) if a == b else block
            if not pairs.any():
                continue
            rows.append(
                {
                    "dataset": self._dataset,
                    "experiment_a": self._named[a][0],
                    "experiment_b": self._named[b][0],
                    "engine_a": self._named[a][1],
                    "engine_b": self._named[b][1],
                    "pairs": int(pairs.sum()),
                    "agreement": agreement[places[a], places[b]][pairs].mean(),
                    "kappa": kappa[places[a], places[b]][pairs].mean(),
                }
            )
        return rows

    def always_wrong(self) -> list[dict[str, Any]]:
        """Return the texts that every run of every experiment gets wrong, the surest first.

        ``probability`` is that of the true label, the mean over runs.
        """
        runs = sum(map(len, self._predicted))
        mean = self._total / runs
        own = mean[np.arange(len(self._truth)), self._truth]
        wrong = np.flatnonzero(~self._right)
        return [
            {
                "dataset": self._dataset,
                "id": self._ids[number],
                "label": self._labels[self._truth[number]],
                "prediction": self._labels[mean[number].argmax()],
                "probability": own[number],
                "runs": runs,
            }
            for number in wrong[np.argsort(own[wrong], kind="stable")]
        ]


def pairwise(predicted: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the agreement of every two runs, and their kappa (Cohen 1960), shapes (runs, runs).

    Kappa is agreement beyond chance; NaN where chance alone gives 1.

    Args:
        predicted: Class of each text, shape (runs, texts).
        classes: All labels there are.
    """
    runs, texts = predicted.shape
    same, shares = np.zeros((runs, runs)), np.zeros((runs, classes))
    step = max(1, _CELLS // runs)
    for start in range(0, texts, step):
        part = predicted[:, start : start + step]
        for label in range(classes):
            chosen = (part == label).astype(np.float32)
            same += chosen @ chosen.T
            shares[:, label] += chosen.sum(axis=1) / texts
    agreement, chance = same / texts, shares @ shares.T
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa = np.where(chance < 1 - 1e-12, (agreement - chance) / (1 - chance), np.nan)
    return agreement, kappa
