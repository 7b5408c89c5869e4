"""The last layer of a model of scores: its loss, and the data's own units once it is trained."""

import torch
from torch import nn

from seedwise.errors import UserError
from seedwise.study.labels import Units


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


@torch.no_grad()
def give_units(model: nn.Module, units: Units) -> None:
    """Let a trained model give scores in the data's own units, in place."""
    layer = last_layer(model)
    weight, bias = units.layer(layer.weight, layer.bias)
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
