"""What the predictions of an experiment's runs say beyond accuracy: confusion, calibration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedwise.predictions import PROBABILITY, temperature
from seedwise.training.run_files import check_same_texts, read_metrics, read_predicted

BINS = 10
"""Bins of equal width in which confidence is compared with accuracy."""


@dataclass(frozen=True)
class Predictions:
    """What the runs of one experiment predict for one test split.

    Attributes:
        dataset: The data set's name.
        experiment: The experiment's name.
        engine: Its engine.
        labels: The labels in class order.
        ids: The texts' ids.
        truth: Class of each text, shape (texts,).
        probabilities: Shape (seeds, texts, labels).
        temperatures: That of each run, fitted on the validation split; shape (seeds,).
    """

    dataset: str
    experiment: str
    engine: str
    labels: list[str]
    ids: list[str]
    truth: np.ndarray
    probabilities: np.ndarray
    temperatures: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The predicted class of each text, shape (seeds, texts)."""
        return self.probabilities.argmax(axis=-1)

    @property
    def correct(self) -> np.ndarray:
        """Whether each prediction is right, shape (seeds, texts)."""
        return self.predicted == self.truth


def each_experiment(metrics: Sequence[Path], predictions: Sequence[Path]) -> Iterator[Predictions]:
    """Yield the predictions of one experiment after the other.

    Raises:
        UserError: Two runs on one data set are not about the same texts.
    """
    runs = pd.DataFrame(read_metrics(metrics))
    runs["path"] = list(predictions)
    first: dict[str, tuple[Path, pd.DataFrame]] = {}
    for (dataset, experiment, engine), group in runs.groupby(
        ["dataset", "experiment", "engine"], sort=False
    ):
        probabilities = []
        for path in group.sort_values("seed")["path"]:
            table = read_predicted(path)
            place, texts = first.setdefault(dataset, (path, table[["id", "label"]]))
            check_same_texts(table, path, texts, place)
            columns = [name for name in table if name.startswith(PROBABILITY)]
            probabilities.append(table[columns].to_numpy(dtype=float))
        labels = [name.removeprefix(PROBABILITY) for name in columns]
        yield Predictions(
            dataset,
            experiment,
            engine,
            labels,
            texts["id"].tolist(),
            texts["label"].map(labels.index).to_numpy(),
            np.stack(probabilities),
            group.sort_values("seed")["temperature"].to_numpy(),
        )


def confusion(runs: Predictions) -> np.ndarray:
    """Return the mean count over seeds, shape (true label, predicted label)."""
    size = len(runs.labels)
    cells = runs.truth * size + runs.predicted  # (seeds, texts)
    counts = [np.bincount(row, minlength=size * size) for row in cells]
    return np.mean(counts, axis=0).reshape(size, size)


def reliability(runs: Predictions, *, calibrated: bool = False) -> pd.DataFrame:
    """Return a row per bin of confidence, over all seeds: confidence, accuracy, share.

    Confidence is the probability of the predicted label, at the runs' temperatures if
    ``calibrated``. Bins without predictions are left out.
    """
    pairs = zip(runs.probabilities, runs.temperatures, strict=True)
    own = [temperature.apply(p, t) if calibrated else p for p, t in pairs]
    confidence = np.stack(own).max(axis=-1).ravel()
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    table = pd.DataFrame({"bin": bins, "confidence": confidence, "accuracy": runs.correct.ravel()})
    means = table.groupby("bin").mean()
    return means.assign(share=table.groupby("bin").size() / len(table)).reset_index()


def calibration(runs: Predictions) -> dict[str, Any]:
    """Return how far probabilities can be trusted, over all seeds, and what all seeds share.

    ``ece`` is the expected calibration error (Guo et al. 2017): the distance of accuracy from
    confidence, averaged over the bins by their share of the predictions, and ``ece_calibrated``
    that at each run's ``temperature`` (its mean is given). ``brier`` is the
    squared distance of the probabilities from the truth, summed over the labels (Brier 1950);
    ``log_loss`` the negative log-probability of the true label, in nats.
    """
    ece, calibrated = (
        float((bins["share"] * (bins["accuracy"] - bins["confidence"]).abs()).sum())
        for bins in (reliability(runs), reliability(runs, calibrated=True))
    )
    truth = np.eye(len(runs.labels))[runs.truth]  # (texts, labels)
    own = runs.probabilities[:, np.arange(len(runs.truth)), runs.truth]  # (seeds, texts)
    return {
        "dataset": runs.dataset,
        "experiment": runs.experiment,
        "seeds": len(runs.predicted),
        "accuracy": runs.correct.mean(),
        "confidence": runs.probabilities.max(axis=-1).mean(),
        "ece": ece,
        "brier": ((runs.probabilities - truth) ** 2).sum(axis=-1).mean(),
        "log_loss": -np.log(own.clip(1e-12)).mean(),
        "texts": len(runs.truth),
        "always_right": int(runs.correct.all(axis=0).sum()),
        "always_wrong": int((~runs.correct).all(axis=0).sum()),
        "temperature": runs.temperatures.mean(),
        "ece_calibrated": calibrated,
    }
