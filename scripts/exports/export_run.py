"""Export a fine-tuned fairseq model as a transformers folder, and check its predictions.

Inputs: the run's ``model.pt`` and ``predictions.csv``, the tokenizer's files, the test split
and the audit (order of the labels); for a model that was converted to fairseq, the folder it came
from, whose type the export has again. Outputs: the folder ``config.json``, ``model.safetensors``
and tokenizer files, and what the check found. Nothing is written unless transformers, reading the
folder, predicts the labels, or scores, in ``predictions.csv``; where two labels are as good as
equally probable either will do.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
)

from seedwise.errors import UserError
from seedwise.files import atomic, read_json, read_jsonl, write_json
from seedwise.models.checkpoints import load_checkpoint
from seedwise.models.classification import class_probabilities, encode, mark_pairs
from seedwise.models.conversion import build_model, build_original, build_tokenizer
from seedwise.predictions import PROBABILITY
from seedwise.step import step
from seedwise.tokens.published import PublishedTokenizer
from seedwise.tokens.vocabulary import ADDED_SYMBOLS, read_pieces

logger = logging.getLogger(__name__)

BATCH_SIZE = 64
EXPORT = "export.json"
"""What the check found, in the folder; the model's card tells it."""

CHECKED = 2000
"""At most so many test texts are classified again, at even distances."""

TOLERANCE = 1e-3
"""Labels whose probabilities are no farther apart, in both tools, may take each other's place."""


SCORE_TOLERANCE = 1e-4
"""By how much scores may differ, in ranges."""


def compare(folder: Path, data: Path, audit: dict[str, Any], predictions: Path) -> dict[str, Any]:
    """Return how the labels, or scores, that the model in ``folder`` gives fit those of the run.

    Raises:
        UserError: A text has another score, or another label, and not because two are equally
            probable.
    """
    labels = audit["labels"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    texts = dict.fromkeys(("id", "label", "prediction"), str)
    table = pd.read_csv(predictions, dtype=texts, keep_default_na=False)
    rows = np.unique(np.linspace(0, len(table) - 1, min(CHECKED, len(table))).astype(int))
    records = list(read_jsonl(data / "test.jsonl"))
    examples = encode([records[row] for row in rows], tokenizer)
    now = class_probabilities(model, examples, DataCollatorWithPadding(tokenizer), BATCH_SIZE)
    table = table.iloc[rows]
    if "range" in audit:
        return compare_scores(table, now[:, 0], audit["range"], predictions)
    before = table[[PROBABILITY + label for label in labels]].to_numpy(dtype=float)
    chosen, found = table["prediction"].map(labels.index).to_numpy(), now.argmax(axis=1)
    each = np.arange(len(rows))
    apart = np.max([abs(p[each, chosen] - p[each, found]) for p in (before, now)], axis=0)
    if (wrong := apart > TOLERANCE).any():
        raise UserError(
            f"converted, it labels {wrong.sum()} test texts otherwise than {predictions}, the "
            f"first with the id {table['id'].iloc[wrong.argmax()]}"
        )
    return {
        "texts": len(rows),
        "other_labels": int((chosen != found).sum()),
        "tolerance": TOLERANCE,
        "largest_probability_difference": float(abs(before - now).max()),
    }


def compare_scores(
    table: pd.DataFrame, now: np.ndarray, limits: Sequence[float], predictions: Path
) -> dict[str, Any]:
    """Return how scores fit those of the run.

    Args:
        table: Rows of its predictions.
        now: The score of each, shape (texts,).
        limits: The lowest and the highest score there may be.
        predictions: The file, for a message.
    """
    apart = abs(table["prediction"].to_numpy(dtype=float) - now)
    if (wrong := ~(apart <= SCORE_TOLERANCE * (limits[1] - limits[0]))).any():
        raise UserError(
            f"converted, it gives {wrong.sum()} test texts other scores than {predictions}, the "
            f"first with the id {table['id'].iloc[wrong.argmax()]}"
        )
    return {"texts": len(table), "largest_score_difference": float(apart.max())}


def main(
    *,
    checkpoint: Path,
    predictions: Path,
    tokenizer: Path,
    dictionary: Path,
    data: Path,
    architecture: dict[str, Any],
    max_tokens: int | None,
    original: Path | None,
    folder: Path,
) -> None:
    """Convert, check, write."""
    audit = read_json(data / "audit.json")
    labels = audit["labels"]
    weights = load_checkpoint(checkpoint)["model"]
    if original is None:
        model = build_model(weights, architecture, labels, source=str(checkpoint))
    else:
        order = PublishedTokenizer.read(tokenizer.parent).fairseq_order(
            len(read_pieces(dictionary)) + ADDED_SYMBOLS
        )
        model = build_original(weights, original, order, labels)
    mark_pairs(model, audit.get("pairs", False))
    with atomic(folder) as partial:
        model.save_pretrained(partial)
        build_tokenizer(tokenizer, dictionary, max_tokens).save_pretrained(partial)
        try:
            found = compare(partial, data, audit, predictions)
        except UserError as error:
            raise UserError(f"{checkpoint}: {error}") from None
        write_json(partial / EXPORT, found)
    logger.info("transformers predicts what is in %s: %s", predictions, found)


if __name__ == "__main__":
    with step(snakemake):
        main(
            checkpoint=Path(snakemake.input.checkpoint),
            predictions=Path(snakemake.input.predictions),
            tokenizer=Path(snakemake.input.tokenizer[0]),
            dictionary=Path(snakemake.input.dictionary[0]),
            data=Path(snakemake.input.data[0]).parent,
            architecture=snakemake.params.architecture,
            max_tokens=snakemake.params.max_tokens,
            original=Path(snakemake.input.original[0]).parent if snakemake.input.original else None,
            folder=Path(snakemake.output.folder[0]).parent,
        )
