"""Take over a published transformers folder: an encoder and its tokenizer.

Input: an archive or folder in transformers' format. Outputs: the folder ``config.json``,
``model.safetensors`` (what was pre-trained, in float32; every experiment trains a head of its own)
and tokenizer files; ``architecture`` (JSON: the model's sizes in the study's terms) and ``counts``
(JSON: part, number of parameters). Where the study has an architecture, the rates of dropout are
its own. Code that the folder may carry is never run.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from seedwise.errors import UserError
from seedwise.files import atomic, sha256_of_files, write_json
from seedwise.models.encoders import (
    dropout_rates,
    encoder_sizes,
    set_dropout,
    starts_behind_padding,
)
from seedwise.models.parameters import count_encoder
from seedwise.models.published import Published
from seedwise.step import step
from seedwise.study.encoders import check_engine, check_folder

KEY = "transformers_checkpoint"

LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}

PRETRAINED_HEADS = {"modernbert": "head."}
"""Layers outside of the encoder that pre-training has trained and a classifier goes on with."""


def load_config(folder: Path, published: Published) -> Any:
    """Return transformers' configuration of the model in ``folder``, with the study's dropout.

    Raises:
        UserError: it cannot be read, or has other sizes than the study.
    """
    file = folder / "config.json"
    try:
        config = AutoConfig.from_pretrained(folder, **LOCAL)
    except Exception as error:
        raise _unreadable(file, "this configuration", error) from error
    published.check_sizes(encoder_sizes(config), file)
    set_dropout(config, published.architecture)
    return config


def load_model(folder: Path, config: Any, pickle: bool) -> tuple[PreTrainedModel, set[str]]:
    """Return the classifier in ``folder`` in float32, and the names of its weights that are new.

    Raises:
        UserError: it is incomplete or cannot be loaded.
    """
    try:
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            output_loading_info=True,
            use_safetensors=None if pickle else True,
            **LOCAL,
        )
    # What transformers raises over a bad folder is of many classes, UnpicklingError among them.
    except Exception as error:
        raise _unreadable(folder, "this model", error) from error
    new = set(loaded["missing_keys"])
    prefix = f"{model.base_model_prefix}."
    # A pooler is a part of the head: models pre-trained without it are published without it.
    missing = sorted(name for name in new if name.startswith(prefix) and ".pooler." not in name)
    if missing:
        raise UserError(f"{folder}: weights are missing: {', '.join(missing[:3])}")
    return model, new


def _unreadable(place: Path, what: str, error: Exception) -> UserError:
    reason = " ".join(str(error).split())
    return UserError(f"{place}: transformers cannot load {what}: {reason}")


def load_tokenizer(
    folder: Path, config: Any, max_positions: int | None, max_tokens: int | None
) -> PreTrainedTokenizerBase:
    """Return the tokenizer in ``folder``, which cuts texts to what model, study and itself allow.

    Args:
        folder: the published folder.
        config: of its model.
        max_positions: tokens that the model can read, if it has a limit.
        max_tokens: the study's limit, if it has one.

    Raises:
        UserError: it cannot be loaded, has no pieces, numbers pieces beyond the embedding, or pads
            with another id than the model.
    """
    try:
        # A text is cut at its end and padded there, whatever its authors preferred; special tokens
        # written out in it are cut like any other word, as fairseq does.
        tokenizer = AutoTokenizer.from_pretrained(
            folder,
            padding_side="right",
            truncation_side="right",
            split_special_tokens=True,
            **LOCAL,
        )
    except Exception as error:
        raise _unreadable(folder, "its tokenizer", error) from error
    # Without files that it knows, transformers makes a tokenizer of special tokens alone.
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        raise UserError(f"{folder}: holds no files of a {type(tokenizer).__name__}")
    if tokenizer.pad_token_id != config.pad_token_id:
        raise UserError(
            f"{folder}: the tokenizer pads with the id {tokenizer.pad_token_id}, the model with "
            f"{config.pad_token_id}"
        )
    if starts_behind_padding(config) and tokenizer.pad_token_id > 1:
        raise UserError(
            f"{folder / 'config.json'}: pad_token_id is {tokenizer.pad_token_id}, behind which the "
            "model counts positions; 0 and 1 are allowed"
        )
    top = max(tokenizer.get_vocab().values())
    if top >= config.vocab_size:
        raise UserError(
            f"{folder}: the tokenizer gives a piece the number {top:,}, but the embedding has only "
            f"{config.vocab_size:,} rows (`vocab_size` of config.json)"
        )
    limits = (tokenizer.model_max_length, max_positions, max_tokens)
    tokenizer.model_max_length = min(limit for limit in limits if limit is not None)
    return tokenizer


def save_pretrained(model: PreTrainedModel, new: set[str], folder: Path) -> None:
    """Write what was pre-trained of ``model`` to ``folder``; ``new`` names weights that were not.

    A pooler that was not published is left out, so that every run draws its own.
    """
    prefix = f"{model.base_model_prefix}."
    head = PRETRAINED_HEADS.get(model.config.model_type)
    kept = {
        name: weight
        for name, weight in model.state_dict().items()
        if name not in new and name.startswith((prefix, head) if head else prefix)
    }
    if head:
        model.save_pretrained(folder, state_dict=kept)
    else:
        bare = {name.removeprefix(prefix): weight for name, weight in kept.items()}
        model.base_model.save_pretrained(folder, state_dict=bare)


def check_weights(folder: Path, expected: str | None, key: str) -> None:
    """Raise `UserError` if ``expected`` is not the SHA-256 of the weights in ``folder``."""
    file = folder / "model.safetensors"
    if expected is None:
        return
    if not file.is_file():
        raise UserError(f"{file}: missing; {key}.weights_sha256 is the SHA-256 of this one file")
    if (seen := sha256_of_files([file])) != expected:
        raise UserError(f"{file}: has SHA-256 {seen}, but {key}.weights_sha256 is {expected}")


def main(
    *,
    published: Published,
    fairseq_experiments: list[str],
    folder: Path,
    architecture: Path,
    counts: Path,
) -> None:
    """Unpack, check, write. ``fairseq_experiments`` name those that want the model in fairseq."""
    key = f"models.{published.model}.{KEY}"
    pickle = published.located.get("pickle", False)
    with published.unpacked(KEY, folder) as unpacked:
        kind = check_folder(unpacked, key, pickle=pickle)
        check_engine(kind, unpacked / "config.json", fairseq_experiments)
        check_weights(unpacked, published.located.get("weights_sha256"), key)
        config = load_config(unpacked, published)
        sizes = encoder_sizes(config)
        tokenizer = load_tokenizer(unpacked, config, sizes["max_positions"], published.max_tokens)
        model, new = load_model(unpacked, config, pickle)
        with atomic(folder) as partial:
            save_pretrained(model, new, partial)
            tokenizer.save_pretrained(partial)
    write_json(counts, count_encoder(model))
    found = sizes | dropout_rates(config) | {"max_tokens": tokenizer.model_max_length}
    write_json(architecture, found)


if __name__ == "__main__":
    with step(snakemake):
        torch.set_num_threads(snakemake.threads)
        main(
            published=Published.of(snakemake),
            fairseq_experiments=snakemake.params.fairseq_experiments,
            folder=Path(snakemake.output.folder[0]).parent,
            architecture=Path(snakemake.output.architecture),
            counts=Path(snakemake.output.counts),
        )
