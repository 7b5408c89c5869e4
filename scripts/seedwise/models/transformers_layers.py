"""transformers' models with the attention and dropout of `seedwise.models.layers`."""

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from seedwise.models.layers import LENGTH_MULTIPLE, attention, replace_dropout

_NAME = "seedwise"


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Do as `sdpa_attention_forward`, which also serves what `attention` does not know."""
    # In a window there may be nothing but padding, over which a softmax is not a number.
    special = ("position_bias", "cache", "softcap", "sliding_window")
    unknown = any(kwargs.get(name) is not None for name in special)
    if unknown or getattr(module, "is_causal", True) or query.shape != key.shape:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    found = attention(query, key, value, attention_mask, dropout, scaling)  # (B, heads, L, d)
    return found.transpose(1, 2).contiguous(), None


def accelerate(model: PreTrainedModel) -> PreTrainedModel:
    """Replace attention and dropout in ``model``, and return it; its weights stay."""
    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(_NAME, _attention)
        AttentionMaskInterface.register(_NAME, sdpa_mask)
        model.set_attn_implementation(_NAME)
    replace_dropout(model)
    return model


def length_multiple(longest: int) -> int:
    """Return what to pad batches to a multiple of, so that none becomes longer than ``longest``."""
    return LENGTH_MULTIPLE if longest % LENGTH_MULTIPLE == 0 else 1
