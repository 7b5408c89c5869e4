"""Download a repository of the Hugging Face hub at one commit.

Inputs: none; the `source:` mapping comes as a parameter. Outputs: a folder, and a JSON record
with the commit and origin.
"""

import re
from pathlib import Path

from filelock import FileLock

from seedwise.downloads import download_snapshot, resolve_commit
from seedwise.files import write_json
from seedwise.sources import Source, record_in_lock
from seedwise.step import step


def main(*, source: Source, folder: Path, record: Path) -> None:
    """Download ``source`` to ``folder``, hold it to the lock file, and write its ``record``."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    repository, revision, kind = source["hub"], source["revision"], source["type"]
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        commit = revision
        if not re.fullmatch("[0-9a-f]{40}", revision):
            commit = resolve_commit(repository, revision, kind)
            record_in_lock(source, commit)
        download_snapshot(repository, commit, kind, folder, source.get("include"))
        write_json(record, {"source": source, "seen": commit})


if __name__ == "__main__":
    with step(snakemake):
        main(
            source=snakemake.params.source,
            folder=Path(snakemake.output.folder),
            record=Path(snakemake.output.record),
        )
