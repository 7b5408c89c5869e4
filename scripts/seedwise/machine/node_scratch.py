"""Checkpoints are written on the node's own disk, where one is named, and moved when whole.

A network file system takes whole files well, and the small writes of many trainings badly. A
profile names the disk by the default resource `node_scratch`.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seedwise.environment import NODE_SCRATCH
from seedwise.errors import UserError
from seedwise.files import atomic

logger = logging.getLogger(__name__)


def named() -> Path | None:
    """Return the folder that the profile names, with variables of the job in it; None if none."""
    name = os.environ.get(NODE_SCRATCH)
    return Path(os.path.expandvars(name)) if name else None


def check() -> None:
    """Raise a `UserError` if this node has no such folder, or nothing can be written there."""
    if (folder := named()) is None:
        return
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise UserError(
            f"node_scratch={os.environ[NODE_SCRATCH]}: {folder} is no folder to write to on "
            f"{os.uname().nodename}; name one that every node has, or leave it out"
        )
    logger.info("checkpoints are written to %s, and moved when whole", folder)


@contextmanager
def written_nearby(path: Path) -> Iterator[Path]:
    """Yield where to write the file ``path``, which appears whole when the block ends."""
    if (folder := named()) is None:
        yield path
        return
    with tempfile.TemporaryDirectory(dir=folder) as near:
        yield Path(near) / path.name
        with atomic(path) as partial:
            shutil.copyfile(Path(near) / path.name, partial)


def begin_folder(path: Path) -> None:
    """Have what is written into the new folder ``path`` stand nearby, until `move_whole`."""
    if (folder := named()) is not None:
        path.symlink_to(tempfile.mkdtemp(dir=folder), target_is_directory=True)


def move_whole(path: Path) -> None:
    """Put the folder that ``path`` leads to in its place, if it stands nearby."""
    if not path.is_symlink():
        return
    near = path.resolve()
    with atomic(path) as partial:
        shutil.copytree(near, partial)
        path.unlink()
    shutil.rmtree(near)
