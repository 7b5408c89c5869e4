"""fairseq's RoBERTa with the attention and dropout of `seedwise.models.layers`."""

from typing import Any

import torch
from fairseq.models.roberta.model import RobertaLMHead
from fairseq.modules import FairseqDropout, MultiheadAttention
from fairseq.modules.gelu import gelu
from torch import nn
from torch.nn import functional

from seedwise.models.layers import attention, replace_dropout


class SelfAttention(MultiheadAttention):
    """fairseq's self-attention; the weights and their names are those of ``original``."""

    def __init__(self, original: MultiheadAttention) -> None:
        nn.Module.__init__(self)
        vars(self).update(vars(original))

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor | None,
        value: torch.Tensor | None,
        key_padding_mask: torch.Tensor | None = None,
        **_: Any,
    ) -> tuple[torch.Tensor, None]:
        """Return what ``query``, shape (L, B, C), finds in itself, in the same shape.

        ``key`` and ``value`` are the query, and true in ``key_padding_mask`` (B, L) is padding.
        """
        length, batch, width = query.shape

        projections = (self.q_proj, self.k_proj, self.v_proj)
        projected = functional.linear(  # one matrix product instead of three
            query.reshape(-1, width),
            torch.cat([projection.weight for projection in projections]),
            torch.cat([projection.bias for projection in projections]),
        )  # (L * B, 3 * C)
        parts = projected.view(length, batch, 3, self.num_heads, -1).permute(2, 1, 3, 0, 4)
        found = attention(
            *parts,
            mask=None if key_padding_mask is None else ~key_padding_mask[:, None, None].bool(),
            probability=self.dropout_module.p if self.training else 0.0,
        )  # (B, heads, L, d)
        return self.out_proj(found.permute(2, 0, 1, 3).reshape(length, batch, width)), None


class LanguageModelHead(RobertaLMHead):
    """fairseq's head for masked tokens, its bias added inside the matrix product."""

    def __init__(self, original: RobertaLMHead) -> None:
        nn.Module.__init__(self)
        vars(self).update(vars(original))

    def forward(
        self, features: torch.Tensor, masked_tokens: torch.Tensor | None = None, **_: Any
    ) -> torch.Tensor:
        """Return a logit per piece for the masked tokens, or for all if none are named."""
        if masked_tokens is not None:
            features = features[masked_tokens]
        hidden = self.layer_norm(self.activation_fn(self.dense(features)))
        return functional.linear(hidden, self.weight, self.bias)


def accelerate(model: nn.Module) -> nn.Module:
    """Replace the slow parts of fairseq's RoBERTa ``model``, and return it."""
    encoder = model.encoder
    encoder.lm_head = LanguageModelHead(encoder.lm_head)
    for layer in encoder.sentence_encoder.layers:
        layer.self_attn = SelfAttention(layer.self_attn)
    for module in (encoder.lm_head, *encoder.sentence_encoder.layers):
        if module.activation_fn is gelu:  # fairseq's converts to float32 and back
            module.activation_fn = functional.gelu
    replace_dropout(model, (FairseqDropout, nn.Dropout))
    return model
