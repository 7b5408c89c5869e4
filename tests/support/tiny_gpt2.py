"""A tiny byte-pair encoding of GPT-2 with fairseq's dictionary of it, as published."""

import random
from pathlib import Path

from tokenizers import ByteLevelBPETokenizer

from seedwise.files import write_json
from seedwise.tokens.vocabulary import ADDED_SYMBOLS
from support.small_texts import TEXTS

PIECES = 300
ROWS = PIECES + 3 + ADDED_SYMBOLS


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
