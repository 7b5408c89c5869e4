"""Class probabilities of texts, by whatever model."""

from collections.abc import Callable, Iterable

import numpy as np
import torch


@torch.inference_mode()
def class_probabilities(
    batches: Iterable[np.ndarray], logits: Callable[[np.ndarray], torch.Tensor]
) -> np.ndarray:
    """Return the probability of each class for each text, shape (texts, classes).

    In float32 whatever the training precision, so that every tool that reads the model later
    finds the same labels.

    Args:
        batches: Indices of the texts, each text's in one batch.
        logits: Gives the logits of a batch, shape (B, classes).
    """
    order = list(batches)
    found = [logits(indices).float().softmax(dim=-1).cpu().numpy() for indices in order]
    return np.concatenate(found)[np.argsort(np.concatenate(order))]
