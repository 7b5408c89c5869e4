"""Checkpoints of transformers' Trainer: which one to resume from."""

import json
import logging
import shutil
from pathlib import Path

logger = logging.getLogger(__name__)

# The Trainer writes trainer_state.json last. Without one of the others it would resume all the
# same, but to another result.
_STATE = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")
_WEIGHTS = ("model.safetensors", "adapter_model.safetensors")


def is_complete(checkpoint: Path) -> bool:
    """Say whether a ``checkpoint-N`` folder holds all that an exact resume needs."""
    if not all((checkpoint / name).is_file() for name in _STATE):
        return False
    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except ValueError:
        return False
    return any((checkpoint / name).is_file() for name in _WEIGHTS)


def last_complete_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint in ``folder``; remove the torn ones after it."""
    checkpoints = sorted(
        folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2])
    )
    for checkpoint in reversed(checkpoints):
        if is_complete(checkpoint):
            return checkpoint
        logger.warning("%s is torn: resuming from the one before it", checkpoint)
        shutil.rmtree(checkpoint)
    return None
