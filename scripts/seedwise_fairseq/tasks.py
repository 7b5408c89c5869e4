"""fairseq's two tasks for RoBERTa, with less waste and a history of full precision.

Both may compute in bfloat16 anywhere; fairseq's own switch for it needs a TPU. Both keep the
history of the epochs in the checkpoint, so that a resumed run loses none of it.
"""

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fairseq.criterions import register_criterion
from fairseq.criterions.masked_lm import MaskedLmConfig, MaskedLmLoss
from fairseq.data import SortDataset
from fairseq.logging import metrics
from fairseq.tasks import register_task
from fairseq.tasks.masked_lm import MaskedLMConfig, MaskedLMTask
from fairseq.tasks.sentence_prediction import SentencePredictionConfig, SentencePredictionTask
from torch.nn import functional

from seedwise.machine import distributed
from seedwise.machine.progress import Reporter
from seedwise.models.checkpoints import load_checkpoint
from seedwise_fairseq import resume
from seedwise_fairseq.batches import (
    FirstBatchDataset,
    LengthGroupedDataset,
    PaddedDataset,
    RowsDataset,
    lengths,
)
from seedwise_fairseq.criterion import BEST_SO_FAR, SUMS, correlation, macro_f1
from seedwise_fairseq.layers import accelerate

ROWS_MULTIPLE = 64
"""Tokens that the masked-language model projects onto its vocabulary together."""


class _EpochHistory:
    """Mixin: autocast around the criterion, and a row of history per split and epoch."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.state.add_factory("history", list)
        # fairseq saves a task's state with each checkpoint but does not load it on resuming.
        if self.cfg.history_from and Path(self.cfg.history_from).is_file():
            self.load_state_dict(load_checkpoint(Path(self.cfg.history_from))["task_state"])
        self._train_iterator: Any = None
        self._epoch = self._update = 0
        self._progress = Reporter(self.cfg.progress_updates, self.cfg.progress_epochs or None)
        self._since: dict[str, Any] = {}

    def build_model(self, *args: Any, **kwargs: Any) -> Any:
        """Do as fairseq does, with faster layers."""
        model = super().build_model(*args, **kwargs)
        return accelerate(model, first_position=isinstance(self, SentencePredictionTask))

    def _autocast(self, criterion: Any) -> Any:
        if self.cfg.autocast == "float32":
            return criterion
        dtype = getattr(torch, self.cfg.autocast)

        def compute(model: Any, sample: Any) -> Any:
            device = next(model.parameters()).device.type
            with torch.autocast(device, dtype=dtype):
                return criterion(model, sample)

        return compute

    def train_step(
        self,
        sample: Any,
        model: Any,
        criterion: Any,
        optimizer: Any,
        update_num: int,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[Any, Any, Any]:
        """Do as fairseq does, in the chosen precision, and count for the progress."""
        distributed.before_update(update_num + 1)  # the update before may have left a checkpoint
        criterion = self._autocast(criterion)
        result = super().train_step(
            sample, model, criterion, optimizer, update_num, *args, **kwargs
        )
        for key, value in result[2].items():
            self._since[key] = self._since.get(key, 0) + value
        return result

    def optimizer_step(self, optimizer: Any, model: Any, update_num: int) -> None:
        """Do as fairseq does, and log how far the training is, every few seconds."""
        super().optimizer_step(optimizer, model, update_num)
        self._update = update = update_num + 1
        first = distributed.is_first()
        if first and self._progress.updates and self._progress.due(update):
            since, self._since = self._since, {}
            loss = float(since["loss"]) / max(1, since["sample_size"])
            right = float(since["ncorrect"]) / since["nsentences"] if "ncorrect" in since else None
            self._progress.report(update, loss, right)

    def valid_step(self, sample: Any, model: Any, criterion: Any) -> tuple[Any, Any, Any]:
        """Do as fairseq does, in the chosen precision."""
        return super().valid_step(sample, model, self._autocast(criterion))

    def get_batch_iterator(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        """Do as fairseq does, and remember the iterator of the training split.

        fairseq validates at each checkpoint, inside an epoch too: there, one batch is enough.
        """
        if dataset is self.datasets.get("train"):
            self._train_iterator = super().get_batch_iterator(dataset, *args, **kwargs)
            return self._train_iterator
        if self._is_inside_an_epoch():
            dataset = FirstBatchDataset(dataset)
        return super().get_batch_iterator(dataset, *args, **kwargs)

    def _is_inside_an_epoch(self) -> bool:
        return not self._train_iterator.end_of_epoch() and self._update < self.cfg.progress_updates

    def begin_valid_epoch(self, epoch: int, model: Any) -> None:
        """Remember the epoch, for the history."""
        super().begin_valid_epoch(epoch, model)
        self._epoch = epoch

    def post_validate(self, model: Any, stats: dict[str, Any], meters: Any) -> None:
        """Store a row per split and epoch, and say whether it is the best so far.

        fairseq keeps the last of equal scores, so the best so far has the number of its epoch for
        a score, and any other 0. What is found at a checkpoint inside an epoch is neither stored
        nor ever the best.
        """
        if self._is_inside_an_epoch():
            _score(stats, -1, epochs_without_gain=0)
            return
        rows = {"train": metrics.get_meters("train"), "valid": meters}
        self.state.history.extend(
            _history_row(self._epoch, split, values) for split, values in rows.items()
        )
        if BEST_SO_FAR in stats:
            waited = resume.epochs_waited(self.state.history, self.cfg.selection)
            _score(stats, 0 if waited else self._epoch, epochs_without_gain=waited)


def _score(stats: dict[str, Any], score: int, epochs_without_gain: int) -> None:
    """Set what fairseq chooses the best checkpoint by, and how long it has waited for a better one.

    It counts the latter itself, but forgets it when a training is resumed.
    """
    if BEST_SO_FAR in stats:
        stats[BEST_SO_FAR] = score
        waiting = sys.modules["fairseq_cli.train"].should_stop_early
        # It adds one where the score is not above the best.
        waiting.best, waiting.num_runs = score, epochs_without_gain - 1


def _history_row(epoch: int, split: str, meters: Any) -> dict[str, Any]:
    """Return loss in nats per target and accuracy in [0, 1], or correlation, all unrounded."""
    row = {"epoch": epoch, "split": split, "loss": float(meters["loss"].avg) * math.log(2)}
    if "accuracy" in meters:
        texts = int(meters["accuracy"].count)
        row["accuracy"] = round(float(meters["accuracy"].avg) / 100 * texts) / texts
        if split == "valid":
            row["macro_f1"] = macro_f1(meters)
    elif f"{SUMS}_0" in meters:
        row["pearson"] = correlation(meters, int(meters["loss"].count))
    return row


def _progress_option(what: str) -> Any:
    return field(default=0, metadata={"help": f"{what} of the training, for its progress; 0: none"})


@dataclass
class _SharedOptions:
    autocast: str = field(
        default="float32",
        metadata={"help": "number format of matrix products: float32, bfloat16"},
    )
    history_from: str = field(
        default="", metadata={"help": "checkpoint whose history a resumed training goes on with"}
    )
    progress_updates: int = _progress_option("updates")
    progress_epochs: int = _progress_option("epochs")


@dataclass
class SeedwiseSentencePredictionConfig(_SharedOptions, SentencePredictionConfig):
    """Options of `--task seedwise_sentence_prediction` beside those of `sentence_prediction`."""

    rows_from: str = field(
        default="", metadata={"help": ".npy file of the training texts to read; all if empty"}
    )
    selection: str = field(
        default="accuracy", metadata={"help": "by what the best epoch is chosen"}
    )
    group_by_length: int = field(
        default=0, metadata={"help": "batch size for batches of similar length; 0: random batches"}
    )


@register_task("seedwise_sentence_prediction", dataclass=SeedwiseSentencePredictionConfig)
class SeedwiseSentencePredictionTask(_EpochHistory, SentencePredictionTask):
    """Classification of texts, in batches of similar length."""

    def load_dataset(self, split: str, combine: bool = False, **kwargs: Any) -> Any:
        """Load a split; validation and test are sorted by length, training is grouped by it."""
        dataset = super().load_dataset(split, combine, **kwargs)
        if split == "train" and self.cfg.rows_from:
            dataset = RowsDataset(dataset, np.load(self.cfg.rows_from))
        dataset = PaddedDataset(dataset, self.source_dictionary.pad())
        if split != "train":
            dataset = SortDataset(dataset, sort_order=[lengths(dataset)])
        elif self.cfg.group_by_length:
            dataset = LengthGroupedDataset(dataset, self.cfg.group_by_length, self.cfg.seed)
        self.datasets[split] = dataset
        return dataset


@dataclass
class SeedwiseMaskedLMConfig(_SharedOptions, MaskedLMConfig):
    """Options of `--task seedwise_masked_lm` beside those of `masked_lm`."""

    embeddings_from: str = field(
        default="", metadata={"help": ".npy file of vectors that the embedding starts from"}
    )


@register_task("seedwise_masked_lm", dataclass=SeedwiseMaskedLMConfig)
class SeedwiseMaskedLMTask(_EpochHistory, MaskedLMTask):
    """Masked-language modelling."""

    def build_model(self, *args: Any, **kwargs: Any) -> Any:
        """Build a model whose embedding starts from given vectors, where a piece has one."""
        model = super().build_model(*args, **kwargs)
        # The file goes when training ends: who loads the model later loads its weights.
        if self.cfg.embeddings_from and Path(self.cfg.embeddings_from).is_file():
            vectors = torch.from_numpy(np.load(self.cfg.embeddings_from))
            known = vectors.any(dim=1)
            with torch.no_grad():
                model.encoder.sentence_encoder.embed_tokens.weight[known] = vectors[known]
        return model

    def load_dataset(self, split: str, *args: Any, **kwargs: Any) -> None:
        """Load a split; its batches are padded to lengths that come again."""
        super().load_dataset(split, *args, **kwargs)
        self.datasets[split] = PaddedDataset(self.datasets[split], self.source_dictionary.pad())


@register_criterion("seedwise_masked_lm", dataclass=MaskedLmConfig)
class SeedwiseMaskedLmLoss(MaskedLmLoss):
    """`masked_lm` for shapes that come again: it projects a multiple of `ROWS_MULTIPLE` tokens."""

    def forward(self, model: Any, sample: Any, reduce: bool = True) -> tuple[Any, Any, Any]:
        """Return the summed loss in nats, the number of targets, and what to log."""
        target = sample["target"].view(-1)
        chosen = target.ne(self.padding_idx)
        count = chosen.sum()
        # Fill up with tokens that have no target; the loss leaves them out.
        spare = (~chosen).nonzero()[: -count % ROWS_MULTIPLE, 0]
        rows = chosen.index_fill(0, spare, True)
        logits = model(**sample["net_input"], masked_tokens=rows.view_as(sample["target"]))[0]
        loss = functional.cross_entropy(
            logits.float(), target[rows], reduction="sum", ignore_index=self.padding_idx
        )
        logging_output = {
            "loss": loss.data,
            "ntokens": sample["ntokens"],
            "nsentences": sample["nsentences"],
            "sample_size": count,
        }
        return loss, count, logging_output
