"""fairseq's loss of classification, with weights of the labels and counts for macro F1.

Of scores, the mean squared error, with sums for their correlation.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from fairseq.criterions import register_criterion
from fairseq.criterions.sentence_prediction import (
    SentencePredictionConfig,
    SentencePredictionCriterion,
)
from fairseq.logging import metrics
from torch.nn import functional

from seedwise.predictions.measures import f1, pearson_of
from seedwise.predictions.scores import sums

BEST_SO_FAR = "best_so_far"
"""The statistic by which fairseq keeps the best checkpoint; the task sets it."""

SUMS = "_sum"
"""Begins the names of `scores.sums` in the log, where texts have scores."""

COUNTS = ("_correct", "_predicted", "_labelled")
"""Texts of each label, by what is counted; fairseq prints nothing that begins with a line."""


@dataclass
class SeedwiseSentencePredictionCriterionConfig(SentencePredictionConfig):
    """Options of `--criterion seedwise_sentence_prediction`."""

    class_weights: str = field(
        default="", metadata={"help": "weights of the labels in training, with commas between"}
    )


@register_criterion(
    "seedwise_sentence_prediction", dataclass=SeedwiseSentencePredictionCriterionConfig
)
class SeedwiseSentencePredictionCriterion(SentencePredictionCriterion):
    """Cross-entropy of one label a text, or squared error of one score a text."""

    def __init__(self, cfg: SeedwiseSentencePredictionCriterionConfig, task: Any) -> None:
        super().__init__(cfg, task)
        weights = [float(weight) for weight in cfg.class_weights.split(",") if weight]
        self.weights = torch.tensor(weights) if weights else None

    def forward(self, model: Any, sample: Any, reduce: bool = True) -> tuple[Any, Any, Any]:
        """Return the summed loss in nats, what it is to be divided by, and what to log.

        In training that is the sum of the labels' weights, as in torch's `CrossEntropyLoss`; the
        validation split is not weighted.
        """
        logits, _ = model(
            **sample["net_input"],
            features_only=True,
            classification_head_name=self.classification_head_name,
        )
        labels = model.get_targets(sample, [logits]).view(-1)
        if self.regression_target:
            return self._of_scores(sample, logits.view(-1).float(), labels.float())
        weights = None
        if self.weights is not None and model.training:
            weights = self.weights.to(logits.device)
        log_probabilities = functional.log_softmax(logits, dim=-1, dtype=torch.float32)
        loss = functional.nll_loss(log_probabilities, labels, weight=weights, reduction="sum")
        size = labels.numel() if weights is None else weights[labels].sum()
        predictions = logits.argmax(dim=1)
        right = predictions == labels
        logging_output = {
            "loss": loss.data,
            "ntokens": sample["ntokens"],
            "nsentences": labels.numel(),
            "sample_size": size,
            "ncorrect": right.sum(),
        }
        if not model.training:
            classes = logits.size(-1)
            for name, chosen in zip(COUNTS, (labels[right], predictions, labels), strict=True):
                for label, count in enumerate(chosen.bincount(minlength=classes)):
                    logging_output[f"{name}_{label}"] = count
        return loss, size, logging_output

    def _of_scores(
        self, sample: Any, predicted: torch.Tensor, scores: torch.Tensor
    ) -> tuple[Any, Any, Any]:
        """Return what `forward` does, both given in the shape (B,)."""
        # fairseq's log is in bits, as if every loss were in nats; its own regression loss is, too.
        loss = functional.mse_loss(predicted, scores, reduction="sum")
        logging_output = {
            "loss": loss.data,
            "ntokens": sample["ntokens"],
            "nsentences": scores.numel(),
            "sample_size": scores.numel(),
        }
        for number, value in enumerate(sums(predicted, scores)):
            logging_output[f"{SUMS}_{number}"] = value
        return loss, scores.numel(), logging_output

    @classmethod
    def reduce_metrics(cls, logging_outputs: Any) -> None:
        """Do as fairseq does, and add up the counts."""
        super().reduce_metrics(logging_outputs)
        metrics.log_scalar(BEST_SO_FAR, 0)
        for key in logging_outputs[0] if logging_outputs else ():
            if key.startswith((SUMS, *COUNTS)):
                metrics.log_scalar_sum(key, sum(log[key] for log in logging_outputs))


def correlation(meters: Any, texts: int) -> float:
    """Return Pearson's correlation of so many scores with what was predicted of them."""
    found = [float(meters[key].sum) for key in meters if key.startswith(SUMS)]
    return pearson_of(texts, found)


def macro_f1(meters: Any) -> float:
    """Return the mean F1 over all labels, present or not, of what was counted in validation."""
    found = []
    while f"{COUNTS[0]}_{len(found)}" in meters:
        found.append([int(meters[f"{name}_{len(found)}"].sum) for name in COUNTS])
    return float(f1(*np.transpose(found)).mean())
