"""The texts of the smoke study, and a SentencePiece model of them."""

import csv
from pathlib import Path

import train_tokenizer

DATA = Path(__file__).parent / "data" / "smoke"
VOCAB_SIZE = 160

with (DATA / "reviews.csv").open(encoding="utf-8", newline="") as stream:
    RECORDS = [
        {"id": f"reviews:{number}", **row} for number, row in enumerate(csv.DictReader(stream))
    ]
TEXTS = [record["text"] for record in RECORDS]


def train_sentencepiece(folder: Path) -> Path:
    """Train `sentencepiece.bpe.model` and write `dict.txt` beside it, as rule train_tokenizer."""
    corpus = folder / "corpus.txt"
    corpus.write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    model = folder / "sentencepiece.bpe.model"
    train_tokenizer.main(
        corpus=corpus,
        tokenizer={"type": "unigram", "character_coverage": 0.9995, "sample_texts": 1000},
        vocab_size=VOCAB_SIZE,
        output_sentencepiece=model,
        output_dictionary=folder / "dict.txt",
    )
    return model
