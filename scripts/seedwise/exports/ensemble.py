"""Classify or score texts with a saved model, or with the mean of several, in like lengths."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from seedwise.errors import UserError
from seedwise.predictions import temperature
from seedwise.predictions.batches import batches

BATCH_TOKENS = {"cpu": 512, "cuda": 2048}
"""Tokens of a batch, padding counted, by device: so few that a processor's caches hold them."""

Inputs = dict[str, list[list[int]]]
Batch = dict[str, np.ndarray]


class Model(Protocol):
    """A model of whatever form.

    Attributes:
        place: Its folder, for messages.
        labels: The labels, in class order; of a model of scores one alone.
        reads_pairs: Whether it reads pairs of texts.
        pad: The id that fills a row.
        device: Where it computes, of `BATCH_TOKENS`.
        tokenizer: What models share that cut texts alike.
    """

    place: str
    labels: list[str]
    reads_pairs: bool
    pad: int
    device: str
    tokenizer: str

    def tokenize(self, texts: Sequence[str]) -> tuple[Inputs, int]:
        """Return what the model reads of each text, and how many were cut."""
        ...

    def logits(self, batches: Iterable[Batch]) -> Iterator[np.ndarray]:
        """Yield the logits of each batch, shape (B, labels)."""
        ...


class Ensemble:
    """Models with the same labels; a text's probabilities, or its score, are the mean over them.

    Each model is asked at its temperature (`seedwise.predictions.temperature`), 1 if not given.

    Attributes:
        labels: The labels, in class order; of models of scores one alone.
        cut: How many texts were longer than the models read, so far.
        reads_pairs: Whether they read pairs of texts.
    """

    def __init__(self, models: Sequence[Model], temperatures: Sequence[float] | None = None):
        self.models = models
        self.temperatures = temperatures or [1.0] * len(models)
        self.cut = 0
        self.labels = models[0].labels
        for model in models:
            if model.labels != self.labels:
                raise UserError(
                    f"{model.place}: its labels are {', '.join(model.labels)}, but those of "
                    f"{models[0].place} are {', '.join(self.labels)}; only models of the same "
                    "labels can vote together"
                )
        kinds = {model.reads_pairs for model in models}
        if len(kinds) > 1:
            raise UserError("models of pairs and of single texts cannot vote together")
        self.reads_pairs = kinds == {True}

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Return the probability of each label for each text, or its score: (texts, labels)."""
        total = np.zeros((len(texts), len(self.labels)))
        # The models of several seeds share a tokenizer, so each text is cut up once.
        known: dict[str, tuple[Inputs, int]] = {}
        for model, degree in zip(self.models, self.temperatures, strict=True):
            if model.tokenizer not in known:
                known[model.tokenizer] = model.tokenize(texts)
            inputs = known[model.tokenizer][0]
            lengths = [len(tokens) for tokens in inputs["input_ids"]]
            order = list(batches(lengths, BATCH_TOKENS[model.device]))
            logits = model.logits(padded(inputs, indices, model.pad) for indices in order)
            found = np.concatenate(list(logits))[np.argsort(np.concatenate(order))]
            if len(self.labels) > 1:
                found = temperature.apply(temperature.softmax(found), degree)
            total += found
        self.cut += max(cut for _, cut in known.values())
        return total / len(self.models)


def padded(inputs: Inputs, indices: np.ndarray, pad: int) -> Batch:
    """Return the texts at ``indices`` of ``inputs`` as arrays of the same length."""
    lengths = np.array([len(inputs["input_ids"][index]) for index in indices])
    longest = int(lengths.max())
    mask = np.arange(longest)[None, :] < lengths[:, None]  # (B, T)
    batch = {"attention_mask": mask.astype(np.int64)}
    for name, rows in inputs.items():
        batch[name] = np.full(mask.shape, pad if name == "input_ids" else 0, dtype=np.int64)
        batch[name][mask] = np.concatenate([rows[index] for index in indices])
    return batch
