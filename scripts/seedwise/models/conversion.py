"""A model of fairseq as one of transformers: names of weights, configuration, tokenizer."""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BartphoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
)

from seedwise.errors import UserError
from seedwise.models.bert_family import to_transformers
from seedwise.models.weight_names import transformers_name
from seedwise.tokens.published import TOKENIZER
from seedwise.tokens.vocabulary import BOS_ID, EOS_ID, PAD_ID

LAYER_NORM_EPS = 1e-5
"""torch's default, which fairseq uses; transformers' default for RoBERTa is another."""


def convert_weights(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return fairseq's weights under transformers' names, in float32."""
    named = {transformers_name(name): tensor.float() for name, tensor in weights.items()}
    named.pop(None, None)
    return named


def named_outputs(labels: list[str]) -> dict[str, Any]:
    """Return how a configuration names the classes, or the one output of a model of scores."""
    scores = {"problem_type": "regression"} if len(labels) == 1 else {}
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
        **scores,
    }


def roberta_config(architecture: dict[str, Any], labels: list[str] | None) -> RobertaConfig:
    """Return transformers' configuration of an ``architecture``; ``labels`` name the classes."""
    return RobertaConfig(
        vocab_size=architecture["vocab_size"],
        hidden_size=architecture["embed_dim"],
        num_hidden_layers=architecture["layers"],
        num_attention_heads=architecture["attention_heads"],
        intermediate_size=architecture["ffn_dim"],
        # fairseq numbers positions from PAD_ID + 1, and so does transformers' RoBERTa.
        max_position_embeddings=architecture["max_positions"] + PAD_ID + 1,
        hidden_dropout_prob=architecture["dropout"],
        attention_probs_dropout_prob=architecture["attention_dropout"],
        classifier_dropout=architecture["pooler_dropout"],
        layer_norm_eps=LAYER_NORM_EPS,
        type_vocab_size=1,
        bos_token_id=BOS_ID,
        pad_token_id=PAD_ID,
        eos_token_id=EOS_ID,
        **(named_outputs(labels) if labels else {}),
    )


def build_model(
    weights: dict[str, torch.Tensor],
    architecture: dict[str, Any],
    labels: list[str] | None,
    source: str,
) -> PreTrainedModel:
    """Return transformers' model with fairseq's weights: a classifier if there are ``labels``.

    Token-type embeddings, which fairseq has not, are zero.

    Raises:
        UserError: the weights are not those of the architecture.
    """
    kind = RobertaForMaskedLM if labels is None else RobertaForSequenceClassification
    model = kind(roberta_config(architecture, labels)).eval()
    torch.nn.init.zeros_(model.roberta.embeddings.token_type_embeddings.weight)
    converted = convert_weights(weights)
    expected = model.state_dict()
    known = {name: tensor for name, tensor in converted.items() if name in expected}
    for name, tensor in known.items():
        if tensor.shape != expected[name].shape:
            raise UserError(
                f"{source}: {name} has the shape {tuple(tensor.shape)}, but the configured "
                f"architecture asks for {tuple(expected[name].shape)}"
            )
    missing = [
        name
        for name in expected
        if name not in known
        and "token_type" not in name
        and "position_ids" not in name
        and name != "lm_head.decoder.bias"
    ]
    layers = {name for name in converted if name.startswith("roberta.") and name not in expected}
    if missing or layers:
        raise UserError(
            f"{source}: not of the configured architecture; "
            + "; ".join(
                f"{what}: {', '.join(sorted(names)[:3])}"
                for what, names in (("missing", missing), ("not expected", layers))
                if names
            )
        )
    model.load_state_dict(known, strict=False)
    return model


def build_original(
    weights: dict[str, torch.Tensor], original: Path, order: list[int], labels: list[str]
) -> PreTrainedModel:
    """Return a classifier of the type from which a fairseq model was converted.

    Args:
        weights: The fairseq classifier's.
        original: The folder whose ``config.json`` tells the type.
        order: transformers' id of each of fairseq's ids.
        labels: The names of the classes.
    """
    config = AutoConfig.from_pretrained(original, local_files_only=True, **named_outputs(labels))
    model = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32).eval()
    named = to_transformers(weights, model.base_model_prefix, order, config)
    model.load_state_dict(named, strict=True)
    return model


def build_tokenizer(
    tokenizer: Path, dictionary: Path, max_positions: int | None
) -> PreTrainedTokenizerBase:
    """Return a tokenizer of transformers for a fairseq model.

    BARTpho's is the one of transformers' tokenizers made for fairseq: SentencePiece cuts the
    text, ``dict.txt`` numbers the pieces, and pieces outside it are unknown. Special tokens
    written out in a text are cut like any other word, as fairseq does.

    Args:
        tokenizer: The SentencePiece model; or the ``tokenizer.json`` of a published tokenizer,
            which needs no dictionary.
        dictionary: fairseq's ``dict.txt``.
        max_positions: The longest sequence in tokens, special ones included; None for what a
            published tokenizer says.
    """
    if tokenizer.name == TOKENIZER:
        limit = {} if max_positions is None else {"model_max_length": max_positions}
        return AutoTokenizer.from_pretrained(tokenizer.parent, local_files_only=True, **limit)
    return BartphoTokenizer(
        vocab_file=str(tokenizer),
        monolingual_vocab_file=str(dictionary),
        model_max_length=max_positions,
        split_special_tokens=True,
    )
