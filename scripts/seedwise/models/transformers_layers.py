"""transformers' classifiers with the attention and dropout of `seedwise.models.layers`."""

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from seedwise.models.layers import LENGTH_MULTIPLE, attention, replace_dropout
from seedwise.study.encoders import FAIRSEQ_TYPES

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


class FirstPositionAttention(torch.nn.Module):
    """The attention ``original`` of a layer as BERT's, from the first position alone."""

    def __init__(self, original: torch.nn.Module) -> None:
        super().__init__()
        vars(self).update(vars(original))

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        *_: Any,
        **__: Any,
    ) -> tuple[torch.Tensor, None]:
        """Return what the first of ``hidden_states`` (B, L, C) finds in all: (B, 1, C)."""
        layer, first = self.self, hidden_states[:, :1]
        query, key, value = (
            projection(states).unflatten(-1, (layer.num_attention_heads, -1)).transpose(1, 2)
            for projection, states in (
                (layer.query, first),
                (layer.key, hidden_states),
                (layer.value, hidden_states),
            )
        )  # (B, heads, positions, d)
        found = attention(
            query,
            key,
            value,
            None if attention_mask is None else attention_mask[:, :, :1],
            layer.dropout.p if self.training else 0.0,
            layer.scaling,
        )
        return self.output(found.transpose(1, 2).flatten(2), first), None


def accelerate(model: PreTrainedModel) -> PreTrainedModel:
    """Replace slow parts of the classifier ``model``, and return it; its weights stay.

    Of BERT and its family, whose head reads a text's first token, the last layer computes no other.
    """
    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(_NAME, _attention)
        AttentionMaskInterface.register(_NAME, sdpa_mask)
        model.set_attn_implementation(_NAME)
        if model.config.model_type in FAIRSEQ_TYPES and not model.config.is_decoder:
            last = model.base_model.encoder.layer[-1]
            last.attention = FirstPositionAttention(last.attention)
    replace_dropout(model)
    return model


def length_multiple(longest: int) -> int:
    """Return what to pad batches to a multiple of, so that none becomes longer than ``longest``."""
    return LENGTH_MULTIPLE if longest % LENGTH_MULTIPLE == 0 else 1
