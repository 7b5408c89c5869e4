"""Published encoders that fairseq's RoBERTa can hold: sizes, and weights there and back.

They differ from it in how ids are numbered, in where positions start, in token types, and in the
classification head. A ``config`` is transformers' `PretrainedConfig`; nothing else of transformers
or fairseq is needed here.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from seedwise.errors import UserError
from seedwise.models.encoders import (
    SPECIAL_POSITIONS,
    Architecture,
    dropout_rates,
    encoder_sizes,
    starts_behind_padding,
)
from seedwise.models.weight_names import transformers_name

Weights = dict[str, torch.Tensor]

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


HEADS = {
    "bert": Head("tanh", "{}.pooler.dense.", "classifier."),
    "camembert": Head("tanh"),
    "electra": Head("gelu"),
    "roberta": Head("tanh"),
    "xlm-roberta": Head("tanh"),
}
"""By transformers' name of the type; these are `seedwise.study.encoders.FAIRSEQ_TYPES`."""


def first_position(config: Any) -> int:
    """Return the row of the first token in transformers' position embedding."""
    return config.pad_token_id + 1 if starts_behind_padding(config) else 0


def check_fits(config: Any, file: Path, experiments: list[str]) -> None:
    """Raise `UserError` if fairseq's RoBERTa cannot hold an encoder of one of its types.

    Args:
        config: The encoder's configuration.
        file: Where it stands.
        experiments: Those that ask for fairseq.
    """
    wanted = {
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "embedding_size": config.hidden_size,
    }
    for name, value in wanted.items():
        if (found := getattr(config, name, value)) != value:
            raise UserError(
                f"experiments.{experiments[0]}.engine: 'fairseq', but in {file} {name} is "
                f"{found!r}; fairseq holds such a model with {value!r}, the engine 'transformers' "
                "all"
            )


def fairseq_architecture(config: Any) -> Architecture:
    """Return an encoder's sizes in the study's terms, and what else fairseq needs to compute it."""
    rates = dropout_rates(config)
    return {
        **encoder_sizes(config),
        **rates,
        "max_positions": config.max_position_embeddings - first_position(config),
        # A head without a rate of its own has that of the encoder.
        "pooler_dropout": (
            rates["dropout"] if rates["pooler_dropout"] is None else rates["pooler_dropout"]
        ),
        "layer_norm_eps": config.layer_norm_eps,
        "head_activation": HEADS[config.model_type].activation,
    }


def to_fairseq(weights: Weights, names: Iterable[str], order: list[int], config: Any) -> Weights:
    """Return an encoder's weights under fairseq's names.

    Rows of the embedding follow ``order``, and each position carries the token type 0, which all
    tokens of a single text have. A pooler that is part of the head keeps its name.

    Args:
        weights: Of the encoder alone, by transformers' names.
        names: fairseq's names of the model's weights; those without counterpart are left out.
        order: transformers' id of each of fairseq's ids.
        config: Of the encoder.
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
    if HEADS[config.model_type].dense.startswith("{}"):
        found |= {name: weight for name, weight in weights.items() if name.startswith(POOLER)}
    return found


def to_transformers(weights: Weights, encoder: str, order: list[int], config: Any) -> Weights:
    """Return the weights of a fairseq classifier under the names of transformers' classifier.

    The inverse of `to_fairseq`, but that the token types are zero: positions keep theirs.

    Args:
        weights: By fairseq's names.
        encoder: transformers' name of the encoder in the classifier, such as ``bert``.
        order: transformers' id of each of fairseq's ids.
        config: Of the original.
    """
    head = HEADS[config.model_type]
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
    found[types] = rows.new_zeros(config.type_vocab_size, rows.shape[1])
    return found
