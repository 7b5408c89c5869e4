"""Files that appear whole or not at all, and the two formats every step speaks."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_BLOCK_BYTES = 1 << 20


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of ``path`` (file or folder), renamed onto it on success.

    The sibling is removed when the block raises, so no reader ever sees a torn file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Of this process: processes of two nodes may have one number.
    partial = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}.partial")
    try:
        yield partial
        if partial.is_dir() and path.is_dir():
            shutil.rmtree(path)
        partial.replace(path)
    except OSError as error:
        # A full disk does not say what did not fit. Errors without a number say it in words.
        if error.errno is not None:
            error.filename = error.filename or str(path)
        raise
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, atomically."""
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Read one JSON document."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_jsonl(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write one JSON object a line, atomically and streaming.

    Line feeds are the only line separators: U+2028 and its like stay inside a record.
    """
    with atomic(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as stream:
        for record in records:
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file written by `write_jsonl`."""
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            yield json.loads(line)


def sha256_of_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' contents, one after the other, as hex digits."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()


def sha256_of_json(value: Any) -> str:
    """Return the SHA-256 of a JSON-able value in its canonical form (sorted keys)."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
