"""What the runs' predictions say beyond accuracy: confusion, calibration, agreement, mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedwise.models import temperature
from seedwise.training.run_files import read_classes, read_metrics, read_predicted
from seedwise.training.runs import PROBABILITY

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


def read_predictions(metrics: Sequence[Path], predictions: Sequence[Path]) -> list[Predictions]:
    """Read the ``predictions.csv`` of all runs, gathered by experiment.

    Raises:
        UserError: Two runs on one data set are not about the same texts.
    """
    runs = pd.DataFrame(read_metrics(metrics))
    runs["path"] = list(predictions)
    for _, group in runs.groupby("dataset", sort=False):
        read_classes(group["path"].tolist())  # checks ids and labels
    found = []
    for (dataset, experiment, engine), group in runs.groupby(
        ["dataset", "experiment", "engine"], sort=False
    ):
        group = group.sort_values("seed")
        tables = [read_predicted(path) for path in group["path"]]
        columns = [name for name in tables[0] if name.startswith(PROBABILITY)]
        labels = [name.removeprefix(PROBABILITY) for name in columns]
        found.append(
            Predictions(
                dataset,
                experiment,
                engine,
                labels,
                tables[0]["id"].tolist(),
                tables[0]["label"].map(labels.index).to_numpy(),
                np.stack([table[columns].to_numpy(dtype=float) for table in tables]),
                group["temperature"].to_numpy(),
            )
        )
    return found


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


def kappa(a: np.ndarray, b: np.ndarray, classes: int) -> float:
    """Return Cohen's kappa (1960): agreement beyond chance; NaN where chance alone gives 1."""
    shares = [np.bincount(side, minlength=classes) / len(side) for side in (a, b)]
    chance = float(shares[0] @ shares[1])
    return float((np.mean(a == b) - chance) / (1 - chance)) if chance < 1 else float("nan")


def agreement(a: Predictions, b: Predictions) -> dict[str, Any] | None:
    """Return how often runs of two experiments predict the same label, the mean over pairs.

    Of one experiment with itself, the pairs are those of two seeds; None where it has one.
    """
    if a.experiment == b.experiment:
        pairs = list(combinations(a.predicted, 2))
    else:
        pairs = list(product(a.predicted, b.predicted))
    if not pairs:
        return None
    return {
        "dataset": a.dataset,
        "experiment_a": a.experiment,
        "experiment_b": b.experiment,
        "engine_a": a.engine,
        "engine_b": b.engine,
        "pairs": len(pairs),
        "agreement": np.mean([np.mean(x == y) for x, y in pairs]),
        "kappa": np.mean([kappa(x, y, len(a.labels)) for x, y in pairs]),
    }


def agreements(all_runs: Sequence[Predictions]) -> list[dict[str, Any]]:
    """Return `agreement` within each experiment and between every two on the same data."""
    pairs = combinations_with_replacement(all_runs, 2)
    rows = [agreement(a, b) for a, b in pairs if a.dataset == b.dataset]
    return [row for row in rows if row is not None]


def always_wrong(all_runs: Sequence[Predictions], texts: dict[str, str]) -> list[dict[str, Any]]:
    """Return the texts of one data set that every run of every experiment gets wrong.

    The surest mistakes come first: ``probability`` is that of the true label, the mean over runs.

    Args:
        all_runs: All experiments on the data set.
        texts: The texts by id.
    """
    first = all_runs[0]
    wrong = ~np.concatenate([runs.correct for runs in all_runs]).any(axis=0)
    everyone = np.concatenate([runs.probabilities for runs in all_runs])  # (runs, texts, labels)
    mean = everyone.mean(axis=0)
    own = mean[np.arange(len(first.truth)), first.truth]
    return [
        {
            "dataset": first.dataset,
            "id": first.ids[number],
            "label": first.labels[first.truth[number]],
            "prediction": first.labels[mean[number].argmax()],
            "probability": own[number],
            "runs": len(everyone),
            "text": texts[first.ids[number]],
        }
        for number in np.flatnonzero(wrong)[np.argsort(own[wrong], kind="stable")]
    ]
