"""Several calls of Snakemake in one folder, for several studies, each with its own locks."""

from pathlib import Path

from snakemake.persistence.file import FilePersistence


def delete_own_locks(persistence: FilePersistence) -> None:
    """Delete the locks of this call or, where it has none (`--unlock`), all that there are.

    Snakemake's own deletes the folder of all locks. Another call loses those it holds, or fails
    with a traceback if it is about to write its first ones.
    """
    for lock in persistence._lockfile.values() or Path(persistence._lockdir).glob("*.lock"):
        Path(lock).unlink(missing_ok=True)
    persistence._lockfile.clear()
