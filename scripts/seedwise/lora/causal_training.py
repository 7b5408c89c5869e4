"""Training a causal language model with transformers' Trainer, resumable to the same bits."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn
from transformers import DataCollatorForSeq2Seq, PreTrainedTokenizerBase, Trainer, TrainerCallback

from seedwise.lora.answers import Example
from seedwise.machine import distributed
from seedwise.machine.stopping import saving_first
from seedwise.models.transformers_layers import length_multiple
from seedwise.training.trainer import log_progress, training_arguments
from seedwise.training.trainer_checkpoints import Checkpoints, last_whole_checkpoint


class _Trainer(Trainer):
    """A Trainer whose validation loss is ours: a mean over tokens, not over batches."""

    measure: Callable[[nn.Module], float]

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Log the validation loss; it stands in the checkpoint that is written next."""
        metrics = {"eval_loss": self.measure(self.model)}
        self.log(metrics)
        return metrics


class _Carried(TrainerCallback):
    """Carries through a checkpoint what the Trainer forgets: seconds, and losses not logged yet."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take it from the checkpoint that the training goes on from, if there is one."""
        seconds = 0.0
        for entry in self._take(state):
            seconds = entry["seconds"]
            self._trainer._tr_loss += entry["unlogged"][distributed.rank()][0]
            self._trainer._globalstep_last_logged = entry["logged_update"]
        self._started = time.monotonic() - seconds

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Leave it, where a checkpoint follows."""
        if not control.should_save:
            return
        self._take(state)
        trainer, logs = self._trainer, control.should_log  # which it does before it saves
        unlogged = distributed.gather([0.0 if logs else trainer._tr_loss.item()])
        state.log_history.append(
            {
                "step": state.global_step,
                "seconds": self.seconds(),
                "unlogged": unlogged,  # of each process
                "logged_update": state.global_step if logs else trainer._globalstep_last_logged,
            }
        )

    def seconds(self) -> float:
        """Return the seconds of training, those before a resume included."""
        return time.monotonic() - self._started

    @staticmethod
    def _take(state: Any) -> list[dict[str, Any]]:
        taken = [entry for entry in state.log_history if "unlogged" in entry]
        state.log_history = [entry for entry in state.log_history if "unlogged" not in entry]
        return taken


def history_table(log: list[dict[str, float]]) -> pd.DataFrame:
    """Turn the Trainer's log into rows ``epoch, split, loss, update`` (loss in nats a token).

    A training loss is the mean since the row before it.
    """
    rows = [
        {"epoch": entry["epoch"], "split": split, "loss": entry[key], "update": entry["step"]}
        for entry in log
        for key, split in (("loss", "train"), ("eval_loss", "valid"))
        if key in entry
    ]
    table = pd.DataFrame(rows, columns=["epoch", "split", "loss", "update"])
    # The Trainer measures once more at the very end, where it may just have done so.
    return table.drop_duplicates(["split", "update"], ignore_index=True)


def train(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    examples: list[Example],
    settings: dict[str, Any],
    *,
    seed: int,
    scratch: Path,
    measure: Callable[[nn.Module], float] | None = None,
) -> tuple[pd.DataFrame, float]:
    """Train ``model`` in place, from the last complete checkpoint in ``scratch`` if there is one.

    Args:
        model: The model; only parameters that require a gradient change.
        tokenizer: Pads the batches.
        examples: ``input_ids`` and ``labels`` of each training text.
        settings: Hyper-parameters of the study, as `seedwise.machine.device.prepare` returns them.
        seed: Drives order and dropout.
        scratch: Where checkpoints are kept.
        measure: Gives the validation loss, every ``eval_updates``.

    Returns:
        The history, see `history_table`, and the seconds of training.
    """
    checkpoints = Checkpoints()
    multiple = length_multiple(settings.get("max_tokens") or settings["block_tokens"])
    trainer = _Trainer(
        model=model,
        args=training_arguments(
            settings,
            seed=seed,
            scratch=scratch,
            max_steps=settings["updates"],
            gradient_accumulation_steps=settings.get("accumulation", 1),
            lr_scheduler_type=settings.get("schedule", "cosine"),
            warmup_steps=math.ceil(settings["warmup_ratio"] * settings["updates"]),
            logging_steps=settings["eval_updates"],
            eval_strategy="steps" if measure else "no",
            eval_steps=settings["eval_updates"],
            save_steps=settings["checkpoint_updates"] or settings["updates"],
            gradient_checkpointing=settings.get("gradient_checkpointing", False),
            gradient_checkpointing_kwargs={"use_reentrant": False},
        ),
        train_dataset=examples,
        # The validation examples are in `measure`; the Trainer only wants to see some.
        eval_dataset=examples[:1] if measure else None,
        data_collator=DataCollatorForSeq2Seq(tokenizer, pad_to_multiple_of=multiple),
        processing_class=tokenizer,
        callbacks=[checkpoints],
    )
    carried = _Carried(trainer)
    trainer.add_callback(carried)
    if measure:
        trainer.measure = measure
    log_progress(trainer)
    checkpoint = last_whole_checkpoint(scratch)
    with saving_first(checkpoints.save_now, settings["checkpoint_minutes"]):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    # What is computed from now on is computed in float32 again.
    trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    return history_table(trainer.state.log_history), carried.seconds()
