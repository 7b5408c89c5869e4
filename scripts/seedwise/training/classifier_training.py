"""What a classifier's training with transformers' Trainer adds: order of texts, history."""

import math
import time
from itertools import zip_longest
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import cross_entropy, mse_loss
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback
from transformers.trainer_pt_utils import LengthGroupedSampler

from seedwise.machine import distributed
from seedwise.machine.progress import Reporter
from seedwise.predictions.measures import pearson_of
from seedwise.predictions.scores import sums
from seedwise.study.selection import epochs_without_gain, main_measure
from seedwise.training.runs import HISTORY, SCORE_HISTORY


def is_exhausted(log: list[dict[str, float]], selection: str, patience: int | None) -> bool:
    """Tell whether the epochs of a Trainer's log have not got better for too long."""
    scores = [entry[f"eval_{selection}"] for entry in log if f"eval_{selection}" in entry]
    return bool(patience and scores) and epochs_without_gain(scores, selection) >= patience


class Patience(TrainerCallback):
    """Ends a training that does not get better; what it knows is in the log of each checkpoint."""

    def __init__(self, selection: str, patience: int | None) -> None:
        self._selection, self._patience = selection, patience

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop after so many epochs without gain."""
        if is_exhausted(state.log_history, self._selection, self._patience):
            control.should_training_stop = True


class TrainingHistory(TrainerCallback):
    """Loss and accuracy, or correlation, of each epoch's training texts, and the seconds so far.

    They go into the Trainer's own log history, which every checkpoint holds, and so do the counts
    so far where one is written inside an epoch. Each text counts as the model saw it: with
    dropout, before its update. Counts of all processes of a training are added up.
    """

    def __init__(self, class_weights: list[float] | None = None) -> None:
        self._weights = torch.tensor(class_weights) if class_weights else None
        self._clear()

    def _clear(self) -> None:
        self._loss, self._texts = 0.0, 0
        self._right = [0.0]  # correct texts; of scores, `scores.sums`

    def loss(self, outputs: Any, labels: torch.Tensor, **_: Any) -> torch.Tensor:
        """Return the mean cross-entropy of ``outputs.logits`` (B, labels), and count the batch.

        In training each text counts with the weight of its label. Of scores, where ``outputs`` have
        the shape (B, 1), it is the mean squared error.
        """
        logits = outputs.logits.float()
        if logits.shape[-1] == 1:
            loss = mse_loss(logits[:, 0], labels)
        else:
            weights = None
            if self._weights is not None and torch.is_grad_enabled():
                weights = self._weights.to(labels.device)
            loss = cross_entropy(logits, labels, weight=weights)
        if torch.is_grad_enabled():
            self._loss += loss.item() * len(labels)
            self._texts += len(labels)
            if logits.shape[-1] == 1:
                right = sums(logits[:, 0], labels).tolist()
            else:
                right = [int((logits.argmax(dim=-1) == labels).sum())]
            self._right = [a + b for a, b in zip_longest(self._right, right, fillvalue=0.0)]
        return loss

    def _counts(self) -> list[list[float]]:
        """Return loss, texts and what was right so far, of each process."""
        return distributed.gather([self._loss, self._texts, *self._right])

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock and the counts, from where a resumed run's stood."""
        self._progress = Reporter(state.max_steps, math.ceil(args.num_train_epochs))
        earlier = [entry["seconds"] for entry in state.log_history if "seconds" in entry]
        self._started = time.monotonic() - (earlier[-1] if earlier else 0.0)
        if state.log_history and "counts" in state.log_history[-1]:
            counts = state.log_history.pop()["counts"]
            self._loss, self._texts, *self._right = counts[distributed.rank()]

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Log how far the training is, every few seconds.

        For a checkpoint inside an epoch, leave the counts, in place of those before.
        """
        if distributed.is_first() and self._progress.due(state.global_step):
            correct = self._right[0] / self._texts if len(self._right) == 1 else None
            self._progress.report(state.global_step, self._loss / self._texts, correct)
        if control.should_save:
            if state.log_history and "counts" in state.log_history[-1]:
                state.log_history.pop()
            state.log_history.append(
                {
                    "step": state.global_step,
                    "counts": self._counts(),
                    "seconds": time.monotonic() - self._started,
                }
            )

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Add the epoch's entry beside the one that the Trainer made of the validation."""
        loss, texts, *right = map(sum, zip(*self._counts(), strict=True))
        if len(right) == 1:
            found = {"train_accuracy": right[0] / texts}
        else:
            found = {"train_pearson": pearson_of(texts, right)}
        state.log_history.append(
            {
                "epoch": state.epoch,
                "step": state.global_step,
                "train_loss": loss / texts,
                **found,
                "seconds": time.monotonic() - self._started,
            }
        )
        self._clear()


class EpochLengthGroups(LengthGroupedSampler):
    """Batches of similar length whose order depends on seed and epoch alone.

    The Trainer's own draws it from the random numbers at hand, which after a resume inside an
    epoch are others than at the epoch's beginning.
    """

    def __init__(self, batch_size: int, lengths: list[int], seed: int) -> None:
        super().__init__(batch_size, lengths=lengths)
        self._seed = seed

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        (seed,) = np.random.SeedSequence((self._seed, epoch)).generate_state(1, np.uint64)
        self.generator = torch.Generator().manual_seed(int(seed))


class EpochOrder(TrainerCallback):
    """Tells the sampler its epoch, as accelerate does not where a shared epoch is resumed."""

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Find the sampler behind whatever shards and skips batches."""
        sampler = others["train_dataloader"]
        while hasattr(sampler, "batch_sampler"):
            sampler = sampler.batch_sampler
        if hasattr(sampler.sampler, "set_epoch"):
            sampler.sampler.set_epoch(int(state.epoch))


class ClassifierTrainer(Trainer):
    """A Trainer whose texts come in an order that seed, epoch and lengths alone decide."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        lengths = [len(example["input_ids"]) for example in self.train_dataset]
        return EpochLengthGroups(self.args.train_batch_size, lengths, self.args.seed)

    def _get_eval_sampler(self, eval_dataset: Any) -> Any:
        # It is sorted by length as a whole; the Trainer's own would group some texts at random.
        if self.args.world_size == 1:
            return SequentialSampler(eval_dataset)
        return super()._get_eval_sampler(eval_dataset)  # accelerate repeats some to fill batches

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        # Nobody reads the norm of gradients that are not clipped, and it costs 4 % of an update.
        return grad_norm


def history_table(log: list[dict[str, float]]) -> pd.DataFrame:
    """Return a row per epoch and split from the Trainer's log, as history.csv has it."""
    main = main_measure(any("eval_pearson" in entry for entry in log))
    measures = SCORE_HISTORY if main == "pearson" else HISTORY
    rows = [
        {"epoch": round(entry["epoch"]), "split": split}
        | {name: entry.get(f"{prefix}_{name}") for name in measures[2:]}
        for split, prefix in (("train", "train"), ("valid", "eval"))
        for entry in log
        if f"{prefix}_{main}" in entry
    ]
    return pd.DataFrame(rows).sort_values(["epoch", "split"], ignore_index=True)
