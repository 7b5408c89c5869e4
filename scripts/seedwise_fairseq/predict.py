"""Read a trained fairseq model and compute with it, in float32."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from fairseq import checkpoint_utils

HEAD = "sentence_classification_head"


def load_model(path: Path, data: Path, device: str) -> tuple[Any, Any]:
    """Return the model in ``path``, ready to predict, and its task on the folder ``data``."""
    models, _, task = checkpoint_utils.load_model_ensemble_and_task(
        [str(path)], arg_overrides={"data": str(data)}
    )
    return models[0].to(device).eval(), task


@torch.inference_mode()
def class_probabilities(
    model: Any, task: Any, split: str, batch_size: int, device: str
) -> np.ndarray:
    """Return the probability of each class for each text of a split, shape (texts, classes).

    In float32 whatever the training precision, so that every tool that reads the model later
    finds the same labels. Batches are sorted by length.
    """
    dataset = task.load_dataset(split)
    order = dataset.ordered_indices()
    probabilities = np.zeros((len(dataset), task.cfg.num_classes), dtype=np.float32)
    for start in range(0, len(order), batch_size):
        indices = order[start : start + batch_size]
        sample = dataset.collater([dataset[index] for index in indices])
        inputs = {key: value.to(device) for key, value in sample["net_input"].items()}
        logits, _ = model(**inputs, features_only=True, classification_head_name=HEAD)
        probabilities[indices] = logits.float().softmax(dim=-1).cpu().numpy()  # (B, classes)
    return probabilities
