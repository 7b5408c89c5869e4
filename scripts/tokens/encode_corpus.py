"""Encode a part of a model's corpus with SentencePiece, as fairseq-preprocess would write it.

Inputs: ``texts`` (a text a line), the SentencePiece model and fairseq's ``dict.txt``. Output:
``tokens``, the ids of each text's pieces and ``</s>`` in fairseq's binary format. A text that does
not fit a block of ``block_tokens``, ``<s>`` and ``</s>`` included, goes on as the next text:
fairseq makes blocks of whole texts and leaves longer ones out.
"""

import logging
from pathlib import Path

from seedwise.step import step
from seedwise.tokens.indexed import fitting_type, write_batches
from seedwise.tokens.pieces import SentencePieceEncoder

logger = logging.getLogger(__name__)


def main(
    *,
    texts: Path,
    sentencepiece: Path,
    dictionary: Path,
    block_tokens: int,
    threads: int,
    tokens: Path,
) -> None:
    """Write each line of text as a text of ``tokens`` (``.bin``, ``.idx``), or as several."""
    encoder = SentencePieceEncoder(sentencepiece, dictionary, threads)
    with texts.open(encoding="utf-8", newline="\n") as stream:
        lines = (line.rstrip("\n") for line in stream)
        batches = encoder.batches(lines, longest=block_tokens - 2, keep_rest=True)
        write_batches(tokens, batches, fitting_type(encoder.size))
    logger.info("%s: %s", texts, encoder.counts)


if __name__ == "__main__":
    with step(snakemake):
        main(
            texts=Path(snakemake.input.texts),
            sentencepiece=Path(snakemake.input.sentencepiece),
            dictionary=Path(snakemake.input.dictionary),
            block_tokens=snakemake.params.block_tokens,
            threads=snakemake.threads,
            tokens=Path(snakemake.output.tokens).with_suffix(""),
        )
