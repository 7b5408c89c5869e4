"""Files that are compressed on their own: ``reviews.csv.gz``, ``reviews.jsonl.zst``."""

import gzip
import io
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, cast

from seedwise.data.archives import Budget, open_member
from seedwise.data.texts import temporary_folder_named
from seedwise.errors import UserError, one_line

ENDINGS = (".gz", ".zst")
_BLOCK_BYTES = 1 << 20


def inner_name(name: str) -> str:
    """Return the name of what a compressed file holds; that of any other file as it is."""
    path = PurePosixPath(name)
    packed = path.suffix.lower() in ENDINGS and PurePosixPath(path.stem).suffix.lower() != ".tar"
    return name[: -len(path.suffix)] if packed else name


def is_compressed(name: str) -> bool:
    """Return whether a file of this name is compressed on its own, and is no archive."""
    return inner_name(name) != name


def _reader(stream: IO[bytes], name: str) -> IO[bytes]:
    if name.lower().endswith(".gz"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=stream))
    try:
        from pyarrow import CompressedInputStream
    except ImportError:
        raise UserError(f"{name}: reading .zst needs pyarrow; `pip install pyarrow`") from None
    return cast(IO[bytes], CompressedInputStream(stream, "zstd"))


def open_file(archive: Path, member: str = "") -> IO[bytes]:
    """Return the content of one file as a stream, unpacked where its name says it is compressed.

    Args:
        archive: A zip or tar archive, a folder, or a plain file.
        member: Path inside it, `!` stepping into inner archives; empty for a plain file.

    Raises:
        UserError: It is missing, damaged, or must not be unpacked.
    """
    name = member or archive.name
    if not is_compressed(name):
        return open_member(archive, member)
    copy = tempfile.TemporaryFile()  # noqa: SIM115
    with open_member(archive, member) if member else archive.open("rb") as stream:
        budget = Budget(name, stream.seek(0, io.SEEK_END))
        stream.seek(0)
        packed = _reader(stream, name)
        while True:
            try:
                block = packed.read(_BLOCK_BYTES)
            except (OSError, EOFError, zlib.error, ValueError) as error:
                raise UserError(f"{name}: damaged or cut short ({one_line(error)})") from None
            if not block:
                break
            budget.grow(len(block))
            with temporary_folder_named():
                copy.write(block)
    copy.seek(0)
    return copy
