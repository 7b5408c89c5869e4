"""Class probabilities of texts, or scores, by whatever model."""

from collections.abc import Callable, Iterable

import numpy as np
import torch


@torch.inference_mode()
def class_probabilities(
    batches: Iterable[np.ndarray], logits: Callable[[np.ndarray], torch.Tensor]
) -> np.ndarray:
    """Return the probability of each class for each text, shape (texts, classes).

    What a model of one output gives is no logit but a score, and stays as it is. In float32
    whatever the training precision, so that every tool that reads the model later finds the same.

    Args:
        batches: Indices of the texts, each text's in one batch.
        logits: Gives the logits of a batch, shape (B, classes).
    """
    order = list(batches)
    outputs = (logits(indices).float() for indices in order)
    found = [(o if o.shape[-1] == 1 else o.softmax(dim=-1)).cpu().numpy() for o in outputs]
    return np.concatenate(found)[np.argsort(np.concatenate(order))]
