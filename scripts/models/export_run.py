"""Export a fine-tuned fairseq model as a transformers folder, and check its predictions.

Inputs: the run's ``model.pt`` and ``predictions.csv``, the tokenizer's files, the test split
and the audit (order of the labels); for a model that was converted to fairseq, the folder it came
from, whose type the export has again. Output: the folder ``config.json``, ``model.safetensors``
and tokenizer files. Nothing is written unless transformers, reading the folder, predicts the
very labels in ``predictions.csv`` for every test text.
"""

import logging
from pathlib import Path
from typing import Any

import pandas as pd
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
)

from seedwise.errors import UserError
from seedwise.files import atomic, read_json, read_jsonl
from seedwise.models.checkpoints import load_checkpoint
from seedwise.models.classification import class_probabilities, encode
from seedwise.models.conversion import build_model, build_original, build_tokenizer
from seedwise.step import step
from seedwise.tokens.published import PublishedTokenizer
from seedwise.tokens.vocabulary import ADDED_SYMBOLS, read_pieces

logger = logging.getLogger(__name__)

BATCH_SIZE = 64


def differing_labels(folder: Path, data: Path, labels: list[str], predictions: Path) -> list[str]:
    """Return the ids of the test texts that the model in ``folder`` labels otherwise."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    examples = encode(list(read_jsonl(data / "test.jsonl")), labels, tokenizer)
    probabilities = class_probabilities(
        model, examples, DataCollatorWithPadding(tokenizer), BATCH_SIZE
    )
    table = pd.read_csv(predictions, dtype=str, keep_default_na=False)
    found = [labels[index] for index in probabilities.argmax(axis=1)]
    return table.loc[table["prediction"] != found, "id"].tolist()


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
    labels = read_json(data / "audit.json")["labels"]
    weights = load_checkpoint(checkpoint)["model"]
    if original is None:
        model = build_model(weights, architecture, labels, source=str(checkpoint))
    else:
        order = PublishedTokenizer.read(tokenizer.parent).fairseq_order(
            len(read_pieces(dictionary)) + ADDED_SYMBOLS
        )
        model = build_original(weights, original, order, labels)
    with atomic(folder) as partial:
        model.save_pretrained(partial)
        build_tokenizer(tokenizer, dictionary, max_tokens).save_pretrained(partial)
        differing = differing_labels(partial, data, labels, predictions)
        if differing:
            raise UserError(
                f"{checkpoint}: converted, it labels {len(differing)} test texts otherwise than "
                f"{predictions}, the first with the id {differing[0]}"
            )
    logger.info("transformers predicts the labels of %s for every text", predictions)


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
