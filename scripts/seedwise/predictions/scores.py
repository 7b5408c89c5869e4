"""The last layer of a model of scores: its loss, and the data's own units once it is trained."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from seedwise.errors import UserError


def sums(predicted: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Return what `seedwise.predictions.measures.pearson_of` needs of a batch, in float64.

    Args:
        predicted: Shape (B,).
        scores: Shape (B,).
    """
    x, y = predicted.detach().double(), scores.double()
    return torch.stack([x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()])


def last_layer(model: nn.Module) -> nn.Linear:
    """Return the layer that gives the score.

    Raises:
        UserError: There is none that could give any score.
    """
    found = [
        module
        for module in model.modules()
        if isinstance(module, nn.Linear) and module.out_features == 1 and module.bias is not None
    ]
    if not found:
        raise UserError(
            f"a model of type {model.config.model_type!r} has no last layer with a bias, which "
            "scores need; labels would do, or another model"
        )
    return found[-1]


def to_range(weight: Any, bias: Any, limits: Sequence[float]) -> tuple[Any, Any]:
    """Return the last layer's parameters with which it gives what lay in [0, 1] from low to high.

    Args:
        weight: Shape (1, D).
        bias: Shape (1,).
        limits: The lowest and the highest score.
    """
    low, high = limits
    return weight * (high - low), bias * (high - low) + low


@torch.no_grad()
def give_range(model: nn.Module, limits: Sequence[float]) -> None:
    """Let a model of scores in [0, 1] give them in the data's own units, in place."""
    layer = last_layer(model)
    weight, bias = to_range(layer.weight, layer.bias, limits)
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
