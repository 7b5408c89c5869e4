"""The folder in which one training job keeps its checkpoints until it is done."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from seedwise.errors import UserError
from seedwise.machine import node_scratch
from seedwise.machine.stopping import stopping_on_signals

logger = logging.getLogger(__name__)

FULL_BYTES = 1 << 16
"""A disk with less free space is full."""


@contextmanager
def training_scratch(parent: Path, key: str) -> Iterator[Path]:
    """Yield ``parent/checkpoints/{key}`` with this process as its only writer.

    The folder outlives a killed job, so the next call resumes from it, and is removed when the
    block ends well. ``key`` is a hash of everything the run depends on: checkpoints of other
    settings, data or code never match it and are removed. SIGTERM and SIGINT end the process, see
    `stopping_on_signals`.

    Raises:
        UserError: another process, perhaps left over from a killed Snakemake, writes there; this
            node lacks its `node_scratch`; or a disk was full when the block failed.
    """
    node_scratch.check()
    checkpoints = parent / "checkpoints"
    folder = checkpoints / key[:16]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # The system releases this lock when the process dies, however it dies.
        # Where the file system has no locks, filelock's own mark stays: that of a process of this
        # node is known to be of a dead one.
        lock = filelock.FileLock(parent / "checkpoints.lock").acquire(timeout=0)
    except filelock.Timeout:
        raise UserError(
            f"{checkpoints}: another process trains this run at this moment (perhaps left over "
            "from a Snakemake that was killed); wait until it ends, or end it, then call again; if "
            f"there is none on any node, delete {parent / 'checkpoints.lock'}"
        ) from None
    with lock, stopping_on_signals():
        for other in checkpoints.iterdir():
            if other != folder:
                logger.info("removing checkpoints of other settings: %s", other)
                shutil.rmtree(other)
        if any(folder.iterdir()):
            logger.info("resuming from %s", folder)
        try:
            yield folder
        except Exception as error:
            # torch does not say so itself.
            for place in filter(None, (folder, node_scratch.named())):
                if shutil.disk_usage(place).free < FULL_BYTES:
                    raise UserError(
                        f"{place}: the disk is full; make room, then call again: training goes on "
                        "from its last checkpoint"
                    ) from error
            raise
        shutil.rmtree(checkpoints)
    (parent / "checkpoints.lock").unlink(missing_ok=True)
