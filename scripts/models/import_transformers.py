"""Take over a published transformers folder: an encoder and its tokenizer.

Input: an archive or folder in transformers' format. Output: the folder ``config.json``,
``model.safetensors`` (the encoder in float32; every experiment trains a head of its own) and
tokenizer files. The rates of dropout are the study's, as for the other engine. Code that the
folder may carry is never run.
"""

from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from seedwise.errors import UserError
from seedwise.files import atomic
from seedwise.models.published import Published, config_sizes
from seedwise.step import step

KINDS = ("roberta", "camembert", "xlm-roberta")
"""transformers' names of the RoBERTa architecture."""

LOCAL = {"local_files_only": True, "trust_remote_code": False}


def load_encoder(folder: Path, published: Published) -> PreTrainedModel:
    """Return the encoder in ``folder``, to which ``published`` was unpacked, in float32.

    Raises:
        UserError: it is no RoBERTa, of another architecture, incomplete, or cannot be loaded.
    """
    architecture = published.architecture
    try:
        config = AutoConfig.from_pretrained(folder, **LOCAL)
        if config.model_type not in KINDS:
            raise UserError(
                f"{folder / 'config.json'}: a model of type {config.model_type!r}; allowed are "
                f"{', '.join(KINDS)}"
            )
        published.check_sizes(config_sizes(config), folder / "config.json")
        config.hidden_dropout_prob = architecture["dropout"]
        config.attention_probs_dropout_prob = architecture["attention_dropout"]
        config.classifier_dropout = architecture["pooler_dropout"]
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            folder, config=config, dtype=torch.float32, output_loading_info=True, **LOCAL
        )
    except UserError:
        raise
    # What transformers raises over a bad folder is of many classes, UnpicklingError among them.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{folder}: transformers cannot load this model: {reason}") from error
    missing = sorted(key for key in loaded["missing_keys"] if not key.startswith("classifier."))
    if missing:
        raise UserError(f"{folder}: weights are missing: {', '.join(missing[:3])}")
    return model.base_model


def load_tokenizer(folder: Path, max_positions: int, pad_id: int) -> PreTrainedTokenizerBase:
    """Return the tokenizer in ``folder``, which cuts texts to ``max_positions`` tokens.

    Raises:
        UserError: it cannot be loaded, has no pieces, or pads with another id than ``pad_id``,
            from which RoBERTa tells the positions.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, model_max_length=max_positions, **LOCAL)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{folder}: transformers cannot load its tokenizer: {reason}") from error
    # Without files that it knows, transformers makes a tokenizer of special tokens alone.
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        raise UserError(f"{folder}: holds no files of a {type(tokenizer).__name__}")
    if tokenizer.pad_token_id != pad_id:
        raise UserError(
            f"{folder}: the tokenizer pads with the id {tokenizer.pad_token_id}, the model with "
            f"{pad_id}"
        )
    return tokenizer


def main(*, published: Published, folder: Path) -> None:
    """Unpack, check, write."""
    with published.unpacked("transformers_checkpoint", folder) as unpacked:
        encoder = load_encoder(unpacked, published)
        tokenizer = load_tokenizer(
            unpacked, published.architecture["max_positions"], encoder.config.pad_token_id
        )
        with atomic(folder) as partial:
            encoder.save_pretrained(partial)
            tokenizer.save_pretrained(partial)


if __name__ == "__main__":
    with step(snakemake):
        torch.set_num_threads(snakemake.threads)
        main(
            published=Published.of(snakemake),
            folder=Path(snakemake.output.folder[0]).parent,
        )
