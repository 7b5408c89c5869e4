"""Texts, and pairs of texts, in memory and on disk.

A pair (premise and hypothesis, question and answer) is one string with `BETWEEN` in it wherever
texts go, and two fields of a record in the files. A data set being prepared has its texts in a
file, so that memory holds a few dozen bytes for each, however long they are.
"""

import hashlib
import os
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

BETWEEN = "\0"
"""Stands between the two texts of a pair; no text holds it (`clean`), and no tokenizer takes it."""

FIELDS = ("text", "text_pair")
"""What a record calls a text and, in a pair, the second one, as transformers' pipelines do."""

_AT_ONCE = 4096  # bytes that most texts are shorter than


def clean(text: str, changes: Counter[str]) -> str:
    """Return the text without NUL characters, which no tokenizer takes; all else stays."""
    if nuls := text.count(BETWEEN):
        changes["NUL characters removed"] += nuls
        return text.replace(BETWEEN, "")
    return text


def record_of(text: str) -> dict[str, str]:
    """Return the fields of a text, or of a pair, in a record."""
    return dict(zip(FIELDS, text.split(BETWEEN), strict=False))


def text_of(record: Mapping[str, str]) -> str:
    """Return the text, or the pair, of a record."""
    return BETWEEN.join(record[name] for name in FIELDS if name in record)


def parts(texts: Iterable[str]) -> tuple[list[str], list[str] | None]:
    """Return the texts, or the first ones of pairs, and the second ones; None without."""
    whole = [text.split(BETWEEN) for text in texts]
    first = [each[0] for each in whole]
    return first, [second for _, second in whole] if whole and len(whole[0]) > 1 else None


def word_count(text: str) -> int:
    """Return the words of a text, or of both texts of a pair: what white space separates."""
    return sum(len(part.split()) for part in text.split(BETWEEN))


def comparable(text: str) -> str:
    """Return what two texts have in common if they count as the same.

    NFKC-normalised, with each run of white space as one space; so is each text of a pair.
    """
    each = unicodedata.normalize("NFKC", text).split(BETWEEN)
    return BETWEEN.join(" ".join(part.split()) for part in each)


def key_of(text: str) -> bytes:
    """Return sixteen bytes that two texts share if they count as the same; none of an empty one."""
    shared = comparable(text)
    return hashlib.sha256(shared.encode()).digest()[:16] if shared.strip(BETWEEN) else b""


@contextmanager
def temporary_folder_named() -> Iterator[None]:
    """Have a full disk under a file without a name say which folder it is."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or f"{tempfile.gettempdir()} (TMPDIR names another)"
        raise


class TextFile:
    """A file of texts without a name, gone with the process."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._end = 0

    def append(self, text: str) -> int:
        """Write a text, and return where it begins."""
        data = text.encode("utf-8")
        with temporary_folder_named():
            self._file.write(len(data).to_bytes(4, "little") + data)
        begun, self._end = self._end, self._end + 4 + len(data)
        return begun

    def read(self, begun: int) -> str:
        """Return the text that begins there."""
        with temporary_folder_named():
            self._file.flush()
        descriptor = self._file.fileno()
        head = os.pread(descriptor, _AT_ONCE, begun)
        size = int.from_bytes(head[:4], "little")
        data = head[4 : 4 + size]
        if len(data) < size:
            data += os.pread(descriptor, size - len(data), begun + 4 + len(data))
        return data.decode("utf-8")
