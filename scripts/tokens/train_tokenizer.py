"""Train a SentencePiece model on the corpus and derive fairseq's dictionary from it.

Input: ``corpus`` (shards, one text a line). Outputs: ``sentencepiece`` (the model) and
``dictionary`` (fairseq's ``dict.txt``: a piece and a count a line, in SentencePiece's order).
"""

import logging
from pathlib import Path
from typing import Any

from seedwise.files import atomic, write_text
from seedwise.step import step
from seedwise.tokens.sentencepiece_model import dictionary, train
from seedwise.tokens.vocabulary import ADDED_SYMBOLS

logger = logging.getLogger(__name__)


def main(
    *,
    corpus: list[Path],
    tokenizer: dict[str, Any],
    vocab_size: int,
    output_sentencepiece: Path,
    output_dictionary: Path,
) -> None:
    """Train and write both files."""
    model = train(corpus, tokenizer, vocab_size)
    with atomic(output_sentencepiece) as partial:
        partial.write_bytes(model)
    write_text(output_dictionary, dictionary(model))
    logger.info("%d pieces and %d symbols", vocab_size - ADDED_SYMBOLS, ADDED_SYMBOLS)


if __name__ == "__main__":
    with step(snakemake):
        main(
            corpus=[Path(path) for path in snakemake.input.corpus],
            tokenizer=snakemake.params.tokenizer,
            vocab_size=snakemake.params.vocab_size,
            output_sentencepiece=Path(snakemake.output.sentencepiece),
            output_dictionary=Path(snakemake.output.dictionary),
        )
