"""fairseq's dictionary beside a SentencePiece model."""

from pathlib import Path

BOS_ID, PAD_ID, EOS_ID, UNK_ID = 0, 1, 2, 3
"""`<s> <pad> </s> <unk>`, which every fairseq dictionary begins with and no `dict.txt` lists."""

MASK = "<mask>"
"""Added by fairseq's tasks behind the last line of `dict.txt`."""

ADDED_SYMBOLS = 5
"""Rows of the embedding beyond the lines of `dict.txt`: the four above and `<mask>`."""

SENTENCEPIECE_SYMBOLS = 3
"""`<unk> <s> </s>`, which a SentencePiece model counts in its vocabulary."""


def read_dictionary(path: Path) -> dict[str, int]:
    """Return the id of each piece in ``dict.txt`` (``piece count`` a line), `<mask>` included."""
    ids: dict[str, int] = {}
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            piece = line.rstrip("\n").rsplit(" ", 1)[0]
            ids[piece] = UNK_ID + 1 + len(ids)
    ids[MASK] = UNK_ID + 1 + len(ids)
    return ids
