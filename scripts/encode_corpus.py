"""Encode a part of a model's corpus with SentencePiece.

Inputs: ``texts`` (a text a line) and the SentencePiece model. Output: ``pieces`` (pieces
separated by spaces, a text a line); long texts stay whole, since blocks are cut from them.
"""

import logging
from pathlib import Path

from seedwise.log import log_to
from seedwise.pieces import write_pieces

logger = logging.getLogger(__name__)


def main(*, texts: Path, sentencepiece: Path, pieces: Path) -> None:
    """Write a line of pieces for each line of text."""
    with texts.open(encoding="utf-8", newline="\n") as stream:
        counts = write_pieces((line.rstrip("\n") for line in stream), sentencepiece, pieces)
    logger.info("%s: %s", texts, counts)


if __name__ == "__main__":
    with log_to(snakemake.log[0]):
        main(
            texts=Path(snakemake.input.texts),
            sentencepiece=Path(snakemake.input.sentencepiece),
            pieces=Path(snakemake.output.pieces),
        )
