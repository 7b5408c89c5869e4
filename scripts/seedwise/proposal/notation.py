"""Guesses how a table of text is written: its characters, what stands between its values."""

import io
import itertools
from collections import Counter

from charset_normalizer import from_bytes

from seedwise.data.tables import SEPARATORS, UTF_8, delimited_rows
from seedwise.errors import UserError

DELIMITERS = (",", ";", "\t", "|")

_SAMPLE_BYTES = 1 << 18
_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# One for each script that tables are written in, where characters of different scripts share bytes.
_ENCODINGS = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "gb18030",
    "big5", "shift_jis", "euc_jp", "euc_kr",
]  # fmt: skip


def guess_encoding(data: bytes, name: str) -> str:
    """Return the encoding of a file's characters, as Python names it.

    Raises:
        UserError: It is no text.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    try:
        data.decode(UTF_8)
        return UTF_8
    except UnicodeDecodeError as error:
        # Around the first byte that is not UTF-8, where the statistics are to be had.
        begin = max(0, error.start - _SAMPLE_BYTES // 2)
    sample = data[begin : begin + _SAMPLE_BYTES]
    if b"\0" in sample:
        raise UserError(f"{name}: holds NUL bytes, so it is no text in one of the usual encodings")
    best = from_bytes(sample, cp_isolation=_ENCODINGS).best()
    if best is None:
        raise UserError(f"{name}: in none of the encodings that are known here; save it as UTF-8")
    if best.encoding != "cp1250":
        return best.encoding
    # Statistics of bytes tell it and cp1252 badly apart.
    return min(("cp1252", "cp1250"), key=lambda one: _signs_in_words(sample.decode(one, "replace")))


def _signs_in_words(text: str) -> int:
    """Return how many characters beyond ASCII follow a letter and are none, as in ``ksi¹¿ka``."""
    return sum(
        before.isalpha() and after > "\x7f" and not after.isalpha()
        for before, after in itertools.pairwise(text)
    )


def guess_delimiter(text: str, dialect: str, quoted: bool) -> str | None:
    """Return what stands between the values; None if every row has one value alone.

    It is what gives every row equally many values; what the file's ending means if that does, or
    if nothing does.
    """
    usual = SEPARATORS[dialect]
    width_of = {one: _width(text, one, quoted) for one in (usual, *DELIMITERS)}
    even = [one for one, width in width_of.items() if width > 1]
    if even:
        return usual if usual in even else max(even, key=lambda one: width_of[one])
    first = text.partition("\n")[0]
    return usual if usual in first else None


def _width(text: str, delimiter: str, quoted: bool) -> int:
    """Return how many values each row has; 0 if not all have as many."""
    try:
        lines = io.StringIO(text, newline="\n")
        rows = delimited_rows(lines, "", delimiter, quoted, Counter())
        widths = {len(values) for _, values in rows if values != [""]}
    except UserError:
        return 0
    return widths.pop() if len(widths) == 1 else 0
