"""What transformers' Trainer says of its progress, in the rule's log."""

import logging
from typing import Any

from transformers import PrinterCallback, Trainer, TrainerCallback

logger = logging.getLogger(__name__)


class _LogCallback(TrainerCallback):
    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if state.is_world_process_zero:
            logger.info("update %d of %d: %s", state.global_step, state.max_steps, logs)


def log_progress(trainer: Trainer) -> None:
    """Log what ``trainer`` would print: several jobs share one terminal."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_LogCallback)
