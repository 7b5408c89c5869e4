"""A model as transformers reads its folder."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from seedwise.exports.ensemble import Batch, Inputs
from seedwise.files import sha256_of_files
from seedwise.models.classification import reads_pairs, tokenize

disable_progress_bar()
logging.getLogger("transformers").setLevel(logging.ERROR)


def _tokenizer_files(folder: Path) -> list[Path]:
    others = {"config.json", "model.safetensors", "README.md", "export.json"}
    return [path for path in sorted(folder.iterdir()) if path.is_file() and path.name not in others]


class TransformersModel:
    """See `seedwise.exports.ensemble.Model`."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        self.place, self.device = str(folder), device
        # float32, as predictions are made whatever the training precision.
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
        self.model = model.eval().to(device)
        self.own = AutoTokenizer.from_pretrained(folder)
        self.tokenizer = sha256_of_files(_tokenizer_files(folder))
        self.labels = list(model.config.id2label.values())
        self.reads_pairs = reads_pairs(model)
        self.pad = self.own.pad_token_id

    def tokenize(self, texts: Sequence[str]) -> tuple[Inputs, int]:
        """Return what the model reads of each text, and how many were cut."""
        # Whether a text is cut shows only without cutting it.
        inputs = tokenize(self.own, texts, verbose=False)
        longest = self.own.model_max_length
        cut = [n for n, tokens in enumerate(inputs["input_ids"]) if len(tokens) > longest]
        for number in cut:
            short = tokenize(self.own, texts[number : number + 1], truncation=True)
            for name, (values,) in short.items():
                inputs[name][number] = values
        return inputs, len(cut)

    @torch.inference_mode()
    def logits(self, batches: Iterable[Batch]) -> Iterator[np.ndarray]:
        """Yield the logits of each batch."""
        for batch in batches:
            given = {name: torch.from_numpy(rows).to(self.device) for name, rows in batch.items()}
            yield self.model(**given).logits.float().cpu().numpy()
