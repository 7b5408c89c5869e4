"""Attention and dropout, computed fast on a processor, for both engines.

torch's own attention falls back to a slow path on processors: its fused kernel multiplies in
float32 inside, takes no dropout, and draws dropout one number at a time. Here the products are
plain matrix products in the number format at hand, and one drawn number serves four elements.
On a GPU, and where no gradient is wanted, torch's own is used.
"""

import torch
from torch import nn
from torch.nn import functional

LENGTH_MULTIPLE = 4
"""Batches are padded to a multiple of it: every new shape costs oneDNN kernels of its own."""

_DRAWN_BITS = 16


def dropout(values: torch.Tensor, probability: float) -> torch.Tensor:
    """Return ``values`` with each set to zero with ``probability``, the others scaled up.

    The probability is rounded to a multiple of 2**-16. torch's seed drives it.
    """
    if values.device.type != "cpu":
        return functional.dropout(values, probability)
    per_draw = 64 // _DRAWN_BITS
    drawn = torch.empty(-(-values.numel() // per_draw), dtype=torch.int64)
    bits = drawn.random_(-(2**63), None).view(torch.int16)[: values.numel()]
    threshold = round(probability * 2**_DRAWN_BITS) - 2 ** (_DRAWN_BITS - 1)
    # In place and without bool, to which and from which conversions are slow.
    kept = bits.ge_(threshold).view(values.shape).to(values.dtype)
    return values * kept.mul_(1 / (1 - probability))


class Dropout(nn.Module):
    """`torch.nn.Dropout`, by `dropout`."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.p = probability

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return ``values``, in training with some set to zero."""
        return dropout(values, self.p) if self.training and self.p > 0 else values


def replace_dropout(model: nn.Module, kinds: tuple[type, ...] = (nn.Dropout,)) -> None:
    """Put `Dropout` in the place of every module of ``model`` that is one of ``kinds``."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, kinds):
                setattr(module, name, Dropout(child.p).train(child.training))


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None = None,
    probability: float = 0.0,
    scale: float | None = None,
) -> torch.Tensor:
    """Return softmax(scale QKᵀ)V (Vaswani et al. 2017), shape (B, heads, Q, d).

    Args:
        query: shape (B, heads, Q, d), for each of Q positions.
        key: what queries are compared with, shape (B, heads, L, d).
        value: what is averaged, shape (B, heads, L, d).
        mask: true where a position may be attended to, broadcastable to (B, heads, Q, L).
        probability: dropout on the weights.
        scale: 1/√d where not given.
    """
    if query.device.type != "cpu" or not torch.is_grad_enabled():
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=probability, scale=scale
        )
    shape = query.shape
    scaled = query * (shape[-1] ** -0.5 if scale is None else scale)
    query, key, value = (part.reshape(-1, *part.shape[-2:]) for part in (scaled, key, value))
    scores = (query @ key.transpose(-2, -1)).view(*shape[:-1], -1)  # (B, heads, Q, L)
    if mask is not None:
        scores += torch.zeros_like(mask, dtype=scores.dtype).masked_fill_(~mask, -torch.inf)
    weights = scores.softmax(dim=-1)
    if probability > 0:
        weights = dropout(weights, probability)
    return (weights.view(-1, *weights.shape[-2:]) @ value).view(shape)
