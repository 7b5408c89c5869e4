"""Texts to examples, and examples to class probabilities, with transformers."""

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from transformers import DataCollatorWithPadding, PreTrainedModel, PreTrainedTokenizerBase

from seedwise.data.texts import parts, text_of
from seedwise.models import probabilities

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


def encode(
    records: list[dict[str, str]], labels: list[str], tokenizer: PreTrainedTokenizerBase
) -> list[Example]:
    """Return what the model reads of each text, cut to its positions, and the class."""
    inputs = tokenize(tokenizer, map(text_of, records), truncation=True)
    return [
        {name: values[row] for name, values in inputs.items()}
        | {"labels": labels.index(record["label"])}
        for row, record in enumerate(records)
    ]


def class_probabilities(
    model: PreTrainedModel,
    examples: list[Example],
    collator: DataCollatorWithPadding,
    batch_size: int,
) -> np.ndarray:
    """Return `probabilities.class_probabilities` of ``examples``, in batches sorted by length."""
    model.eval()

    def logits(indices: np.ndarray) -> torch.Tensor:
        batch = collator(
            [{name: v for name, v in examples[i].items() if name != "labels"} for i in indices]
        )
        return model(**batch.to(model.device)).logits

    order = np.argsort([len(example["input_ids"]) for example in examples], kind="stable")
    batches = np.split(order, range(batch_size, len(order), batch_size))
    return probabilities.class_probabilities(batches, logits)
