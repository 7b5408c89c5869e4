"""Download one file a study needs and note where it came from.

Inputs: none; the `source:` mapping comes as a parameter. Outputs: the file, and a JSON record
with its SHA-256, size in bytes and origin.
"""

from pathlib import Path

from filelock import FileLock

from seedwise.data.downloads import download_package, download_url
from seedwise.files import read_json, write_json
from seedwise.step import step
from seedwise.study.sources import Source, record_in_lock


def fetch(source: Source, target: Path) -> str:
    """Download ``source`` to ``target`` and return its SHA-256."""
    if "package" in source:
        distribution = source.get("distribution", "sdist")
        return download_package(source["package"], source["sha256"], distribution, target)
    return download_url(source["url"], target, sha256=source.get("sha256"))


def main(*, source: Source, file: Path, record: Path) -> None:
    """Download ``source`` to ``file``, hold it to the lock file, and write its ``record``."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Studies share downloads, so another Snakemake may be fetching the same file: wait for it.
    with FileLock(file.with_name(f".{file.name}.lock")):
        if file.exists() and record.exists() and read_json(record)["source"] == source:
            return
        seen = fetch(source, file)
        try:
            record_in_lock(source, seen)
        except BaseException:
            file.unlink()
            raise
        write_json(record, {"source": source, "seen": seen, "bytes": file.stat().st_size})


if __name__ == "__main__":
    with step(snakemake):
        main(
            source=snakemake.params.source,
            file=Path(snakemake.output.file),
            record=Path(snakemake.output.record),
        )
