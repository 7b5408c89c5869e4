"""Texts to SentencePiece's pieces, in batches: memory stays flat however long the file."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import sentencepiece

from seedwise.files import atomic

TEXTS_PER_BATCH = 1024


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield lists of at most `TEXTS_PER_BATCH` texts."""
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == TEXTS_PER_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def write_pieces(
    texts: Iterable[str], model: Path, output: Path, longest: int | None = None
) -> dict[str, int]:
    """Write the pieces of each text, separated by spaces, a text a line.

    Args:
        texts: the texts, in order.
        model: a SentencePiece model.
        output: the file to write.
        longest: the number of pieces a text is cut to; ``None`` leaves it whole.

    Returns:
        How many texts there were, how many were ``cut`` and how many are ``empty``.
    """
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    counts = {"texts": 0, "cut": 0, "empty": 0}
    with atomic(output) as partial, partial.open("w", encoding="utf-8", newline="\n") as stream:
        for batch in batches(texts):
            for pieces in processor.encode(batch, out_type=str):
                counts["texts"] += 1
                counts["cut"] += longest is not None and len(pieces) > longest
                counts["empty"] += not pieces
                stream.write(" ".join(pieces[:longest]) + "\n")
    return counts
