"""What the script of every rule does around its work: a log, and checksums of its files.

An output's checksum stands in ``results/{study}/.sha256``, as `sha256sum --check` reads it, and
every step compares those of its inputs. So a file that was changed behind the study's back is
refused by whatever would read it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedwise.errors import UserError
from seedwise.files import sha256_of_files, write_text
from seedwise.log import log_to


@contextmanager
def step(snakemake: Any) -> Iterator[None]:
    """Do a rule's work inside, see `seedwise.log.log_to`; its inputs are what rules wrote.

    Args:
        snakemake: the object that Snakemake gives a script.
    """
    with log_to(snakemake.log[0]):
        for path in map(Path, snakemake.input):
            check_unchanged(path)
        outputs = [Path(path) for path in snakemake.output]
        for path in outputs:
            if record := _record(path):
                record.unlink(missing_ok=True)
        yield
        for path in outputs:
            if record := _record(path):
                write_text(record, f"{_checksum(path)}  {path}\n")


def check_unchanged(path: Path) -> None:
    """Raise `UserError` if a file or folder is not what the rule that made it wrote."""
    record = _record(path)
    if record and record.is_file() and record.read_text().split()[0] != _checksum(path):
        raise UserError(
            f"{path}: changed since the study wrote it; delete it, and the next call makes it "
            "anew; to change it on purpose, change what it is made from"
        )


def _record(path: Path) -> Path | None:
    """Return where the checksum of a file of ``results/{study}`` stands; no other has one."""
    if path.is_absolute() or path.parts[0] != "results":
        return None
    results = Path(*path.parts[:2])
    return results / ".sha256" / f"{path.relative_to(results)}.txt"


def _checksum(path: Path) -> str:
    if path.is_dir():
        return sha256_of_files(sorted(file for file in path.rglob("*") if file.is_file()))
    return sha256_of_files([path])
