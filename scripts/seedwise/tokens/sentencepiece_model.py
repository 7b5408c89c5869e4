"""A SentencePiece model of one's own, and fairseq's dictionary of it."""

import io
from pathlib import Path
from typing import Any

import sentencepiece

from seedwise.errors import UserError
from seedwise.tokens.vocabulary import ADDED_SYMBOLS, SENTENCEPIECE_SYMBOLS

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
