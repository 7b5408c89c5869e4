"""Texts to examples, and examples to class probabilities, with transformers."""

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from transformers import DataCollatorWithPadding, PreTrainedModel, PreTrainedTokenizerBase

from seedwise.data.texts import FIELDS, parts, text_of
from seedwise.predictions import probabilities

Example = dict[str, Any]
Inputs = dict[str, list[list[int]]]

# It warns of every pair that it cuts, that it does not return what is cut off.
logging.getLogger("transformers.tokenization_python").setLevel(logging.ERROR)


def tokenize(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str], **options: Any) -> Inputs:
    """Return what a model reads of each text, or pair (`seedwise.data.texts`): ``input_ids``.

    Of pairs, also ``token_type_ids`` where the model has them; those of a single text are all 0.
    """
    first, second = parts(texts)
    found = tokenizer(first, second, **options)
    kept = ("input_ids", "token_type_ids") if second is not None else ("input_ids",)
    return {name: found[name] for name in kept if name in found}


def mark_pairs(model: PreTrainedModel, pairs: bool) -> None:
    """Note in a model's configuration that it reads pairs, for whoever loads it (`reads_pairs`)."""
    if pairs:
        model.config.text_pairs = True


def reads_pairs(model: PreTrainedModel) -> bool:
    """Return whether a model was trained on pairs."""
    return getattr(model.config, "text_pairs", False)


def encode(records: list[dict[str, Any]], tokenizer: PreTrainedTokenizerBase) -> list[Example]:
    """Return what the model reads of each text, cut to its positions."""
    inputs = tokenize(tokenizer, map(text_of, records), truncation=True)
    rows = range(len(records))
    return [{name: values[row] for name, values in inputs.items()} for row in rows]


def count_cut(
    records: list[dict[str, str]], examples: list[Example], tokenizer: PreTrainedTokenizerBase
) -> dict[str, int]:
    """Return what was cut of the texts that `encode` made ``examples`` of.

    That is the number of ``texts``, how many were ``cut``, how many ``pieces`` they have, special
    tokens apart, and how many of these were ``lost``, as `tokens.pieces.Encoder.counts` has them.
    """
    longest = tokenizer.model_max_length
    full = [
        text_of(record)
        for record, example in zip(records, examples, strict=True)
        if len(example["input_ids"]) >= longest
    ]
    whole = tokenize(tokenizer, full, verbose=False)["input_ids"] if full else []
    lost = [len(ids) - longest for ids in whole]
    kept = sum(len(example["input_ids"]) for example in examples)
    pairs = bool(records) and FIELDS[1] in records[0]
    special = len(examples) * tokenizer.num_special_tokens_to_add(pair=pairs)
    return {
        "texts": len(examples),
        "cut": sum(count > 0 for count in lost),
        "pieces": kept - special + sum(lost),
        "lost": sum(lost),
    }


def class_probabilities(
    model: PreTrainedModel,
    examples: list[Example],
    collator: DataCollatorWithPadding,
    batch_size: int,
) -> np.ndarray:
    """Return `probabilities.class_probabilities` of ``examples``; of a model of scores, these."""
    model.eval()

    def logits(indices: np.ndarray) -> torch.Tensor:
        batch = collator(
            [{name: v for name, v in examples[i].items() if name != "labels"} for i in indices]
        )
        return model(**batch.to(model.device)).logits

    lengths = [len(example["input_ids"]) for example in examples]
    return probabilities.class_probabilities(lengths, batch_size, model.device, logits)
