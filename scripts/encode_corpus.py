"""Encode a part of a model's corpus with SentencePiece.

Inputs: ``texts`` (a text a line) and the SentencePiece model. Output: ``pieces`` (pieces
separated by spaces). A text that does not fit a block of ``block_tokens``, ``<s>`` and ``</s>``
included, goes on in the next line: fairseq makes blocks of whole lines and leaves longer ones out.
"""

import logging
from pathlib import Path

from seedwise.log import log_to
from seedwise.pieces import write_pieces

logger = logging.getLogger(__name__)


def main(*, texts: Path, sentencepiece: Path, block_tokens: int, pieces: Path) -> None:
    """Write each line of text as a line of pieces, or as several."""
    with texts.open(encoding="utf-8", newline="\n") as stream:
        counts = write_pieces(
            (line.rstrip("\n") for line in stream),
            sentencepiece,
            pieces,
            longest=block_tokens - 2,
            keep_rest=True,
        )
    logger.info("%s: %s", texts, counts)


if __name__ == "__main__":
    with log_to(snakemake.log[0]):
        main(
            texts=Path(snakemake.input.texts),
            sentencepiece=Path(snakemake.input.sentencepiece),
            block_tokens=snakemake.params.block_tokens,
            pieces=Path(snakemake.output.pieces),
        )
