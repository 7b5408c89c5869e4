"""transformers' Trainer as every training uses it: its arguments, and its progress in the log."""

import logging
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from seedwise.machine.progress import Reporter

logger = logging.getLogger(__name__)


def training_arguments(
    settings: dict[str, Any], *, seed: int, scratch: Path, **own: Any
) -> TrainingArguments:
    """Return the Trainer's arguments for a study's hyper-parameters.

    Args:
        settings: the hyper-parameters, as `seedwise.machine.device.prepare` returns them.
        seed: drives order and dropout.
        scratch: where checkpoints go.
        own: arguments of this kind of training, as `TrainingArguments` names them.
    """
    processes = settings.get("processes", 1)
    return TrainingArguments(
        output_dir=str(scratch),
        seed=seed,
        per_device_train_batch_size=settings["batch_size"] // processes,
        learning_rate=settings["learning_rate"],
        weight_decay=settings["weight_decay"],
        max_grad_norm=settings.get("clip_norm", 1.0),
        use_cpu=settings["device"] == "cpu",
        bf16=settings["precision"] == "bfloat16",
        fp16=settings["precision"] == "float16",
        ddp_backend="gloo" if settings["device"] == "cpu" and processes > 1 else None,
        disable_tqdm=True,
        report_to=[],
        **own,
    )


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
