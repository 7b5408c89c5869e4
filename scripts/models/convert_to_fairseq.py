"""Convert a published encoder of transformers' to a fairseq checkpoint with its dictionary.

Input: the imported folder (``config.json``, ``model.safetensors``, tokenizer files). Outputs:
``model.pt``; ``architecture`` (JSON: its sizes in the study's terms); ``dict.txt`` and, beside it,
the tokenizer's own files. Rule check_conversion then proves that both compute the same.
"""

import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoConfig

from seedwise.files import atomic, write_json, write_text
from seedwise.models import bert_family
from seedwise.models.weight_names import is_fused_copy
from seedwise.step import step
from seedwise.tokens.published import FILES, PublishedTokenizer
from seedwise_fairseq.build import build_model, model_options
from seedwise_fairseq.launch import export_model


def fairseq_weights(
    weights: bert_family.Weights,
    config: Any,
    architecture: dict[str, Any],
    order: list[int],
) -> bert_family.Weights:
    """Return the weights of a whole fairseq model that holds the encoder.

    The head for masked tokens, which a published encoder comes without, is zero but for what it
    shares with the embedding.
    """
    model = build_model(architecture)
    names = [name for name, _ in model.named_parameters()]
    found = bert_family.to_fairseq(weights, names, order, config)
    missing = [
        name
        for name in names
        if name not in found and "lm_head" not in name and not is_fused_copy(name)
    ]
    if missing:
        raise ValueError(f"weights are missing: {', '.join(missing)}")
    for parameter in model.encoder.lm_head.parameters():
        torch.nn.init.zeros_(parameter)
    pooler = {name: found.pop(name) for name in list(found) if name.startswith(bert_family.POOLER)}
    model.load_state_dict(found, strict=False)
    return model.state_dict() | pooler


def main(
    *, folder: Path, experiments: list[str], model: Path, architecture: Path, dictionary: Path
) -> None:
    """Convert and write; ``experiments`` are those that ask for fairseq."""
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    bert_family.check_fits(config, folder / "config.json", experiments)
    tokenizer = PublishedTokenizer.read(folder)
    sizes = bert_family.fairseq_architecture(config)
    rows = config.vocab_size
    weights = fairseq_weights(
        load_file(folder / "model.safetensors"), config, sizes, tokenizer.fairseq_order(rows)
    )
    options = model_options(sizes)
    options.task = options.criterion = "masked_lm"
    export_model({"model": weights, "args": options}, model)
    write_json(architecture, sizes)
    write_text(dictionary, tokenizer.dictionary(rows))
    for name in FILES:
        with atomic(dictionary.with_name(name)) as partial:
            shutil.copyfile(folder / name, partial)


if __name__ == "__main__":
    with step(snakemake):
        torch.set_num_threads(snakemake.threads)
        main(
            folder=Path(snakemake.input.folder[0]).parent,
            experiments=snakemake.params.experiments,
            model=Path(snakemake.output.model),
            architecture=Path(snakemake.output.architecture),
            dictionary=Path(snakemake.output.dictionary),
        )
