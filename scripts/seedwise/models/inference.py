"""Classify or score texts with a saved model, or with the mean of several, in like lengths."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from seedwise.errors import UserError
from seedwise.files import sha256_of_files
from seedwise.models.classification import Inputs, reads_pairs, tokenize
from seedwise.predictions import temperature
from seedwise.predictions.probabilities import class_probabilities

disable_progress_bar()
BATCH_TOKENS = 2048
"""Tokens of a batch, padding included: small enough for a processor's caches."""


def _tokenizer_files(folder: Path) -> list[Path]:
    weights = {"config.json", "model.safetensors", "README.md"}
    return [path for path in sorted(folder.iterdir()) if path.name not in weights]


class Ensemble:
    """Models with the same labels; a text's probabilities, or its score, are the mean over them.

    Each model is asked at its temperature (`seedwise.predictions.temperature`), 1 if not given.

    Attributes:
        labels: The labels, in class order; of models of scores one alone.
        cut: How many texts were longer than the models read, so far.
        reads_pairs: Whether they read pairs of texts.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        device: str = "cpu",
        temperatures: Sequence[float] | None = None,
    ) -> None:
        self.temperatures = temperatures or [1.0] * len(folders)
        self.device = device
        self.cut = 0
        self.models = []
        self.tokenizers = {}
        # The models of several seeds share a tokenizer, so each text is cut up once.
        self.kinds = [sha256_of_files(_tokenizer_files(folder)) for folder in folders]
        for folder, kind in zip(folders, self.kinds, strict=True):
            model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
            self.models.append(model.eval().to(device))
            if kind not in self.tokenizers:
                self.tokenizers[kind] = AutoTokenizer.from_pretrained(folder)
        names = [tuple(model.config.id2label.values()) for model in self.models]
        for folder, other in zip(folders, names, strict=True):
            if other != names[0]:
                raise UserError(
                    f"{folder}: its labels are {', '.join(other)}, but those of {folders[0]} are "
                    f"{', '.join(names[0])}; only models of the same labels can vote together"
                )
        self.labels = list(names[0])
        kinds = {reads_pairs(model) for model in self.models}
        if len(kinds) > 1:
            raise UserError("models of pairs and of single texts cannot vote together")
        self.reads_pairs = kinds == {True}

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Return the probability of each label for each text, or its score: (texts, labels)."""
        total = np.zeros((len(texts), len(self.labels)))
        cut = np.zeros(len(texts), dtype=bool)
        for kind, tokenizer in self.tokenizers.items():
            # Whether a text is cut shows only without cutting it.
            inputs = tokenize(tokenizer, texts, verbose=False)
            longest = tokenizer.model_max_length
            for number, tokens in enumerate(inputs["input_ids"]):
                if len(tokens) > longest:
                    cut[number] = True
                    short = tokenize(tokenizer, texts[number : number + 1], truncation=True)
                    for name, (values,) in short.items():
                        inputs[name][number] = values
            batches = list(_batches([len(tokens) for tokens in inputs["input_ids"]]))
            for model, own, degree in zip(self.models, self.kinds, self.temperatures, strict=True):
                if own == kind:
                    logits = partial(self._logits, model, inputs, tokenizer.pad_token_id)
                    total += temperature.apply(class_probabilities(batches, logits), degree)
        self.cut += int(cut.sum())
        return total / len(self.models)

    def _logits(
        self, model: torch.nn.Module, inputs: Inputs, pad: int, indices: np.ndarray
    ) -> torch.Tensor:
        """Return the logits of the texts at ``indices`` of ``inputs``, shape (B, labels)."""
        lengths = torch.tensor([len(inputs["input_ids"][index]) for index in indices])
        longest = int(lengths.max())
        mask = torch.arange(longest)[None, :] < lengths[:, None]  # (B, T)
        given = {"attention_mask": mask.long()}
        for name, rows in inputs.items():
            fill = [pad if name == "input_ids" else 0]
            padded = [rows[i] + fill * (longest - len(rows[i])) for i in indices]
            given[name] = torch.tensor(padded)
        return model(**{name: values.to(self.device) for name, values in given.items()}).logits


def _batches(lengths: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield indices of texts of like length, at most `BATCH_TOKENS` with padding."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for stop in range(1, len(order) + 1):
        if stop == len(order) or (stop - start + 1) * lengths[order[stop]] > BATCH_TOKENS:
            yield order[start:stop]
            start = stop


logging.getLogger("transformers").setLevel(logging.ERROR)
