"""A tiny byte-pair encoding of GPT-2 with fairseq's dictionary of it, as published."""

import random
from pathlib import Path
from typing import Any

import torch
from tokenizers import ByteLevelBPETokenizer

from seedwise.files import write_json
from seedwise.tokens.vocabulary import ADDED_SYMBOLS
from support.published_models import TINY
from support.small_texts import TEXTS

PIECES = 300
ROWS = PIECES + 3 + ADDED_SYMBOLS
ARCHITECTURE = TINY | {"vocab_size": ROWS}


def write_gpt2(folder: Path) -> Path:
    """Write ``encoder.json``, ``vocab.bpe`` and ``dict.txt``, whose lines are numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(TEXTS, vocab_size=PIECES - 1)
    tokenizer.save_model(str(folder))
    write_json(folder / "encoder.json", tokenizer.get_vocab() | {"<|endoftext|>": PIECES - 1})
    (folder / "vocab.json").unlink()
    (folder / "merges.txt").rename(folder / "vocab.bpe")
    numbers = random.Random(0).sample(range(PIECES), PIECES)  # by frequency, in a published one
    lines = [f"{number} {9000 - place}" for place, number in enumerate(numbers)]
    lines += [f"madeupword{number:04} 0" for number in range(3)]
    (folder / "dict.txt").write_text("".join(f"{line}\n" for line in lines))
    return folder


def write_gpt2_checkpoint(folder: Path, architecture: dict[str, Any] = ARCHITECTURE) -> Path:
    """Write a folder as ``roberta.base``, with random weights larger than fresh ones."""
    from seedwise_fairseq.build import build_model, model_options

    torch.manual_seed(0)
    weights = build_model(architecture).state_dict()
    for weight in weights.values():
        torch.nn.init.normal_(weight, std=0.3) if weight.dim() > 1 else weight.add_(0.1)
    write_gpt2(folder)
    torch.save({"args": model_options(architecture), "model": weights}, folder / "model.pt")
    return folder
