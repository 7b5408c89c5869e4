"""What a published transformers folder may hold, as far as its small files and its names tell."""

import json
from pathlib import Path
from typing import Any

from seedwise.errors import UserError, one_line
from seedwise.study.datasets import reads_pairs
from seedwise.study.sources import source_path

FAIRSEQ_TYPES = ("bert", "camembert", "electra", "roberta", "xlm-roberta")
"""Types of transformers that fairseq's RoBERTa can hold, where their sizes allow."""

TOKEN_TYPES = ("bert", "electra")
"""Those of them that tell the second text of a pair by its token type, which fairseq lacks."""

ENCODERS = (
    "albert",
    "bert",
    "big_bird",
    "camembert",
    "convbert",
    "data2vec-text",
    "deberta",
    "deberta-v2",
    "distilbert",
    "electra",
    "ernie",
    "megatron-bert",
    "mobilebert",
    "modernbert",
    "mpnet",
    "nomic_bert",
    "rembert",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
)
"""transformers' types of models (`model_type` of config.json) that can be fine-tuned here: encoders
of text whose classifier needs ids and attention mask alone. Each is fine-tuned by a test."""

WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
NEEDED = (
    "config.json",
    *WEIGHTS,
    "model-*.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "dict.txt",
    "spm.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "tokenizer.model",
)
"""What is fetched from a hub unless the study says it: configuration, weights and tokenizer."""


def with_needed_files(located: dict[str, Any]) -> dict[str, Any]:
    """Return a `transformers_checkpoint` that says which files of a hub's repository it needs."""
    source = located["source"]
    if "hub" not in source or "include" in source:
        return located
    place = located.get("folder", "").strip("/")
    names = NEEDED + (*PICKLES, "pytorch_model-*.bin") * located.get("pickle", False)
    include = [f"{place}/{name}" if place else name for name in names]
    return located | {"source": source | {"include": include}}


def _config(file: Path) -> dict[str, Any]:
    if not file.is_file():
        held = ", ".join(sorted(path.name for path in file.parent.iterdir())) or "nothing"
        raise UserError(f"{file}: missing; the folder holds {held}")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{file}: not valid JSON ({error})") from None
    if not isinstance(config, dict):
        raise UserError(f"{file}: must be a JSON object")
    return config


def check_folder(folder: Path, key: str, *, pickle: bool) -> str:
    """Return the type of the encoder in ``folder``.

    Args:
        folder: A folder in transformers' format.
        key: The key of the study that names it, for messages.
        pickle: Whether its weights may be a pickle of tensors.

    Raises:
        UserError: It holds another kind of model, weights in another format, or asks for code.
    """
    config = _config(folder / "config.json")
    for file in (folder / "config.json", folder / "tokenizer_config.json"):
        if file.is_file() and "auto_map" in _config(file):
            raise UserError(
                f"{file}: `auto_map` asks for code of the model's own, which is never run; "
                f"{key} allows models whose code is in transformers"
            )
    found = config.get("model_type")
    if found not in ENCODERS:
        raise UserError(
            f"{folder / 'config.json'}: a model of type {one_line(repr(found))}, which is none of "
            f"the encoders that {key} allows: {', '.join(ENCODERS)}"
        )
    if not any((folder / name).is_file() for name in WEIGHTS + PICKLES * pickle):
        held = ", ".join(sorted(path.name for path in folder.iterdir()))
        raise UserError(
            f"{folder}: {key} allows weights in model.safetensors (or its parts, listed in "
            f"model.safetensors.index.json) and no pickles; the folder holds {held}"
        )
    return found


def check_engine(found: str, file: Path, experiments: list[str]) -> None:
    """Raise `UserError` if fairseq is to train a type of encoder that it cannot hold.

    Args:
        found: The type of the encoder.
        file: Where that stands.
        experiments: The experiments that want it in fairseq.
    """
    if experiments and found not in FAIRSEQ_TYPES:
        raise UserError(
            f"experiments.{experiments[0]}.engine: 'fairseq', but {file} is a model of type "
            f"{found!r}; fairseq holds {', '.join(FAIRSEQ_TYPES)}, the engine 'transformers' all"
        )


def check_pairs_fit(found: str, file: Path, experiments: list[str]) -> None:
    """Raise `UserError` if fairseq is to read pairs with an encoder that needs token types.

    Args:
        found: The type of the encoder.
        file: Where that stands.
        experiments: The experiments that want it in fairseq, for pairs.
    """
    if experiments and found in TOKEN_TYPES:
        raise UserError(
            f"experiments.{experiments[0]}.engine: 'fairseq' with pairs of texts, but {file} is a "
            f"model of type {found!r}, which tells the second text by its token type; fairseq has "
            "none: give it a model of RoBERTa's kind, or this one the engine 'transformers'"
        )


def pair_experiments(config: dict[str, Any], experiments: list[str]) -> list[str]:
    """Return those of the experiments whose data set has pairs of texts."""
    dataset = {name: config["experiments"][name]["dataset"] for name in experiments}
    return [name for name in experiments if reads_pairs(config["datasets"][dataset[name]])]


def fairseq_experiments(config: dict[str, Any], model: str) -> list[str]:
    """Return the experiments in which fairseq starts from a published transformers folder."""
    if "fairseq_checkpoint" in config["models"][model]:
        return []
    return [
        name
        for name, experiment in config["experiments"].items()
        if experiment["engine"] == "fairseq" and experiment["model"] == model
    ]


def check_encoders(config: dict[str, Any]) -> None:
    """Raise `UserError` if a folder on this machine is none that the study may start from."""
    for name, model in config["models"].items():
        located = model.get("transformers_checkpoint", {})
        if "path" not in located.get("source", {}):
            continue
        key = f"models.{name}.transformers_checkpoint"
        source = Path(source_path(located["source"]))
        if not source.exists():
            raise UserError(f"{key}.source.path: {source} does not exist")
        folder = source / located.get("folder", "")
        if folder.is_dir():
            found = check_folder(folder, key, pickle=located.get("pickle", False))
            experiments = fairseq_experiments(config, name)
            check_engine(found, folder / "config.json", experiments)
            check_pairs_fit(found, folder / "config.json", pair_experiments(config, experiments))
