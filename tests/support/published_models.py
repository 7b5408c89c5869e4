"""Published checkpoints in the layouts of the study's archives, with random weights."""

import os
import shutil
from pathlib import Path
from typing import Any

import torch
from tokenizers import ByteLevelBPETokenizer

from seedwise.files import read_json, write_json, write_jsonl
from seedwise.tokens.vocabulary import ADDED_SYMBOLS
from support.small_texts import RECORDS, TEXTS, encode_like_the_study, train_sentencepiece

# No two sizes alike, so that none is taken for another.
TINY = {
    "layers": 3,
    "embed_dim": 24,
    "ffn_dim": 40,
    "attention_heads": 6,
    "max_positions": 34,
    "vocab_size": 150,
    "dropout": 0.1,
    "attention_dropout": 0.1,
    "pooler_dropout": 0.0,
}
STUDY = TINY | {
    "layers": 4,
    "embed_dim": 512,
    "ffn_dim": 512,
    "attention_heads": 8,
    "max_positions": 256,
    "vocab_size": 32000,
}


class Canary:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.path),)


def write_tokenizer(folder: Path, vocab_size: int) -> None:
    """Write a SentencePiece model, and a dictionary that lacks some of its pieces.

    As published dictionaries do, it is filled up to its size with words that never occur.
    """
    folder.mkdir(parents=True, exist_ok=True)
    train_sentencepiece(folder)
    (folder / "corpus.txt").unlink()
    dictionary = folder / "dict.txt"
    lines = dictionary.read_text(encoding="utf-8").splitlines()
    kept = [line for number, line in enumerate(lines) if number % 8]
    size = vocab_size - ADDED_SYMBOLS
    filler = [f"madeupword{number:04} 0" for number in range(size - len(kept))]
    text = "".join(f"{line}\n" for line in (kept + filler)[:size])
    dictionary.write_text(text, encoding="utf-8")


def write_fairseq_checkpoint(folder: Path, architecture: dict[str, Any]) -> Path:
    """Let stock fairseq preprocess the texts, train for one update and write ``model.pt``.

    Then call the architecture `roberta_small` in it, as the study's fork of fairseq does.
    """
    from seedwise_fairseq import launch

    write_tokenizer(folder, architecture["vocab_size"])
    work = folder / "work"
    work.mkdir()
    encode_like_the_study(TEXTS[:8], folder / "sentencepiece.bpe.model", work / "texts", 30)
    options: launch.Options = {"only-source": True, "srcdict": str(folder / "dict.txt")}
    options |= {"trainpref": str(work / "texts"), "validpref": str(work / "texts")}
    options |= {"destdir": str(work / "data"), "workers": 1}
    launch.run("preprocess", options=options)
    training = {
        "task": "masked_lm",
        "criterion": "masked_lm",
        **launch.architecture_options(architecture),
        "tokens-per-sample": 32,
        "optimizer": "adam",
        "lr": 0.01,
        "batch-size": 8,
        "max-update": 1,
        "num-workers": 0,
        "disable-validation": True,
        "no-epoch-checkpoints": True,
        "no-save-optimizer-state": True,
        "cpu": True,
        "save-dir": str(work),
    }
    launch.run("train", str(work / "data"), options=training)
    checkpoint = torch.load(work / "checkpoint_last.pt", weights_only=True)
    checkpoint["cfg"]["model"].arch = checkpoint["cfg"]["model"]._name = "roberta_small"
    torch.save(checkpoint, folder / "model.pt")
    shutil.rmtree(work)
    return folder


def write_transformers_folder(fairseq: Path, folder: Path, architecture: dict[str, Any]) -> Path:
    """Write the fairseq checkpoint's counterpart in transformers' format."""
    from seedwise.models.checkpoints import load_checkpoint
    from seedwise.models.conversion import build_model, build_tokenizer

    weights = load_checkpoint(fairseq / "model.pt")["model"]
    build_model(weights, architecture, labels=None, source="").save_pretrained(folder)
    tokenizer = build_tokenizer(
        fairseq / "sentencepiece.bpe.model", fairseq / "dict.txt", architecture["max_positions"]
    )
    tokenizer.save_pretrained(folder)
    return folder


def import_from(
    source: Path,
    results: Path,
    architecture: dict[str, Any] = TINY,
    inner: str = "",
    tokenizer: tuple[str, ...] = ("sentencepiece.bpe.model",),
) -> Path:
    """Do what rule import_checkpoint does; return the imported ``model.pt``."""
    import import_checkpoint
    from seedwise.models.published import Published

    import_checkpoint.main(
        published=Published(
            source, "small", {"source": {"path": str(source)}, "folder": inner}, architecture
        ),
        model=results / "pretrained" / "model.pt",
        dictionary=results / "tokens" / "dict.txt",
        tokenizer=[results / "tokens" / name for name in tokenizer],
    )
    return results / "pretrained" / "model.pt"


def convert(
    results: Path, architecture: dict[str, Any], tokenizer: str = "sentencepiece.bpe.model"
) -> dict[str, Any]:
    """Do what the rules from `import_from` to convert_model do; return the latter's report."""
    import binarize_dataset
    import convert_model
    import encode_dataset
    import predict_reference

    data, tokens, model = results / "data", results / "tokens", results / "pretrained" / "model.pt"
    splits = ("train", "valid", "test")
    write_json(data / "audit.json", {"labels": ["negative", "positive"]})
    for number, split in enumerate(splits):
        write_jsonl(data / f"{split}.jsonl", RECORDS[number::3])
        encode_dataset.main(
            split=data / f"{split}.jsonl",
            tokenizer=tokens / tokenizer,
            dictionary=tokens / "dict.txt",
            max_positions=architecture["max_positions"],
            threads=1,
            tokens=results / "binarized" / "input0" / split,
            counts=tokens / f"{split}.audit.json",
        )
    binarize_dataset.main(
        dictionary=tokens / "dict.txt",
        splits=[data / f"{split}.jsonl" for split in splits],
        audit=data / "audit.json",
        output=results / "binarized",
    )
    binarized = results / "binarized" / "input0"
    reference = results / "reference.npz"
    predict_reference.main(model=model, binarized=binarized, reference=reference)
    convert_model.main(
        checkpoint=model,
        tokenizer=tokens / tokenizer,
        dictionary=tokens / "dict.txt",
        reference=reference,
        texts=[data / f"{split}.jsonl" for split in splits],
        tokens=[binarized / f"{split}.bin" for split in splits],
        architecture=architecture,
        max_tokens=architecture["max_positions"],
        folder=results / "transformers",
        report=results / "conversion.json",
    )
    return read_json(results / "conversion.json")


def write_own_tokenizer(folder: Path) -> None:
    """Write a RoBERTa tokenizer of bytes, as old published folders hold it; its ids are its own."""
    tokenizer = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(TEXTS, vocab_size=400, special_tokens=special)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_model(str(folder))  # vocab.json and merges.txt
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "RobertaTokenizer"})
