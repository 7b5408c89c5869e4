"""Checkpoints of transformers' Trainer: written often, checked before one is resumed from."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from seedwise.files import read_json, sha256_of_files, write_json
from seedwise.machine import distributed, node_scratch

logger = logging.getLogger(__name__)

SUMS = "checksums.json"
"""Stands in a whole checkpoint and is written last: the SHA-256 of each of its files."""

NEWEST_KEPT = 2
"""Checkpoints kept beside the best one: should the last be torn, there is one before it."""


class Checkpoints(TrainerCallback):
    """Saves inside epochs too, seals each checkpoint with checksums, and removes old ones.

    Give the Trainer no `save_total_limit`: it would remove the oldest by their time, which may be
    the newest ones where the clock was set back.

    Args:
        interval: updates between two checkpoints; 0 leaves it to the Trainer's own strategy.
    """

    def __init__(self, interval: int = 0) -> None:
        self.interval = interval
        self._wanted = False

    def save_now(self, wanted: bool) -> None:
        """Have a checkpoint written after the update at hand, or none beside those due."""
        self._wanted = wanted

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """End before this update where all processes of the training were asked to."""
        distributed.before_update(state.global_step + 1)

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Ask for a checkpoint where one is due, unless one follows at the epoch's end."""
        due = self._wanted or (self.interval and state.global_step % self.interval == 0)
        # One saved before the epoch's validation would resume behind it.
        follows = args.save_strategy == "epoch" and not (
            state.global_step % len(others["train_dataloader"])
        )
        if due and not follows:
            control.should_save = True
        self._begin(args, state, control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Prepare the checkpoint that the Trainer's own strategy asks for."""
        self._begin(args, state, control)

    @staticmethod
    def _begin(args: Any, state: Any, control: Any) -> None:
        if control.should_save:
            if state.is_world_process_zero:
                node_scratch.begin_folder(_folder(args, state))
            distributed.wait_for_all()

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Seal the checkpoint just written; keep it, the one before it and the best."""
        distributed.wait_for_all()  # each process writes a file of its own
        if not state.is_world_process_zero:
            return
        seal(_folder(args, state))
        node_scratch.move_whole(_folder(args, state))
        folder = Path(args.output_dir)
        for number in sorted(_numbers(folder))[:-NEWEST_KEPT]:
            if number != state.best_global_step:
                shutil.rmtree(folder / f"checkpoint-{number}")


def _folder(args: Any, state: Any) -> Path:
    return Path(args.output_dir) / f"checkpoint-{state.global_step}"


def seal(checkpoint: Path) -> None:
    """Write the checksums of all files in ``checkpoint``."""
    files = sorted(path for path in checkpoint.iterdir() if path.name != SUMS)
    write_json(checkpoint / SUMS, {path.name: sha256_of_files([path]) for path in files})


def is_whole(checkpoint: Path) -> bool:
    """Say whether a checkpoint is sealed and its files are still those that it was sealed with."""
    try:
        sums = read_json(checkpoint / SUMS)
        return all(sha256_of_files([checkpoint / name]) == sums[name] for name in sums)
    except (OSError, json.JSONDecodeError, UnicodeDecodeError):
        return False


def last_whole_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint in ``folder`` from which training goes on exactly.

    Torn ones are set aside. A checkpoint whose best epoch is among them is of no use: the weights
    to select are lost, so training goes on from before that epoch.
    """
    whole = []
    for number in sorted(_numbers(folder)):
        checkpoint = folder / f"checkpoint-{number}"
        if is_whole(checkpoint):
            node_scratch.move_whole(checkpoint)  # sealed, but killed before it was
            whole.append(number)
        else:
            logger.warning("%s is torn and set aside: going on from one before it", checkpoint)
            _set_aside(checkpoint)
    for number in reversed(whole):
        checkpoint = folder / f"checkpoint-{number}"
        if read_json(checkpoint / "trainer_state.json")["best_global_step"] in (None, *whole):
            logger.info("going on from %s", checkpoint)
            return checkpoint
        _set_aside(checkpoint)
    return None


def _numbers(folder: Path) -> list[int]:
    """Return the updates at which the checkpoints in ``folder`` were saved."""
    return [int(path.name.rpartition("-")[2]) for path in folder.glob("checkpoint-*")]


def _set_aside(checkpoint: Path) -> None:
    aside = checkpoint.with_name(f"torn-{checkpoint.name}")
    shutil.rmtree(aside, ignore_errors=True)
    checkpoint.rename(aside)
