"""Where data and checkpoints come from: the `source:` mappings of a study, and their lock file.

The Snakefile imports this module: standard library only.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from seedwise.errors import UserError
from seedwise.files import read_json, sha256_of_files, sha256_of_json, write_json

Source = dict[str, Any]

RESOURCES = "resources"
LOCK_FILE = Path("sources.lock.json")
SNAPSHOT = "snapshot"
KINDS = ("package", "url", "path", "hub")


def source_kind(source: Source) -> str:
    """Return which of `KINDS` the source is."""
    return next(kind for kind in KINDS if kind in source)


def _words(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:40].strip("-")


def source_slug(source: Source) -> str:
    """Return the folder name of a download under ``resources/``.

    It ends in a hash of the whole mapping: studies share a download exactly when they ask
    for the same thing.
    """
    name = unquote(str(source[source_kind(source)]))
    if source_kind(source) == "url":
        name = PurePosixPath(urlsplit(name).path).name
    return f"{_words(name) or 'download'}-{sha256_of_json(source)[:12]}"


def source_filename(source: Source) -> str:
    """Return the name of the downloaded file; a hub repository is a folder."""
    kind = source_kind(source)
    if kind == "hub":
        return SNAPSHOT
    if kind == "package":
        return f"{_words(source['package'])}.{source.get('distribution', 'sdist')}"
    name = PurePosixPath(unquote(urlsplit(source["url"]).path)).name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".-") or "download"


def source_path(source: Source) -> str:
    """Return where the file of a source stands, relative to the working directory.

    A local `path` stays what the user wrote, but for `~`; anything else is what rule
    `download_source` or `download_snapshot` writes.
    """
    if source_kind(source) == "path":
        return os.path.normpath(os.path.expanduser(source["path"]))  # noqa: PTH111
    return f"{RESOURCES}/{source_slug(source)}/{source_filename(source)}"


def describe_source(source: Source) -> str:
    """Return the source in a word or two, for messages."""
    kind = source_kind(source)
    return f"{kind} {source[kind]}" + (f" at {source['revision']}" if kind == "hub" else "")


def find_sources(config: Any, key: str = "") -> Iterator[tuple[str, Source]]:
    """Yield each `source:` mapping in a study with its dotted key."""
    if not isinstance(config, dict):
        return
    for name, value in config.items():
        dotted = f"{key}.{name}" if key else str(name)
        if name == "source" and isinstance(value, dict):
            yield dotted, value
        else:
            yield from find_sources(value, dotted)


def downloads(config: dict[str, Any], *, snapshots: bool) -> dict[str, Source]:
    """Return the sources to download, by slug: hub repositories, or the single files."""
    return {
        source_slug(source): source
        for _, source in find_sources(config)
        if source_kind(source) != "path" and (source_kind(source) == "hub") == snapshots
    }


def filename_pattern(sources: dict[str, Source]) -> str:
    """Return a regular expression for the file names of these sources."""
    return "|".join(sorted({re.escape(source_filename(s)) for s in sources.values()})) or "(?!)"


def lock_key(source: Source) -> str | None:
    """Return the source's key in the lock file, or None where the study itself pins it."""
    kind = source_kind(source)
    if kind == "url" and "sha256" not in source:
        return str(source["url"])
    if kind == "hub" and not re.fullmatch("[0-9a-f]{40}", source["revision"]):
        return f"{source['type']} {source['hub']}@{source['revision']}"
    return None


def read_lock(path: Path = LOCK_FILE) -> dict[str, str]:
    """Return what was recorded on first use: the SHA-256 of a file, the commit of a repository."""
    if not path.exists():
        return {}
    try:
        lock = read_json(path)
    except ValueError as error:
        raise UserError(
            f"{path}: not valid JSON ({error}); restore it from version control"
        ) from None
    if not isinstance(lock, dict) or not all(isinstance(v, str) for v in lock.values()):
        raise UserError(f"{path}: must map each source to its SHA-256 or commit")
    return lock


def record_in_lock(source: Source, seen: str, path: Path = LOCK_FILE) -> None:
    """Record ``seen`` on the first use of a source; raise `UserError` if it was another before.

    Safe against other writers of the same lock file.
    """
    from filelock import FileLock  # here, because the Snakefile imports this module

    key = lock_key(source)
    if key is None:
        return
    guard = path.with_name(RESOURCES) / f".{path.name}.guard"
    guard.parent.mkdir(exist_ok=True)
    with FileLock(guard):
        lock = read_lock(path)
        check_recorded(key, seen, lock, path)
        if key not in lock:
            write_json(path, dict(sorted((lock | {key: seen}).items())))


def check_recorded(key: str, seen: str, lock: dict[str, str], path: Path = LOCK_FILE) -> None:
    """Raise `UserError` if ``seen`` is not what the lock file recorded for ``key``."""
    if lock.get(key, seen) != seen:
        raise UserError(
            f"{key}: is now {seen}, but {path} recorded {lock[key]} on first use; if the change "
            "is meant, remove that line and what was downloaded"
        )


def record_path(file: Path) -> Path:
    """Return the small JSON file that says where a download came from and what it was."""
    return file.with_name(f"{file.name}.source.json")


def check_downloaded(config: dict[str, Any], lock_path: Path = LOCK_FILE) -> None:
    """Raise `UserError` if an earlier download is not what the lock file now says.

    Cheap: reads the records beside the downloads, not the downloads.
    """
    lock = read_lock(lock_path)
    for _, source in find_sources(config):
        key = lock_key(source)
        record = record_path(Path(source_path(source)))
        if key in lock and record.is_file():
            where = f"{record.parent}: {key}"
            check_recorded(where, read_json(record)["seen"], {where: lock[key]}, lock_path)


def verify_source(source: Source, key: str) -> str:
    """Return the SHA-256 of the source's file, checked against the one in the study.

    Args:
        source: The `source:` mapping.
        key: Its dotted key, for messages.

    Returns:
        Hex digits; the empty string for a folder.

    Raises:
        UserError: The file is missing or differs from `sha256`, or `sha256` names a folder.
    """
    path = Path(source_path(source))
    if not path.exists():
        raise UserError(f"{key}.{source_kind(source)}: {path} does not exist")
    pinned = source.get("sha256")
    if path.is_dir():
        if pinned:
            raise UserError(f"{key}.sha256: {path} is a folder; only a file has a checksum")
        return ""
    seen = sha256_of_files([path])
    if pinned and pinned != seen:
        raise UserError(f"{key}.sha256: {path} has SHA-256 {seen}, expected {pinned}")
    return seen
