"""What the script of every rule does around its work: a log, checksums of its files, its costs.

An output's checksum stands in ``results/{study}/.sha256``, as `sha256sum --check` reads it, and
every step compares those of its inputs. So a file that was changed behind the study's back is
refused by whatever would read it.

What a step cost stands beside Snakemake's benchmark file, as JSON: Snakemake looks at a job in its
first 15 seconds and then every 30, so that its processor time and memory are those of that moment.
"""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedwise.environment import NODE_SCRATCH, cpu_seconds, peak_rss_mib
from seedwise.errors import UserError
from seedwise.files import sha256_of_files, write_json, write_text
from seedwise.log import log_to

SECONDS_OF_LATENCY = 60 if "SLURM_JOB_ID" in os.environ else 0
"""For so long another node's file, or its checksum, may still look as before: as long as NFS keeps
directory entries by itself (`acdirmax` in nfs(5)). Snakemake waits as long for missing files, by
`profiles/slurm`."""


@contextmanager
def step(snakemake: Any) -> Iterator[None]:
    """Do a rule's work inside, see `seedwise.log.log_to`; its inputs are what rules wrote.

    Args:
        snakemake: the object that Snakemake gives a script.
    """
    with log_to(snakemake.log[0]):
        if folder := snakemake.resources.get("node_scratch"):
            os.environ[NODE_SCRATCH] = folder
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
        if place := _costs(Path(snakemake.log[0])):
            write_json(
                place,
                {"cpu_seconds": round(cpu_seconds(), 2), "peak_mib": round(peak_rss_mib(), 1)},
            )


def check_unchanged(path: Path) -> None:
    """Raise `UserError` if a file or folder is not what the rule that made it wrote."""
    deadline = time.monotonic() + SECONDS_OF_LATENCY
    while not _is_as_recorded(path):
        if time.monotonic() >= deadline:
            raise UserError(
                f"{path}: changed since the study wrote it; delete it, and the next call makes it "
                "anew; to change it on purpose, change what it is made from"
            )
        time.sleep(1)


def _is_as_recorded(path: Path) -> bool:
    """Tell whether a file or folder has the checksum that is recorded, if one is."""
    record = _record(path)
    if not record or not record.is_file():
        return True
    try:
        return record.read_text().split()[0] == _checksum(path)
    except OSError as error:
        # On the server there is another file of this name by now.
        if error.errno == errno.ESTALE:
            return False
        raise


def _record(path: Path) -> Path | None:
    """Return where the checksum of a file of ``results/{study}`` stands; no other has one."""
    if path.is_absolute() or path.parts[0] != "results":
        return None
    results = Path(*path.parts[:2])
    return results / ".sha256" / f"{path.relative_to(results)}.txt"


def _costs(log: Path) -> Path | None:
    """Return where the costs of the job with this log stand; no other log's job has any."""
    if log.is_absolute() or log.parts[0] != "logs":
        return None
    study, *name = log.with_suffix(".json").parts[1:]
    return Path("results", study, "benchmarks", *name)


def _checksum(path: Path) -> str:
    if path.is_dir():
        return sha256_of_files(sorted(file for file in path.rglob("*") if file.is_file()))
    return sha256_of_files([path])
