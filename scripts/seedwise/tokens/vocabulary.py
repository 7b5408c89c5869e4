"""fairseq's dictionary beside a SentencePiece model."""

from pathlib import Path

from seedwise.errors import UserError

BOS_ID, PAD_ID, EOS_ID, UNK_ID = 0, 1, 2, 3
FIRST_SYMBOLS = ("<s>", "<pad>", "</s>", "<unk>")
"""What every fairseq dictionary begins with and no `dict.txt` lists."""

UNK = FIRST_SYMBOLS[UNK_ID]

MASK = "<mask>"
"""Added by fairseq's tasks behind the last line of `dict.txt`."""

ADDED_SYMBOLS = 5
"""Rows of the embedding beyond the lines of `dict.txt`: the four above and `<mask>`."""

SENTENCEPIECE_SYMBOLS = 3
"""`<unk> <s> </s>`, which a SentencePiece model counts in its vocabulary."""


def read_pieces(path: Path) -> dict[str, int]:
    """Return the id of each piece in ``dict.txt`` (``piece count`` a line).

    Raises:
        UserError: a line is not UTF-8, is no piece and count, or repeats a piece.
    """
    ids: dict[str, int] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        where = f"{path}, line {number}"
        try:
            piece, _, count = line.decode().rpartition(" ")
        except UnicodeDecodeError:
            raise UserError(f"{where}: not UTF-8") from None
        if not piece or not count.isdecimal():
            raise UserError(f"{where}: {line.decode()!r} is not a piece, a space and a count")
        if piece in ids or piece in FIRST_SYMBOLS:
            raise UserError(f"{where}: fairseq's dictionary holds {piece!r} already")
        ids[piece] = UNK_ID + 1 + len(ids)
    return ids


def read_dictionary(path: Path) -> dict[str, int]:
    """Return the id of each piece in ``dict.txt``, and of `<mask>`, as fairseq's tasks have it.

    Raises:
        UserError: see `read_pieces`.
    """
    ids = read_pieces(path)
    ids.setdefault(MASK, UNK_ID + 1 + len(ids))
    return ids
