"""What transformers' Trainer says of its progress, in the rule's log."""

import logging
from typing import Any

from transformers import PrinterCallback, Trainer, TrainerCallback

from seedwise.machine.progress import Reporter

logger = logging.getLogger(__name__)


class _LogCallback(TrainerCallback):
    def __init__(self, lines: bool) -> None:
        self._lines = lines

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress = Reporter(state.max_steps)
        self._progress.due(state.global_step)  # starts the clock

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if state.is_world_process_zero:
            logger.info("update %d of %d: %s", state.global_step, state.max_steps, logs)
            if self._lines and "loss" in (logs or {}):
                self._progress.report(state.global_step, float(logs["loss"]))


def log_progress(trainer: Trainer, *, lines: bool = True) -> None:
    """Log what ``trainer`` would print: several jobs share one terminal.

    Args:
        trainer: The trainer.
        lines: Whether to log a line of progress with it; a training may log its own.
    """
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_LogCallback(lines))
