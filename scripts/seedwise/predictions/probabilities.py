"""Class probabilities of texts, or scores, by whatever model."""

import sys
from collections.abc import Callable, Sequence

import numpy as np
import torch

from seedwise.predictions.batches import PROCESSOR_TOKENS, batches


@torch.inference_mode()
def class_probabilities(
    lengths: Sequence[int] | np.ndarray,
    batch_size: int,
    device: torch.device | str,
    logits: Callable[[np.ndarray], torch.Tensor],
) -> np.ndarray:
    """Return the probability of each class for each text, shape (texts, classes).

    What a model of one output gives is no logit but a score, and stays as it is. In float32
    whatever the training precision, so that every tool that reads the model later finds the same.

    Args:
        lengths: The number of tokens of each text.
        batch_size: At most so many texts are read together, on a processor perhaps fewer.
        device: Where the model computes.
        logits: Gives the logits of the texts of some indices, shape (B, classes).
    """
    most = PROCESSOR_TOKENS if torch.device(device).type == "cpu" else sys.maxsize
    order = list(batches(lengths, most, batch_size))
    outputs = (logits(indices).float() for indices in order)
    found = [(o if o.shape[-1] == 1 else o.softmax(dim=-1)).cpu().numpy() for o in outputs]
    return np.concatenate(found)[np.argsort(np.concatenate(order))]
