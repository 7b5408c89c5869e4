"""Check that a published encoder computes the same in transformers and in fairseq.

Inputs: the imported folder, the converted ``model.pt`` with its dictionary, and the texts and
binarized tokens of every data set used with the model. Output: ``report`` (JSON: largest difference
of the hidden states, texts whose ids were compared). It is not written, and nothing is trained,
unless the hidden states of 64 validation texts agree within 1e-4 and every id is the same.
"""

import logging
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from seedwise.data.texts import text_of
from seedwise.errors import UserError
from seedwise.files import read_jsonl, write_json
from seedwise.models.classification import tokenize
from seedwise.step import step
from seedwise.tokens.indexed import read_texts
from seedwise.tokens.published import PublishedTokenizer
from seedwise.tokens.vocabulary import BOS_ID, PAD_ID
from seedwise_fairseq.predict import load_model

logger = logging.getLogger(__name__)

TEXTS = 64
BATCH_SIZE = 8
TOLERANCE = 1e-4
"""Both compute in float32, in another order: states of magnitude 5 differ by some 1e-6."""


def differing_ids(ids: list[np.ndarray], binarized: list[np.ndarray]) -> list[int]:
    """Return the texts, by index, whose ``ids`` in fairseq's numbering are not ``binarized``."""
    expected = ([BOS_ID, *text.tolist()] for text in binarized)
    return [i for i, (a, b) in enumerate(zip(ids, expected, strict=True)) if a.tolist() != b]


def _padded(texts: list[np.ndarray], value: int) -> torch.Tensor:
    rows = [torch.from_numpy(text) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=value)


@torch.inference_mode()
def largest_difference(
    original: torch.nn.Module, converted: torch.nn.Module, ids: list[np.ndarray], order: list[int]
) -> float:
    """Return by how much the hidden states of texts differ at most.

    Args:
        original: transformers' encoder.
        converted: fairseq's model.
        ids: The texts in transformers' numbering, each of shape (tokens,).
        order: transformers' id of each of fairseq's ids.
    """
    numbers = np.argsort(order)
    largest = 0.0
    for start in range(0, len(ids), BATCH_SIZE):
        batch = ids[start : start + BATCH_SIZE]
        real = _padded([np.ones_like(text) for text in batch], 0)  # (B, L)
        given = _padded(batch, original.config.pad_token_id)
        expected = original(given, attention_mask=real).last_hidden_state  # (B, L, D)
        found, _ = converted(_padded([numbers[t] for t in batch], PAD_ID), features_only=True)
        largest = max(largest, float((found - expected)[real.bool()].abs().max()))
    return largest


def main(
    *,
    folder: Path,
    checkpoint: Path,
    dictionary: Path,
    texts: list[Path],
    tokens: list[Path],
    report: Path,
) -> None:
    """Check and write.

    Args:
        folder: The transformers folder.
        checkpoint: The fairseq checkpoint.
        dictionary: fairseq's ``dict.txt``.
        texts: Splits (JSONL); hidden states are those of validation texts.
        tokens: The binarized tokens (``.bin``) of each split.
        report: The output.
    """
    original = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    order = PublishedTokenizer.read(folder).fairseq_order(original.config.vocab_size)
    numbers = np.argsort(order)
    chosen: list[np.ndarray] = []
    compared = 0
    for text_file, token_file in zip(texts, tokens, strict=True):
        split = list(map(text_of, read_jsonl(text_file)))
        ids = [np.array(t) for t in tokenize(tokenizer, split, truncation=True)["input_ids"]]
        binary = read_texts(token_file.with_suffix(""))
        differing = differing_ids([numbers[text] for text in ids], binary)
        if differing:
            raise UserError(
                f"{text_file}: AutoTokenizer and fairseq number {len(differing)} texts "
                f"differently, the first on line {differing[0] + 1}"
            )
        if text_file.stem == "valid":
            chosen = chosen or ids[:TEXTS]
        compared += len(split)
    converted, _ = load_model(checkpoint, dictionary.parent, "cpu")
    difference = largest_difference(original.eval(), converted, chosen, order)
    if not difference <= TOLERANCE:
        raise UserError(
            f"{checkpoint}: its hidden states differ from those of {folder} by {difference:.2g}, "
            f"more than {TOLERANCE:g}"
        )
    write_json(report, {"largest_state_difference": difference, "texts_with_equal_ids": compared})
    logger.info("states differ by at most %.2g; equal ids for %d texts", difference, compared)


if __name__ == "__main__":
    with step(snakemake):
        torch.set_num_threads(snakemake.threads)
        main(
            folder=Path(snakemake.input.folder[0]).parent,
            checkpoint=Path(snakemake.input.model),
            dictionary=Path(snakemake.input.dictionary),
            texts=[Path(path) for path in snakemake.input.texts],
            tokens=[Path(path) for path in snakemake.input.tokens],
            report=Path(snakemake.output.report),
        )
