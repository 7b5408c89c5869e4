"""Export a fine-tuned model as ONNX, in float32 and int8, and try both on validation texts.

Inputs: the model's folder, the validation and the test split, the audit, the run's
``metrics.json`` (its temperature). Output: the folder ``onnx/`` with the models, what they predict
for the test split, and ``onnx.json``: labels, checksums, agreement with transformers, texts a
second. A form stays only if it gives validation texts the answer of transformers: float32 every
one of them, int8 the share that the study asks for. Otherwise ``onnx.json`` and a warning say why.
"""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from seedwise.data.texts import text_of
from seedwise.environment import processor_name
from seedwise.errors import UserError
from seedwise.exports.ensemble import Ensemble, Model, padded
from seedwise.exports.forms import (
    ABOUT,
    FLOAT32,
    INT8,
    ONNX_FILES,
    TRANSFORMERS,
    predictions_file,
    refusal,
    tokenizer_sha256,
)
from seedwise.exports.onnx_export import export, quantize
from seedwise.exports.onnx_model import OnnxModel
from seedwise.exports.transformers_model import TransformersModel
from seedwise.files import atomic, read_json, read_jsonl, sha256_of_files, write_json
from seedwise.step import step
from seedwise.training.runs import predictions_table

logger = logging.getLogger(__name__)

CHECKED = 2000
"""At most so many validation texts are asked, at even distances."""

TIMED, ROUNDS = 200, 3
"""Texts that each form answers in each round, the forms in turn, with one thread."""

WEIGHTS = "model.safetensors"
LARGEST = 2**31 - 2**20
"""Bytes of weights that a file of ONNX can hold (protobuf's limit is 2 GB), with its graph."""

SCORE_TOLERANCE = {FLOAT32: 1e-4, INT8: 0.05}
"""By how much scores that agree may differ, in ranges."""


def agree(
    found: np.ndarray, expected: np.ndarray, form: str, limits: Sequence[float] | None
) -> float:
    """Return the share of texts with the same answer.

    Args:
        found: Probabilities, or scores, by the form: shape (texts, labels).
        expected: The same by transformers.
        form: The form; of scores, what counts as the same depends on it.
        limits: The lowest and the highest score; None for labels.
    """
    if limits is None:
        return float((found.argmax(axis=1) == expected.argmax(axis=1)).mean())
    width = limits[1] - limits[0]
    return float((abs(found - expected) <= SCORE_TOLERANCE[form] * width).mean())


def even(count: int, most: int) -> np.ndarray:
    """Return at most ``most`` of the numbers below ``count``, at even distances."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))


def texts_per_second(models: dict[str, Model], texts: Sequence[str]) -> dict[str, float]:
    """Return how many texts each model answers in a second: the median of rounds, in turn."""
    seconds: dict[str, list[float]] = {form: [] for form in models}
    for _ in range(ROUNDS):
        for form, model in models.items():
            started = time.perf_counter()
            Ensemble([model]).probabilities(texts)
            seconds[form].append(time.perf_counter() - started)
    return {form: round(len(texts) / median(values), 1) for form, values in seconds.items()}


class Trial:
    """Forms of the model in ``folder``, each tried against transformers as it is written."""

    def __init__(
        self, folder: Path, data: Path, limits: Sequence[float] | None, pairs: bool
    ) -> None:
        self.folder, self.limits = folder, limits
        self.reference = TransformersModel(folder)
        texts = [text_of(record) for record in read_jsonl(data / "valid.jsonl")]
        self.texts = [texts[row] for row in even(len(texts), CHECKED)]
        self.expected = Ensemble([self.reference]).probabilities(self.texts)
        # As few as show a second text and a second token.
        inputs, _ = self.reference.tokenize(self.texts[:1] * 2)
        self.example = padded(inputs, np.arange(2), self.reference.pad)
        self.about = {
            "labels": self.reference.labels,
            "pairs": pairs,
            "pad": self.reference.pad,
        }

    def attempt(
        self, form: str, asked: float, files: Path, *writers: Callable[[Path], None]
    ) -> tuple[dict[str, Any], OnnxModel | None]:
        """Write a form; return what is known of it, and the model if it may stay.

        Of ``writers`` the first that writes one which may stay is the last that is called.

        Raises:
            UserError: It cannot be written, or not be read without transformers.
        """
        path = files / ONNX_FILES[form]
        self.about["tokenizer_sha256"] = tokenizer_sha256(self.folder)
        if (size := (self.folder / WEIGHTS).stat().st_size) > LARGEST:
            raise UserError(f"weights of {size / 1e9:.1f} GB; a file of ONNX holds 2 GB")
        known: dict[str, Any] = {"texts": len(self.texts), "asked": asked}
        for write in writers:
            write(path)
            model = OnnxModel(self.folder, form, self.about, files, workers=1)
            same, _ = model.tokenize(self.texts)
            if same != self.reference.tokenize(self.texts)[0]:
                raise UserError(
                    "without transformers, its tokenizer cuts validation texts otherwise"
                )
            found = Ensemble([model]).probabilities(self.texts)
            known["agreement"] = agree(found, self.expected, form, self.limits)
            logger.info("%s: %s", form, known)
            if known["agreement"] >= asked:
                size, checksum = path.stat().st_size, sha256_of_files([path])
                return known | {"bytes": size, "sha256": checksum}, model
        return known, None


def main(
    *, folder: Path, data: Path, metrics: Path, agreement: float, output: Path
) -> None:  # fmt: skip
    """Export, try, predict, time."""
    torch.set_num_threads(1)
    audit = read_json(data / "audit.json")
    trial = Trial(folder, data, audit.get("range"), audit.get("pairs", False))
    records = list(read_jsonl(data / "test.jsonl"))
    with atomic(output) as partial:
        partial.mkdir()
        forms: dict[str, dict[str, Any]] = {}
        models: dict[str, Model] = {TRANSFORMERS: trial.reference}
        exact = partial / ONNX_FILES[FLOAT32]
        for form, asked, *writers in (
            (FLOAT32, 1.0, lambda path: export(trial.reference.model, trial.example, path)),
            (
                INT8,
                agreement,
                lambda path: quantize(exact, path),
                lambda path: quantize(exact, path, spare=True),
            ),
        ):
            if form == INT8 and FLOAT32 not in models:
                forms[form] = {"reason": "it is made of ONNX in float32"}
                continue
            try:
                forms[form], model = trial.attempt(form, asked, partial, *writers)
            except UserError as error:
                forms[form], model = {"reason": str(error)}, None
            if model is None:
                (partial / ONNX_FILES[form]).unlink(missing_ok=True)
                logger.warning("%s: %s", folder, refusal(form, forms[form]))
                continue
            models[form] = model
            found = Ensemble([model]).probabilities([text_of(record) for record in records])
            predictions_table(records, audit["labels"], found).to_csv(
                partial / predictions_file(form), index=False, float_format="%.9g"
            )
        forms[TRANSFORMERS] = {"bytes": (folder / WEIGHTS).stat().st_size}
        timed = [trial.texts[row] for row in even(len(trial.texts), TIMED)]
        for form, speed in texts_per_second(models, timed).items():
            forms[form]["texts_per_second"] = speed
        about = trial.about | {"processor": processor_name(), "forms": forms}
        if temperature := read_json(metrics).get("temperature"):
            about["temperature"] = temperature
        write_json(partial / ABOUT, about)


if __name__ == "__main__":
    with step(snakemake):
        main(
            folder=Path(snakemake.input.folder[0]).parent,
            data=Path(snakemake.input.data[0]).parent,
            metrics=Path(snakemake.input.metrics),
            agreement=snakemake.params.agreement,
            output=Path(snakemake.output.onnx),
        )
