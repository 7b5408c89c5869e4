"""The contract of a run: what every engine hands in, the files it becomes, and their reading."""

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedwise.data.texts import text_of
from seedwise.environment import conditions, resume_key, shared
from seedwise.errors import UserError, one_line
from seedwise.files import atomic, read_json, read_jsonl, sha256_of_files, write_json
from seedwise.predictions import PROBABILITY, measures, temperature
from seedwise.study.labels import SCORE, Units
from seedwise.study.selection import first_best
from seedwise.training.subsets import bootstrap, nested_order

Metrics = dict[str, Any]

HISTORY = ["epoch", "split", "loss", "accuracy", "macro_f1"]
"""Columns of ``history.csv``: a row per epoch and split, the loss in nats.

Macro F1 is that of the validation split.
"""

SCORE_HISTORY = ["epoch", "split", "loss", "pearson"]
"""The same where texts have scores: the loss is the mean square of the error, in ranges."""

TEXTS = ["id", "label", "prediction"]
"""Columns of ``predictions.csv``, a row per test text; one for each label's probability follows.

Where texts have scores, label and prediction are scores, and nothing follows.
"""


@dataclass(frozen=True)
class Run:
    """One experiment at one seed, and all that its result depends on.

    Attributes:
        experiment: the experiment's name.
        seed: drives initialisation, order and dropout.
        settings: `seedwise.study.entries.run_settings` of the experiment.
        data: the folder with the splits and the audit.
        inputs: every file the run reads; their contents make ``data_sha256``.
        start: of these, the files of the pre-trained model.
        script: the name of the script that trains; its code makes ``code_sha256``.
    """

    experiment: str
    seed: int
    settings: dict[str, Any]
    data: Path
    inputs: list[Path]
    script: str
    start: list[Path] = field(default_factory=list)

    @classmethod
    def of(
        cls, job: Any, script: str, inputs: Iterable[str | Path], start: Iterable[str | Path] = ()
    ) -> "Run":
        """Return the run that ``script`` makes of ``inputs`` in ``job``, Snakemake's object."""
        return cls(
            experiment=job.wildcards.experiment,
            # A candidate of a search has no seed in its path.
            seed=int(job.wildcards.get("seed", job.params.get("seed"))),
            settings=job.params.settings,
            data=Path(job.input.data[0]).parent,
            inputs=[Path(path) for path in inputs],
            script=script,
            start=[Path(path) for path in start],
        )

    @property
    def finetune(self) -> dict[str, Any]:
        """The hyper-parameters of a fine-tuning."""
        return self.settings["finetune"]

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The hyper-parameters of any engine, ``precision`` and ``threads`` among them."""
        return self.settings.get("finetune") or self.settings[self.settings["engine"]]

    @property
    def selection(self) -> str:
        """By what the best epoch is chosen on the validation split."""
        return self.settings["selection"]

    @property
    def labels(self) -> list[str]:
        """The labels in the order of the model's classes; `SCORE` alone for scores."""
        return read_json(self.data / "audit.json")["labels"]

    @property
    def units(self) -> Units | None:
        """In what a model learns scores; None where texts have labels."""
        return Units.of(read_json(self.data / "audit.json"))

    @property
    def pairs(self) -> bool:
        """Whether the texts are pairs."""
        return read_json(self.data / "audit.json").get("pairs", False)

    def texts(self, split: str) -> list[dict[str, Any]]:
        """Return the records (``id``, texts, ``label``) of a split; of train, the run's own."""
        records = list(read_jsonl(self.data / f"{split}.jsonl"))
        if split == "train" and (rows := self._rows(records)) is not None:
            return [records[row] for row in rows]
        return records

    def targets(self, records: list[dict[str, Any]]) -> list[Any]:
        """Return what a model learns of each text: its class, or its score in `units`."""
        given = [record["label"] for record in records]
        if units := self.units:
            return units.learned(given)
        return list(map(self.labels.index, given))

    def train_rows(self) -> np.ndarray | None:
        """Return which texts of the training split the run reads; None for all."""
        return self._rows(list(read_jsonl(self.data / "train.jsonl")))

    def _rows(self, records: list[dict[str, Any]]) -> np.ndarray | None:
        wanted, varied = self.settings.get("train_texts"), self.settings.get("vary", [])
        if wanted is None and "training_texts" not in varied:
            return None
        rows = np.arange(len(records))
        if wanted is not None:
            if wanted > len(records):
                raise UserError(
                    f"experiments.{self.experiment.partition('@')[0]}.train_texts: {wanted:,}, but "
                    f"the training split has {len(records):,} texts"
                )
            scored = self.units is not None
            labels = [SCORE if scored else record["label"] for record in records]
            rows = np.sort(nested_order(list(map(text_of, records)), labels)[:wanted])
        return bootstrap(rows, self.seed) if "training_texts" in varied else rows

    def class_weights(self) -> list[float] | None:
        """Return the weight of each label in the training loss; None where all have the same.

        Raises:
            UserError: Weights are given for other labels than those of the data set.
        """
        given, labels = self.hyperparameters["class_weights"], self.labels
        if given is None:
            return None
        if given == "balanced":
            counts = Counter(record["label"] for record in self.texts("train"))
            return [counts.total() / (len(labels) * max(1, counts[label])) for label in labels]
        if set(given) != set(labels):
            section = "finetune" if "finetune" in self.settings else self.settings["engine"]
            raise UserError(
                f"{section}.class_weights: weights for {', '.join(map(one_line, given))}; the "
                f"labels of {self.settings['dataset']} are {', '.join(map(one_line, labels))}"
            )
        return [float(given[label]) for label in labels]

    def shared(self, here: dict[str, Any], *packages: str) -> dict[str, Any]:
        """Return what runs must share to be averaged, see `seedwise.environment.shared`."""
        common = [path for path in self.inputs if path not in self._own_start]
        return shared(self.script, self.settings, common, here, *packages)

    def resume_key(self, shared: dict[str, Any]) -> str:
        """Return the name of the checkpoints with which a killed run may go on."""
        return resume_key(self.seed, shared | {"start": sha256_of_files(self._own_start)})

    @property
    def _own_start(self) -> list[Path]:
        """The files that were pre-trained for this seed alone."""
        return self.start if "pretraining" in self.settings.get("vary", []) else []


@dataclass(frozen=True)
class Outcome:
    """What an engine hands in.

    Attributes:
        history: with the columns `HISTORY`, or `SCORE_HISTORY`.
        probabilities: of the test split by the selected checkpoint, shape (texts, labels); where
            texts have scores, these, shape (texts, 1); None for a candidate of a search, which does
            not read it.
        valid_probabilities: of the validation split by the same checkpoint, from which the
            temperature is fitted.
        train_seconds: wall time of training and validation, resumed parts included.
        eval_seconds: wall time of the prediction of the test split.
        updates: number of updates.
        train_tokens: tokens seen in training, padding not counted.
        device: name of the processor or GPU.
        shared: what `Run.shared` returned.
        details: lists and objects that the engine adds to ``metrics.json``.
    """

    history: pd.DataFrame
    probabilities: np.ndarray | None
    valid_probabilities: np.ndarray | None
    train_seconds: float
    eval_seconds: float
    updates: int
    train_tokens: int
    device: str
    shared: dict[str, Any]
    details: dict[str, Any] = dataclasses.field(default_factory=dict)


def best_epoch(history: pd.DataFrame, selection: str) -> int:
    """Return the first of the epochs that are the best on the validation split."""
    valid = history[history["split"] == "valid"]
    return int(valid["epoch"].iloc[first_best(valid[selection].tolist(), selection)])


def predictions_table(
    records: list[dict[str, Any]], labels: list[str], probabilities: np.ndarray
) -> pd.DataFrame:
    """Return a row per text: `TEXTS` and the probability of each label, or no more for scores."""
    columns = {
        "id": [record["id"] for record in records],
        "label": [record["label"] for record in records],
    }
    if labels == [SCORE]:
        return pd.DataFrame(columns | {"prediction": probabilities[:, 0]})
    predicted = [labels[index] for index in probabilities.argmax(axis=1)]
    shares = {PROBABILITY + label: probabilities[:, i] for i, label in enumerate(labels)}
    return pd.DataFrame(columns | {"prediction": predicted} | shares)


def test_scores(run: Run, probabilities: np.ndarray, predictions: Path) -> dict[str, float]:
    """Write the predictions of the test split and return their measures."""
    records = run.texts("test")
    table = predictions_table(records, run.labels, probabilities)
    with atomic(predictions) as partial:
        table.to_csv(partial, index=False, float_format="%.9g")
    if run.units:
        table = pd.read_csv(predictions)  # of the numbers as they are written
        found = measures.score_measures(table["label"], table["prediction"])
    else:
        found = measures.class_measures(run.targets(records), probabilities)
    return {f"test_{name}": value for name, value in found.items()}


def write_run(
    run: Run, outcome: Outcome, *, history: Path, predictions: Path | None, metrics: Path
) -> None:
    """Write the three files of the contract; ``metrics.json`` comes last.

    A candidate of a search has no ``predictions``, and no scores on the test split.
    """
    columns = SCORE_HISTORY if run.units else HISTORY
    with atomic(history) as partial:
        outcome.history.to_csv(partial, index=False, columns=columns)
    tested = test_scores(run, outcome.probabilities, predictions) if predictions else {}
    calibration = {}
    if outcome.valid_probabilities is not None and not run.units:
        labels = np.array(run.targets(run.texts("valid")))
        calibration["temperature"] = temperature.fit(outcome.valid_probabilities, labels)
    best = best_epoch(outcome.history, run.selection)
    valid = outcome.history.query("split == 'valid' and epoch == @best")
    main, *others = [name for name in columns if name not in ("epoch", "split", "loss")]
    write_json(
        metrics,
        {
            "experiment": run.experiment,
            **{key: run.settings[key] for key in ("engine", "init", "dataset", "model")},
            "seed": run.seed,
            "best_epoch": best,
            f"valid_{main}": float(valid[main].iloc[0]),
            **tested,
            "train_seconds": round(outcome.train_seconds, 2),
            "eval_seconds": round(outcome.eval_seconds, 2),
            "updates": outcome.updates,
            "tokens_per_second": round(outcome.train_tokens / outcome.train_seconds, 1),
            **conditions(outcome.device, outcome.shared),
            "selection": run.selection,
            **{f"valid_{key}": float(valid[key].iloc[0]) for key in (*others, "loss")},
            "epochs": int(outcome.history["epoch"].max()),
            "train_texts": len(run.texts("train")),
            **calibration,
            **outcome.details,
        },
    )
