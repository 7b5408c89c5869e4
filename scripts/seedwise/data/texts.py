"""Texts on disk, so that memory holds a few dozen bytes for each, however long they are."""

import hashlib
import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

_AT_ONCE = 4096  # bytes that most texts are shorter than


def comparable(text: str) -> str:
    """Return what two texts have in common if they count as the same.

    NFKC-normalised, with each run of white space as one space.
    """
    return " ".join(unicodedata.normalize("NFKC", text).split())


def key_of(text: str) -> bytes:
    """Return sixteen bytes that two texts share if they count as the same; none of an empty one."""
    shared = comparable(text)
    return hashlib.sha256(shared.encode()).digest()[:16] if shared else b""


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
