"""fairseq's RoBERTa with the attention and dropout of `seedwise.models.layers`."""

from typing import Any

import torch
from fairseq.models.roberta.model import RobertaLMHead
from fairseq.modules import FairseqDropout, MultiheadAttention, TransformerEncoderLayer
from fairseq.modules.gelu import gelu
from torch import nn
from torch.nn import functional

from seedwise.models.layers import attention, replace_dropout


class SelfAttention(MultiheadAttention):
    """fairseq's self-attention; the weights and their names are those of ``original``.

    It looks from the first ``positions`` of a text, or from all if that is None.
    """

    def __init__(self, original: MultiheadAttention, positions: int | None = None) -> None:
        nn.Module.__init__(self)
        vars(self).update(vars(original))
        self.positions = positions

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor | None,
        value: torch.Tensor | None,
        key_padding_mask: torch.Tensor | None = None,
        **_: Any,
    ) -> tuple[torch.Tensor, None]:
        """Return what ``query``, shape (L, B, C), finds in itself, shape (positions, B, C).

        ``key`` and ``value`` are the query, and true in ``key_padding_mask`` (B, L) is padding.
        """
        if self.positions is None:
            parts = self._projected(query, self.q_proj, self.k_proj, self.v_proj)
        else:
            parts = [
                *self._projected(query[: self.positions], self.q_proj),
                *self._projected(query, self.k_proj, self.v_proj),
            ]
        found = attention(
            *parts,
            mask=None if key_padding_mask is None else ~key_padding_mask[:, None, None].bool(),
            probability=self.dropout_module.p if self.training else 0.0,
        )  # (B, heads, positions, d)
        return self.out_proj(found.permute(2, 0, 1, 3).flatten(2)), None

    def _projected(self, states: torch.Tensor, *projections: nn.Linear) -> torch.Tensor:
        """Return the projections of ``states`` (L, B, C): (projections, B, heads, L, d)."""
        length, batch, width = states.shape
        projected = functional.linear(  # one matrix product instead of several
            states.reshape(-1, width),
            torch.cat([projection.weight for projection in projections]),
            torch.cat([projection.bias for projection in projections]),
        )  # (L * B, projections * C)
        parts = projected.view(length, batch, len(projections), self.num_heads, -1)
        return parts.permute(2, 1, 3, 0, 4)


class FirstPositionLayer(TransformerEncoderLayer):
    """fairseq's encoder layer ``original``, of whose output only the first position is wanted."""

    def __init__(self, original: TransformerEncoderLayer) -> None:
        nn.Module.__init__(self)
        vars(self).update(vars(original))
        self.self_attn = SelfAttention(original.self_attn, positions=1)

    def residual_connection(self, x: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        """Return the sum, shape (1, B, C); ``residual`` may have more positions."""
        return residual[:1] + x


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


def accelerate(model: nn.Module, *, first_position: bool = False) -> nn.Module:
    """Replace the slow parts of fairseq's RoBERTa ``model``, and return it.

    With ``first_position``, its features are those of a text's first token alone, (B, 1, C), which
    is all that a classification head reads.
    """
    encoder = model.encoder
    encoder.lm_head = LanguageModelHead(encoder.lm_head)
    for layer in encoder.sentence_encoder.layers:
        layer.self_attn = SelfAttention(layer.self_attn)
    if first_position:
        layers = encoder.sentence_encoder.layers
        layers[-1] = FirstPositionLayer(layers[-1])
    for module in (encoder.lm_head, *encoder.sentence_encoder.layers):
        if module.activation_fn is gelu:  # fairseq's converts to float32 and back
            module.activation_fn = functional.gelu
    replace_dropout(model, (FairseqDropout, nn.Dropout))
    return model
