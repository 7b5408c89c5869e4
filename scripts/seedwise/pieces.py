"""Texts to SentencePiece's pieces, in batches: memory stays flat however long the file."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import sentencepiece

from seedwise.files import atomic
from seedwise.vocabulary import UNK

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


def line_of(pieces: list[str]) -> str:
    """Return the pieces separated by spaces, and unknown ones for those that hold white space.

    fairseq separates pieces at any white space, of which SentencePiece leaves U+0085 in.
    """
    line = " ".join(pieces)
    if line.split() == pieces:
        return line
    return " ".join(piece if piece.split() == [piece] else UNK for piece in pieces)


def write_pieces(
    texts: Iterable[str],
    model: Path,
    output: Path,
    longest: int,
    keep_rest: bool = False,
) -> dict[str, int]:
    """Write the pieces of each text, separated by spaces, at most ``longest`` a line.

    Args:
        texts: the texts, in order.
        model: a SentencePiece model.
        output: the file to write.
        longest: the largest number of pieces on a line.
        keep_rest: go on in the next line with what is left of a longer text; otherwise it is cut.

    Returns:
        How many texts there were, how many of them were ``cut`` and how many are ``empty``.
    """
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    counts = {"texts": 0, "cut": 0, "empty": 0}
    with atomic(output) as partial, partial.open("w", encoding="utf-8", newline="\n") as stream:
        for batch in batches(texts):
            for pieces in processor.encode(batch, out_type=str):
                counts["texts"] += 1
                counts["cut"] += len(pieces) > longest
                counts["empty"] += not pieces
                stream.write(line_of(pieces[:longest]) + "\n")
                if keep_rest:
                    for start in range(longest, len(pieces), longest):
                        stream.write(line_of(pieces[start : start + longest]) + "\n")
    return counts
