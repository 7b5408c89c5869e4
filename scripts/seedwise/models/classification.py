"""Texts to examples, and examples to class probabilities, with transformers."""

from typing import Any

import numpy as np
import torch
from transformers import DataCollatorWithPadding, PreTrainedModel, PreTrainedTokenizerBase

from seedwise.models import probabilities

Example = dict[str, Any]


def encode(
    records: list[dict[str, str]], labels: list[str], tokenizer: PreTrainedTokenizerBase
) -> list[Example]:
    """Return the token ids, cut to the model's positions, and the class of each text."""
    ids = tokenizer([record["text"] for record in records], truncation=True)["input_ids"]
    return [
        {"input_ids": tokens, "labels": labels.index(record["label"])}
        for tokens, record in zip(ids, records, strict=True)
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
        batch = collator([{"input_ids": examples[i]["input_ids"]} for i in indices])
        return model(**batch.to(model.device)).logits

    order = np.argsort([len(example["input_ids"]) for example in examples], kind="stable")
    batches = np.split(order, range(batch_size, len(order), batch_size))
    return probabilities.class_probabilities(batches, logits)
