"""Sizes of the encoders of transformers, in the study's terms, whatever their types call them.

A ``config`` is transformers' `PretrainedConfig`.
"""

from typing import Any

Architecture = dict[str, Any]

SPECIAL_POSITIONS = 2
"""Rows of RoBERTa's position embedding that no token uses: the first is behind the padding id."""

_ROBERTA_POSITIONS = (
    "camembert",
    "data2vec-text",
    "mpnet",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
)
_DROPOUTS = {
    "dropout": ("hidden_dropout_prob", "dropout", "embedding_dropout", "mlp_dropout"),
    "attention_dropout": ("attention_probs_dropout_prob", "attention_dropout"),
    "pooler_dropout": (
        "classifier_dropout",
        "classifier_dropout_prob",
        "seq_classif_dropout",
        "cls_dropout",
        "pooler_dropout",
    ),
}


def starts_behind_padding(config: Any) -> bool:
    """Tell whether the model counts positions from the padding id, as RoBERTa does."""
    return config.model_type in _ROBERTA_POSITIONS


def _first(config: Any, names: tuple[str, ...]) -> Any:
    """Return the first of the values that is not None, or None."""
    values = (getattr(config, name, None) for name in names)
    return next((value for value in values if value is not None), None)


def encoder_sizes(config: Any) -> Architecture:
    """Return an encoder's type and sizes; None where its type has no such size.

    `max_positions` are the tokens that a text may have, special ones included.
    """
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None and starts_behind_padding(config):
        positions -= SPECIAL_POSITIONS
    return {
        "type": config.model_type,
        "layers": config.num_hidden_layers,
        "embed_dim": config.hidden_size,
        "ffn_dim": _first(config, ("intermediate_size", "hidden_dim")),
        "attention_heads": config.num_attention_heads,
        "max_positions": positions,
        "vocab_size": config.vocab_size,
        "token_types": getattr(config, "type_vocab_size", None),
    }


def dropout_rates(config: Any) -> Architecture:
    """Return an encoder's rates of dropout; None where its type has no such rate."""
    rates = {name: _first(config, names) for name, names in _DROPOUTS.items()}
    if rates["pooler_dropout"] is None:  # as transformers' classifiers do
        rates["pooler_dropout"] = rates["dropout"]
    return rates


def set_dropout(config: Any, architecture: Architecture) -> None:
    """Write a study's rates of dropout into ``config``, where its type has such a rate."""
    for name, names in _DROPOUTS.items():
        for theirs in names:
            if name in architecture and hasattr(config, theirs):
                setattr(config, theirs, architecture[name])
