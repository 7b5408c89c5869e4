"""Read from zip and tar archives, plain folders and plain files, trusting none of their names.

A member is named by its path in the archive; ``outer.tar.gz!inner/name`` steps into an archive
inside the archive.
"""

import io
import lzma
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from seedwise.data.texts import temporary_folder_named
from seedwise.errors import UserError
from seedwise.files import atomic

MAX_MEMBERS = 100_000
MAX_BYTES = 64 << 30
# Deflate cannot shrink text a hundredfold; small archives may compress as they like.
MAX_RATIO = 200
FREE_BYTES = 256 << 20

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_PACKED_TAR_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
# What the standard library raises over damaged archives, OSError (bad gzip checksum) apart.
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    IndexError,
    NotImplementedError,
    OverflowError,
    ValueError,
)
SHEETS = (".xlsx", ".ods")  # which are zip archives, too
_BLOCK_BYTES = 1 << 20
_SHOWN = 8


class Members(Protocol):
    """Files by name, each readable as a stream."""

    names: list[str]

    def open(self, name: str) -> IO[bytes]:
        """Open one member for reading."""


def _refuse(archive: str, name: str, why: str) -> UserError:
    return UserError(f"{archive}: refused, member {name!r} {why}")


def _check_name(archive: str, name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or name[1:2] == ":" or not {"\\", "\0"}.isdisjoint(name):
        raise _refuse(archive, name, "has an absolute or malformed path")
    if ".." in path.parts:
        raise _refuse(archive, name, "points outside the archive")


def _ignored(name: str) -> bool:
    """Tell whether macOS put this file there, and not the author."""
    path = PurePosixPath(name)
    return "__MACOSX" in path.parts or path.name.startswith("._") or path.name == ".DS_Store"


class Budget:
    """Adds up members and bytes, and refuses an archive that holds absurdly many."""

    def __init__(self, archive: str, packed_bytes: int):
        self.archive = archive
        self.limit = min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * packed_bytes))
        self.members = self.bytes = 0

    def add(self, size: int) -> None:
        """Count a member of this many bytes."""
        self.members += 1
        if self.members > MAX_MEMBERS:
            raise UserError(f"{self.archive}: refused, more than {MAX_MEMBERS:,} members")
        self.grow(size)

    def grow(self, size: int) -> None:
        """Count more bytes."""
        self.bytes += size
        if self.bytes > self.limit:
            most = f"{self.limit / 2**30:.3g} GiB"
            raise UserError(f"{self.archive}: refused, unpacks to more than {most}")


class _Zip:
    def __init__(self, label: str, stream: IO[bytes], packed_bytes: int):
        self._zip = zipfile.ZipFile(stream)
        budget = Budget(label, packed_bytes)
        self.names: list[str] = []
        for info in self._zip.infolist():
            # zipfile cuts names at NUL and may rename them: judge what the archive says.
            _check_name(label, info.orig_filename)
            budget.add(info.file_size)
            mode = info.external_attr >> 16
            if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refuse(label, info.filename, "is a link or a special file")
            if info.flag_bits & 1:
                raise _refuse(label, info.filename, "is encrypted")
            if not info.is_dir() and not _ignored(info.filename):
                self.names.append(info.filename)

    def open(self, name: str) -> IO[bytes]:
        return self._zip.open(name)


class _Tar:
    def __init__(self, label: str, stream: IO[bytes], packed_bytes: int):
        self._tar = tarfile.open(fileobj=stream, mode="r:*")  # noqa: SIM115
        budget = Budget(label, packed_bytes)
        self.names: list[str] = []
        for info in self._tar:
            _check_name(label, info.name)
            budget.add(info.size)
            if not (info.isreg() or info.isdir()):
                raise _refuse(label, info.name, "is a link or a special file")
            if info.isreg() and not _ignored(info.name):
                self.names.append(str(PurePosixPath(info.name)))
        # The checksum of a packed tar stands at its very end, where tarfile never looks.
        packed = self._tar.fileobj
        assert packed is not None
        while block := packed.read(_BLOCK_BYTES):
            budget.grow(len(block))

    def open(self, name: str) -> IO[bytes]:
        for info in self._tar:
            if str(PurePosixPath(info.name)) == name:
                stream = self._tar.extractfile(info)
                assert stream is not None
                return stream
        raise KeyError(name)


class _Folder:
    def __init__(self, folder: Path):
        self._folder = folder
        self.names = sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and not _ignored(path.relative_to(folder).as_posix())
        )

    def open(self, name: str) -> IO[bytes]:
        return (self._folder / name).open("rb")


def _open_stream(label: str, stream: IO[bytes], packed_bytes: int) -> Members | None:
    """Open an archive by its first bytes; None if it is not an archive."""
    head = stream.read(512)
    stream.seek(0)
    if head.startswith(_ZIP_MAGIC):
        members: Members = _Zip(label, stream, packed_bytes)
    elif head.startswith(_PACKED_TAR_MAGIC) or head[257:262] == b"ustar":
        members = _Tar(label, stream, packed_bytes)
    else:
        return None
    name, copies = max(Counter(members.names).items(), key=itemgetter(1), default=("", 0))
    if copies > 1:
        raise _refuse(label, name, "stands there twice")
    return members


@contextmanager
def _opened(archive: Path, member: str) -> Iterator[tuple[str, Members | None, str]]:
    """Yield (label, members, name): ``member`` is ``name`` in the innermost archive ``members``.

    ``members`` is None where ``archive`` is a plain file.
    """
    *outer, name = member.split("!")
    label = str(archive)
    if not archive.exists():
        raise UserError(f"{archive}: does not exist")
    try:
        if archive.is_dir():
            yield from _step_in(label, _Folder(archive), outer, name)
        else:
            with archive.open("rb") as stream:
                members = _open_stream(label, stream, archive.stat().st_size)
                yield from _step_in(label, members, outer, name)
    except _BROKEN as error:
        raise UserError(f"{label}: damaged or cut short ({error})") from None
    except OSError as error:
        raise UserError(f"{label}: cannot be read or unpacked ({error})") from None


def _step_in(
    label: str, members: Members | None, outer: list[str], name: str
) -> Iterator[tuple[str, Members | None, str]]:
    for step in outer:
        if members is None:
            raise UserError(f"{label}: not a zip or tar archive")
        content = _read(label, members, step)
        label = f"{label}!{step}"
        members = _open_stream(label, io.BytesIO(content), len(content))
    if outer and members is None:
        raise UserError(f"{label}: not a zip or tar archive")
    yield label, members, name


def _check_member(label: str, members: Members, name: str) -> None:
    if name not in members.names:
        shown = ", ".join(members.names[:_SHOWN]) or "nothing"
        more = len(members.names) - _SHOWN
        raise UserError(
            f"{label}: no member {name!r}; it holds {shown}" + (f" and {more} more" * (more > 0))
        )


def _read(label: str, members: Members, name: str) -> bytes:
    _check_member(label, members, name)
    with members.open(name) as stream:
        return stream.read()


def read_member(archive: Path, member: str = "") -> bytes:
    """Return the content of one file.

    Args:
        archive: A zip or tar archive, a folder, or a plain file.
        member: Path inside it, `!` stepping into inner archives; empty for a plain file.

    Raises:
        UserError: It is missing, damaged, or the archive is one that must not be unpacked.
    """
    with open_member(archive, member) as stream:
        return stream.read()


def open_member(archive: Path, member: str = "") -> IO[bytes]:
    """Return the content of one file as a stream, which is not in memory as a whole.

    Arguments and errors are those of `read_member`.
    """
    plain = not member and archive.suffix.lower() in SHEETS
    if plain or (member and (archive / member).is_file()):  # do not list what may be a big folder
        return (archive / member).open("rb")
    with _opened(archive, member) as (label, members, name):
        if members is None and member in ("", archive.name):
            return archive.open("rb")
        if members is None:
            raise UserError(f"{label}: a plain file, not an archive with a member {member!r}")
        _check_member(label, members, name)
        copy = tempfile.TemporaryFile()  # noqa: SIM115
        with members.open(name) as stream, temporary_folder_named():
            shutil.copyfileobj(stream, copy, _BLOCK_BYTES)
        copy.seek(0)
        return copy


def list_members(archive: Path, inner: str = "") -> list[str]:
    """Return the names of all files in an archive, folder, or archive ``inner`` inside it."""
    with _opened(archive, f"{inner}!" if inner else "") as (_, members, _):
        return [archive.name] if members is None else list(members.names)


def extract_folder(archive: Path, folder: str, target: Path) -> None:
    """Unpack one folder of an archive (or copy a plain one) to ``target``, whole or not at all.

    Args:
        archive: A zip or tar archive, or a folder.
        folder: Path inside it, `!` stepping into inner archives; empty for everything.
        target: The folder to make.

    Raises:
        UserError: There is no such folder, or the archive must not be unpacked.
    """
    with _opened(archive, folder) as (label, members, name):
        if members is None:
            raise UserError(f"{label}: neither a folder nor a zip or tar archive")
        prefix = f"{name.strip('/')}/" if name.strip("/") else ""
        inside = [member for member in members.names if member.startswith(prefix)]
        if not inside:
            folders = sorted({m.split("/")[0] for m in members.names if "/" in m})[:_SHOWN]
            raise UserError(
                f"{label}: no folder {name!r}; its folders are {', '.join(folders) or 'none'}"
            )
        with atomic(target) as partial:
            partial.mkdir(parents=True)
            for member in inside:
                path = partial / member.removeprefix(prefix)
                path.parent.mkdir(parents=True, exist_ok=True)
                with members.open(member) as stream, path.open("wb") as copy:
                    shutil.copyfileobj(stream, copy)
