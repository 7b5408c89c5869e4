"""Where things stand in the archive of a study, and whether they are what was archived."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import Any

from seedwise.errors import UserError, one_line

METADATA = "ro-crate-metadata.json"
ABOUT = "archive.json"
"""In the study's folder: Seedwise's commit, the rules that make tables, the models."""

CODE = "seedwise"
"""The folder with Seedwise's own code."""


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive.

    Raises:
        UserError: It is none, is damaged, or holds what would be written elsewhere.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if Path(name).is_absolute() or ".." in Path(name).parts:
                    raise UserError(f"{path}: holds {one_line(name)!r}, which leads out of it")
            yield archive
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path}: damaged, or no archive ({one_line(str(error))})") from None


def checksums(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the SHA-256 of every file that the archive describes, by name.

    Raises:
        UserError: It is not described.
    """
    try:
        graph = json.loads(archive.read(METADATA))["@graph"]
        return {entity["@id"]: entity["sha256"] for entity in graph if "sha256" in entity}
    except (KeyError, ValueError, TypeError):
        raise UserError(
            f"{archive.filename}: not the archive of a study: no {METADATA} that can be read"
        ) from None


def wrong_files(archive: zipfile.ZipFile) -> list[str]:
    """Return a message for each file that is missing, changed, or not described."""
    known = checksums(archive)
    there = {info.filename for info in archive.infolist() if not info.is_dir()}
    messages = [f"{name}: missing" for name in sorted(known.keys() - there)]
    messages += [f"{name}: not described" for name in sorted(there - known.keys() - {METADATA})]
    for name in sorted(known.keys() & there):
        with archive.open(name) as stream:
            found = file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        if found != known[name]:
            messages.append(f"{name}: its SHA-256 is {found}, not {known[name]}")
    return messages


def about(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return what the archive says of itself, and the study's name: that of its folder.

    Raises:
        UserError: Nothing, or not of one study.
    """
    names = [name for name in archive.namelist() if Path(name).match(f"results/*/{ABOUT}")]
    if len(names) != 1:
        raise UserError(f"{archive.filename}: not the archive of a study: no {ABOUT}")
    return json.loads(archive.read(names[0])) | {"study": Path(names[0]).parent.name}
