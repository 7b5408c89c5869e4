"""Texts to examples, and examples to class probabilities, with transformers."""

from typing import Any

import numpy as np
import torch
from transformers import DataCollatorWithPadding, PreTrainedModel, PreTrainedTokenizerBase

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


@torch.inference_mode()
def class_probabilities(
    model: PreTrainedModel,
    examples: list[Example],
    collator: DataCollatorWithPadding,
    batch_size: int,
) -> np.ndarray:
    """Return the probability of each class for each text, shape (texts, labels).

    In float32 whatever the training precision, so that every tool that reads the model later
    finds the same labels. Batches are sorted by length.
    """
    model.eval()
    order = np.argsort([len(example["input_ids"]) for example in examples], kind="stable")
    probabilities = np.zeros((len(examples), model.config.num_labels), dtype=np.float32)
    for start in range(0, len(order), batch_size):
        indices = order[start : start + batch_size]
        batch = collator([{"input_ids": examples[i]["input_ids"]} for i in indices])
        logits = model(**batch.to(model.device)).logits  # (B, labels)
        probabilities[indices] = logits.float().softmax(dim=-1).cpu().numpy()
    return probabilities
