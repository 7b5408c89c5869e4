"""Which texts fairseq puts into a batch, and how it pads them."""

from typing import Any

import numpy as np
import torch
from fairseq.data import BaseWrapperDataset
from torch.nn import functional

from seedwise.models.layers import LENGTH_MULTIPLE

BATCHES_PER_GROUP = 50
"""Batches drawn together and sorted by length, as in transformers' `LengthGroupedSampler`."""


def lengths(dataset: Any) -> np.ndarray:
    """Return the number of tokens of each text; fairseq lists one array per input."""
    return np.asarray(dataset.sizes[0])


class PaddedDataset(BaseWrapperDataset):
    """Pads texts and per-token targets on to a multiple of `LENGTH_MULTIPLE`."""

    def __init__(self, dataset: Any, padding: int) -> None:
        super().__init__(dataset)
        self.padding = padding

    def collater(self, samples: list[Any]) -> Any:
        """Return the batch, padded."""
        batch = super().collater(samples)
        if batch:
            inputs, target = batch["net_input"], batch.get("target")
            if target is not None and target.shape == inputs["src_tokens"].shape:
                batch["target"] = self._padded(target)
            inputs["src_tokens"] = self._padded(inputs["src_tokens"])
        return batch

    def _padded(self, tokens: torch.Tensor) -> torch.Tensor:
        missing = -tokens.shape[1] % LENGTH_MULTIPLE
        return functional.pad(tokens, (0, missing), value=self.padding)


class RowsDataset(BaseWrapperDataset):
    """Some texts of a data set, one perhaps several times."""

    def __init__(self, dataset: Any, rows: np.ndarray) -> None:
        super().__init__(dataset)
        self.rows = rows

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.rows[index]]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def sizes(self) -> Any:
        """The number of tokens of each text; a list of one array, as fairseq has it."""
        return [lengths(self.dataset)[self.rows]]

    def num_tokens(self, index: int) -> int:
        """Return the number of tokens of a text."""
        return self.dataset.num_tokens(self.rows[index])

    def size(self, index: int) -> Any:
        """Return what fairseq limits the length of a text by."""
        return self.dataset.size(self.rows[index])

    def ordered_indices(self) -> np.ndarray:
        """Return the texts in the order that they have in all, shape (texts,)."""
        places = np.argsort(self.dataset.ordered_indices())
        return np.argsort(places[self.rows], kind="stable")


class LengthGroupedDataset(BaseWrapperDataset):
    """Orders a data set so that neighbours are of similar length, differently in each epoch.

    A random permutation is cut into groups of `BATCHES_PER_GROUP` batches, and each group is
    sorted by length. fairseq then cuts it into batches and shuffles those.
    """

    def __init__(self, dataset: Any, batch_size: int, seed: int) -> None:
        super().__init__(dataset)
        self.lengths = lengths(dataset)
        self.group = batch_size * BATCHES_PER_GROUP
        self.seed = seed
        self.epoch = 1

    @property
    def can_reuse_epoch_itr_across_epochs(self) -> bool:
        """Batches differ between epochs, so fairseq must make them anew."""
        return False

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order `ordered_indices` returns."""
        super().set_epoch(epoch)
        self.epoch = epoch

    def ordered_indices(self) -> np.ndarray:
        """Return the order of this epoch, shape (texts,)."""
        order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self))
        lengths = self.lengths[order]
        return order[np.lexsort((-lengths, np.arange(len(self)) // self.group))]


class FirstBatchDataset(BaseWrapperDataset):
    """Only the first batch of a data set."""

    can_reuse_epoch_itr_across_epochs = False

    def batch_by_size(self, *args: Any, **kwargs: Any) -> Any:
        """Return the first batch alone."""
        return super().batch_by_size(*args, **kwargs)[:1]
