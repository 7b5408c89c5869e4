"""Train a SentencePiece model on the corpus and derive fairseq's dictionary from it.

Input: ``corpus`` (shards, one text a line). Outputs: ``sentencepiece`` (the model) and
``dictionary`` (fairseq's ``dict.txt``: a piece and a count a line, in SentencePiece's order).
"""

import io
import logging
from pathlib import Path
from typing import Any

import sentencepiece

from seedwise.errors import UserError
from seedwise.files import atomic, write_text
from seedwise.step import step
from seedwise.vocabulary import ADDED_SYMBOLS, SENTENCEPIECE_SYMBOLS

logger = logging.getLogger(__name__)


LONGEST_TEXT_BYTES = 1 << 20
"""SentencePiece leaves out longer texts without a word; its own default is 4,192."""


def train(corpus: list[Path], tokenizer: dict[str, Any], vocab_size: int) -> bytes:
    """Return a trained SentencePiece model that fills ``vocab_size`` rows of an embedding.

    Raises:
        UserError: the corpus has too few different pieces for ``vocab_size``.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            input=[str(path) for path in corpus],
            max_sentence_length=LONGEST_TEXT_BYTES,
            model_writer=model,
            vocab_size=vocab_size - ADDED_SYMBOLS + SENTENCEPIECE_SYMBOLS,
            model_type=tokenizer["type"],
            character_coverage=tokenizer["character_coverage"],
            input_sentence_size=tokenizer["sample_texts"],
            shuffle_input_sentence=True,
            # One thread: the pieces must not depend on how many cores there are.
            num_threads=1,
            minloglevel=1,
        )
    except RuntimeError as error:
        raise UserError(
            f"architecture.vocab_size: SentencePiece cannot make {vocab_size} rows from "
            f"{corpus[0].parent}: {str(error).splitlines()[-1]}"
        ) from error
    return model.getvalue()


def dictionary(model: bytes) -> str:
    """Return ``dict.txt`` for a SentencePiece model: its pieces in its order.

    The count is 1 throughout: fairseq keeps the order of a given dictionary and does not use
    the counts.
    """
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = (
        processor.id_to_piece(index) for index in range(SENTENCEPIECE_SYMBOLS, len(processor))
    )
    return "".join(f"{piece} 1\n" for piece in pieces)


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
