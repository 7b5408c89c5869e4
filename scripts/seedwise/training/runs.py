"""The contract of a run: what every engine hands in, and the files it becomes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score

from seedwise.code import code_sha256
from seedwise.environment import peak_rss_mib
from seedwise.files import (
    atomic,
    read_json,
    read_jsonl,
    sha256_of_files,
    sha256_of_json,
    write_json,
)


@dataclass(frozen=True)
class Run:
    """One experiment at one seed, and all that its result depends on.

    Attributes:
        experiment: the experiment's name.
        seed: drives initialisation, order and dropout.
        settings: `seedwise.study.entries.run_settings` of the experiment.
        data: the folder with the splits and the audit.
        inputs: every file the run reads; their contents make ``data_sha256``.
        script: the name of the script that trains; its code makes ``code_sha256``.
    """

    experiment: str
    seed: int
    settings: dict[str, Any]
    data: Path
    inputs: list[Path]
    script: str

    @property
    def finetune(self) -> dict[str, Any]:
        """The hyper-parameters."""
        return self.settings["finetune"]

    @property
    def labels(self) -> list[str]:
        """The labels in the order of the model's classes."""
        return read_json(self.data / "audit.json")["labels"]

    def texts(self, split: str) -> list[dict[str, Any]]:
        """Return the records (``id``, ``text``, ``label``) of a split."""
        return list(read_jsonl(self.data / f"{split}.jsonl"))

    def hashes(self) -> dict[str, str]:
        """Return the hashes that runs must share to be averaged."""
        return {
            "config_sha256": sha256_of_json(self.settings),
            "data_sha256": sha256_of_files(self.inputs),
            "code_sha256": code_sha256(self.script),
        }


@dataclass(frozen=True)
class Outcome:
    """What an engine hands in.

    Attributes:
        history: a row per epoch and split: ``epoch, split, loss, accuracy`` (loss in nats).
        probabilities: of the test split by the selected checkpoint, shape (texts, labels).
        train_seconds: wall time of training and validation, resumed parts included.
        eval_seconds: wall time of the prediction of the test split.
        updates: number of updates.
        train_tokens: tokens seen in training, padding not counted.
        device: name of the processor or GPU.
        versions: of the packages that trained.
    """

    history: pd.DataFrame
    probabilities: np.ndarray
    train_seconds: float
    eval_seconds: float
    updates: int
    train_tokens: int
    device: str
    versions: dict[str, str]


def best_epoch(history: pd.DataFrame) -> int:
    """Return the first of the epochs with the highest validation accuracy."""
    valid = history[history["split"] == "valid"].set_index("epoch")["accuracy"]
    return int(valid.idxmax())


def predictions_table(
    records: list[dict[str, Any]], labels: list[str], probabilities: np.ndarray
) -> pd.DataFrame:
    """Return a row per text: id, label, prediction and the probability of each label."""
    return pd.DataFrame(
        {
            "id": [record["id"] for record in records],
            "label": [record["label"] for record in records],
            "prediction": [labels[index] for index in probabilities.argmax(axis=1)],
            **{
                f"probability_{label}": probabilities[:, index]
                for index, label in enumerate(labels)
            },
        }
    )


def write_run(
    run: Run, outcome: Outcome, *, history: Path, predictions: Path, metrics: Path
) -> None:
    """Write the three files of the contract; ``metrics.json`` comes last."""
    columns = ["epoch", "split", "loss", "accuracy"]
    with atomic(history) as partial:
        outcome.history.to_csv(partial, index=False, columns=columns)
    table = predictions_table(run.texts("test"), run.labels, outcome.probabilities)
    with atomic(predictions) as partial:
        table.to_csv(partial, index=False, float_format="%.9g")
    best = best_epoch(outcome.history)
    valid = outcome.history.query("split == 'valid' and epoch == @best")
    write_json(
        metrics,
        {
            "experiment": run.experiment,
            **{key: run.settings[key] for key in ("engine", "init", "dataset", "model")},
            "seed": run.seed,
            "best_epoch": best,
            "valid_accuracy": float(valid["accuracy"].iloc[0]),
            "test_accuracy": float(accuracy_score(table["label"], table["prediction"])),
            "test_macro_f1": float(f1_score(table["label"], table["prediction"], average="macro")),
            "train_seconds": round(outcome.train_seconds, 2),
            "eval_seconds": round(outcome.eval_seconds, 2),
            "updates": outcome.updates,
            "tokens_per_second": round(outcome.train_tokens / outcome.train_seconds, 1),
            "peak_rss_mib": round(peak_rss_mib(), 1),
            "device": outcome.device,
            "precision": run.finetune["precision"],
            "threads": run.finetune["threads"],
            "versions": outcome.versions,
            **run.hashes(),
        },
    )
