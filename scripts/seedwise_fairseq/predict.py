"""Read a trained fairseq model and compute with it, in float32."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from fairseq import checkpoint_utils

from seedwise.predictions import probabilities
from seedwise_fairseq.batches import lengths

HEAD = "sentence_classification_head"


def load_model(path: Path, data: Path, device: str) -> tuple[Any, Any]:
    """Return the model in ``path``, ready to predict, and its task on the folder ``data``."""
    models, _, task = checkpoint_utils.load_model_ensemble_and_task(
        [str(path)], arg_overrides={"data": str(data)}
    )
    return models[0].to(device).eval(), task


def class_probabilities(
    model: Any, task: Any, split: str, batch_size: int, device: str
) -> np.ndarray:
    """Return `probabilities.class_probabilities` of a split."""
    dataset = task.load_dataset(split)

    def logits(indices: np.ndarray) -> torch.Tensor:
        sample = dataset.collater([dataset[index] for index in indices])
        inputs = {key: value.to(device) for key, value in sample["net_input"].items()}
        return model(**inputs, features_only=True, classification_head_name=HEAD)[0]

    return probabilities.class_probabilities(lengths(dataset), batch_size, device, logits)
