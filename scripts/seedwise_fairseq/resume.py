"""From which of its checkpoints a killed fairseq training goes on."""

import logging
import shutil
import zipfile
from pathlib import Path
from typing import Any

from seedwise.errors import UserError
from seedwise.files import atomic
from seedwise.models.checkpoints import load_checkpoint
from seedwise.study.selection import epochs_without_gain

logger = logging.getLogger(__name__)

LAST, BEST = "checkpoint_last.pt", "checkpoint_best.pt"


def updates_done(checkpoint: dict[str, Any]) -> int:
    """Return the number of updates after which a checkpoint was written."""
    return checkpoint["optimizer_history"][-1]["num_updates"]


def choose_checkpoint(scratch: Path, *, selects_best: bool) -> int:
    """Make the newest usable checkpoint ``checkpoint_last.pt``, where fairseq looks for it.

    fairseq copies each new checkpoint to ``checkpoint_last.pt``, so that a job killed meanwhile
    leaves it torn, on which fairseq would fail. Torn files are set aside with a warning.

    Args:
        scratch: the folder of the checkpoints.
        selects_best: whether ``checkpoint_best.pt`` is wanted in the end. If it is torn, only
            checkpoints from before the first epoch's end are of use.

    Returns:
        The number of updates done; 0 if training begins anew.
    """
    whole = {}
    for path in sorted(scratch.glob("checkpoint*.pt")):
        try:
            checkpoint = _read_whole(path)
        except UserError as error:
            logger.warning("%s; set aside: going on from one before it", error)
            path.replace(path.with_name(f"torn-{path.name}"))
        else:
            # Before any epoch's end, the best score is a stand-in below all others.
            best_is_due = checkpoint["extra_state"].get("best", -1.0) < 0
            whole[path.name] = updates_done(checkpoint), best_is_due
    usable = {
        name: updates
        for name, (updates, best_is_due) in whole.items()
        if BEST in whole or best_is_due or not selects_best
    }
    if not usable:
        (scratch / LAST).unlink(missing_ok=True)
        return 0
    newest = max(usable, key=lambda name: (usable[name], name == LAST))
    if newest != LAST:
        with atomic(scratch / LAST) as partial:
            shutil.copyfile(scratch / newest, partial)
    logger.info("going on from %s, after %d updates", scratch / newest, usable[newest])
    return usable[newest]


def epochs_waited(history: list[dict[str, Any]], selection: str) -> int:
    """Return how many epochs there were after the best of a training's history."""
    scores = [row[selection] for row in history if row["split"] == "valid"]
    return epochs_without_gain(scores, selection)


def has_stopped(scratch: Path, selection: str, patience: int) -> bool:
    """Tell whether a training had lost its patience before it was killed."""
    last = scratch / LAST
    history = load_checkpoint(last)["task_state"]["history"] if last.is_file() else []
    return bool(history) and epochs_waited(history, selection) >= patience


def _read_whole(path: Path) -> dict[str, Any]:
    """Load a checkpoint after comparing the checksums inside it, which torch does not.

    Raises:
        UserError: it is torn, or carries code.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: torn ({error})") from error
    if damaged:
        raise UserError(f"{path}: damaged in {damaged}")
    return load_checkpoint(path)
