"""The texts of the smoke study, and a SentencePiece model of them."""

import csv
import itertools
from pathlib import Path

import sentencepiece

import train_tokenizer
from seedwise.data.texts import BETWEEN
from support import ROOT

DATA = ROOT / "tests" / "data" / "smoke"
VOCAB_SIZE = 160

with (DATA / "reviews.csv").open(encoding="utf-8", newline="") as stream:
    RECORDS = [
        {"id": f"reviews:{number}", **row} for number, row in enumerate(csv.DictReader(stream))
    ]
TEXTS = [record["text"] for record in RECORDS]
# Of all lengths: the second text is as long as the first, longer, shorter or empty.
PAIRS = [
    " ".join((TEXTS[n] + " " + TEXTS[n + 1]).split()[:first])
    + BETWEEN
    + " ".join(TEXTS[n + 2].split()[:second])
    for n, (first, second) in enumerate(itertools.product(range(0, 9, 2), range(0, 9, 2)))
]


def train_sentencepiece(folder: Path) -> Path:
    """Train `sentencepiece.bpe.model` and write `dict.txt` beside it, as rule train_tokenizer."""
    corpus = folder / "corpus.txt"
    corpus.write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    model = folder / "sentencepiece.bpe.model"
    train_tokenizer.main(
        corpus=[corpus],
        tokenizer={"type": "unigram", "character_coverage": 0.9995, "sample_texts": 1000},
        vocab_size=VOCAB_SIZE,
        output_sentencepiece=model,
        output_dictionary=folder / "dict.txt",
    )
    return model


def encode_like_the_study(texts: list[str], model: Path, output: Path, longest: int) -> None:
    """Write the pieces of each text on a line, one text after the other, for fairseq-preprocess."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    with output.open("w", encoding="utf-8", newline="\n") as stream:
        for text in texts:
            stream.write(" ".join(processor.encode(text, out_type=str)[:longest]) + "\n")
