"""Published encoders that fairseq's RoBERTa can hold: sizes, and weights there and back.

They differ from it in how ids are numbered, in where positions start, in token types, and in the
classification head. Nothing here needs transformers or fairseq.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch

from seedwise.errors import UserError
from seedwise.models.weight_names import transformers_name

Weights = dict[str, torch.Tensor]

SPECIAL_POSITIONS = 2
"""Rows of fairseq's position embedding before the first token's: padding is one of them."""

WORDS, POSITIONS, TYPES = (
    f"embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type")
)
POOLER = "pooler."


class Head(NamedTuple):
    """The classification head that transformers puts on a type of encoder.

    Attributes:
        activation: Between its two layers.
        dense: Name of its first layer, as transformers' classifier has it; ``{}`` stands for the
            encoder's own name.
        output: Name of its second layer.
    """

    activation: str
    dense: str = "classifier.dense."
    output: str = "classifier.out_proj."


ROBERTA_TYPES = ("roberta", "camembert", "xlm-roberta")
"""Their positions start behind the padding id, as fairseq's do."""

HEADS = {
    "bert": Head("tanh", "{}.pooler.dense.", "classifier."),
    "electra": Head("gelu"),
    **dict.fromkeys(ROBERTA_TYPES, Head("tanh")),
}
"""By transformers' name of the type, what fairseq's RoBERTa can hold."""


def first_position(config: Mapping[str, Any]) -> int:
    """Return the row of the first token in the position embedding of transformers."""
    return config["pad_token_id"] + 1 if config["model_type"] in ROBERTA_TYPES else 0


def check_type(config: Mapping[str, Any], file: str, key: str) -> None:
    """Raise `UserError` if fairseq's RoBERTa cannot hold an encoder.

    Args:
        config: The contents of its ``config.json``.
        file: Where they stand, for the message.
        key: What in the study asks for fairseq, for the message.
    """
    kind = config["model_type"]
    if kind not in HEADS:
        raise UserError(
            f"{key}: 'fairseq', but {file} is of the type {kind!r}; allowed with fairseq are "
            f"{', '.join(HEADS)}"
        )
    wanted = {
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "embedding_size": config["hidden_size"],
    }
    for name, value in wanted.items():
        if config.get(name, value) != value:
            raise UserError(
                f"{key}: 'fairseq', but in {file} {name} is {config[name]!r}; with fairseq "
                f"{value!r} is allowed"
            )


def architecture_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the architecture in the study's terms, with what fairseq needs to compute the same."""
    dropout = config["hidden_dropout_prob"]
    head_dropout = config.get("classifier_dropout")
    return {
        "layers": config["num_hidden_layers"],
        "embed_dim": config["hidden_size"],
        "ffn_dim": config["intermediate_size"],
        "attention_heads": config["num_attention_heads"],
        "max_positions": config["max_position_embeddings"] - first_position(config),
        "vocab_size": config["vocab_size"],
        "dropout": dropout,
        "attention_dropout": config["attention_probs_dropout_prob"],
        "pooler_dropout": dropout if head_dropout is None else head_dropout,
        "layer_norm_eps": config["layer_norm_eps"],
        "head_activation": HEADS[config["model_type"]].activation,
    }


def to_fairseq(
    weights: Weights, names: Iterable[str], order: list[int], config: Mapping[str, Any]
) -> Weights:
    """Return an encoder's weights under fairseq's names.

    Rows of the embedding follow ``order``, and each position carries the token type 0, which all
    tokens of a single text have. A pooler that is part of the head keeps its name.

    Args:
        weights: Of the encoder alone, by transformers' names.
        names: fairseq's names of the model's weights; those without counterpart are left out.
        order: transformers' id of each of fairseq's ids.
        config: The contents of ``config.json``.
    """
    given = dict(weights)
    given[WORDS] = weights[WORDS][order]
    rows = weights[POSITIONS][first_position(config) :] + weights[TYPES][0]
    given[POSITIONS] = torch.cat([rows.new_zeros(SPECIAL_POSITIONS, rows.shape[1]), rows])
    found = {}
    for name in names:
        theirs = (transformers_name(name) or "").removeprefix("roberta.")
        if theirs in given:
            found[name] = given[theirs]
    if HEADS[config["model_type"]].dense.startswith("{}"):
        found |= {name: weight for name, weight in weights.items() if name.startswith(POOLER)}
    return found


def to_transformers(
    weights: Weights, encoder: str, order: list[int], config: Mapping[str, Any]
) -> Weights:
    """Return the weights of a fairseq classifier under the names of transformers' classifier.

    The inverse of `to_fairseq`, but that the token types are zero: positions keep theirs.

    Args:
        weights: By fairseq's names.
        encoder: transformers' name of the encoder in the classifier, such as ``bert``.
        order: transformers' id of each of fairseq's ids.
        config: The contents of the original's ``config.json``.
    """
    head = HEADS[config["model_type"]]
    renamed = {
        "classifier.dense.": head.dense.format(encoder),
        "classifier.out_proj.": head.output,
        "roberta.": f"{encoder}.",
    }
    found = {}
    for name, weight in weights.items():
        theirs = transformers_name(name)
        for ours, prefix in renamed.items():
            if theirs and theirs.startswith(ours):
                found[prefix + theirs.removeprefix(ours)] = weight.float()
    words, positions, types = (f"{encoder}.{name}" for name in (WORDS, POSITIONS, TYPES))
    places = torch.tensor(order).argsort()
    found[words] = found[words][places]
    rows = found[positions][SPECIAL_POSITIONS:]
    before = rows.new_zeros(first_position(config), rows.shape[1])
    found[positions] = torch.cat([before, rows])
    found[types] = rows.new_zeros(config["type_vocab_size"], rows.shape[1])
    return found
