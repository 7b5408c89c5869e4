"""The byte-pair encoding of GPT-2, in which fairseq's dictionaries hold its numbers as words."""

from pathlib import Path

from transformers import RobertaTokenizer

from seedwise.errors import UserError
from seedwise.files import read_json, write_text
from seedwise.tokens.vocabulary import FIRST_SYMBOLS, MASK, read_pieces

ENCODER, MERGES = FILES = ("encoder.json", "vocab.bpe")
"""The number of each piece, and the pairs that make pieces, the earlier the sooner."""


def pieces_in_order(dictionary: Path, encoder: Path) -> list[str]:
    """Return the pieces that the lines of ``dict.txt`` stand for, in its order.

    A line is a number in ``encoder``, or a word that fills up and never occurs.

    Raises:
        UserError: the dictionary lacks a piece.
    """
    names = {str(number): piece for piece, number in read_json(encoder).items()}
    words = list(read_pieces(dictionary))
    lacking = names.keys() - set(words)
    if lacking:
        example = min(lacking, key=int)
        raise UserError(
            f"{dictionary}: lacks {len(lacking):,} of the {len(names):,} numbers in "
            f"{encoder.name}, {example} among them; each must have a line"
        )
    return [names.get(word, word) for word in words]


def build_tokenizer(pieces: list[str], merges: Path, max_positions: int) -> RobertaTokenizer:
    """Return a tokenizer of transformers that yields fairseq's ids.

    As in fairseq, a text is taken as it is, and special tokens written out in it are cut like any
    other word.

    Raises:
        UserError: the pieces and the merges do not fit each other.
    """
    vocabulary = [*FIRST_SYMBOLS, *pieces, MASK]
    lines = merges.read_text(encoding="utf-8").split("\n")[1:]  # the first tells the version
    pairs = [tuple(line.split()) for line in lines if line]
    try:
        return RobertaTokenizer(
            vocab={piece: number for number, piece in enumerate(vocabulary)},
            merges=pairs,
            model_max_length=max_positions,
            split_special_tokens=True,
        )
    except Exception as error:  # of the base class itself
        raise UserError(f"{merges}: does not fit {ENCODER}: {error}") from error


def write_tokenizer(folder: Path, max_positions: int) -> None:
    """Write the files of `build_tokenizer` into ``folder``, and ``dict.txt`` anew with the pieces.

    Args:
        folder: Holds ``dict.txt`` and the `FILES`.
        max_positions: The longest sequence in tokens, special ones included.

    Raises:
        UserError: the files do not fit each other.
    """
    dictionary = folder / "dict.txt"
    pieces = pieces_in_order(dictionary, folder / ENCODER)
    build_tokenizer(pieces, folder / MERGES, max_positions).save_pretrained(folder)
    write_text(dictionary, "".join(f"{piece} 1\n" for piece in pieces))
