import numpy as np
import pytest
import torch

from seedwise_fairseq.batches import BATCHES_PER_GROUP, LengthGroupedDataset

BATCH = 2
TEXTS = 250  # two and a half groups


class Texts(torch.utils.data.Dataset):
    """Texts of given lengths, as much of one as the wrapper reads."""

    def __init__(self, lengths):
        self.sizes = (np.array(lengths),)

    def __len__(self):
        return len(self.sizes[0])


@pytest.fixture
def lengths():
    return np.random.default_rng(0).integers(1, 100, TEXTS)


def order(lengths, seed=0, epoch=1):
    dataset = LengthGroupedDataset(Texts(lengths), BATCH, seed)
    dataset.set_epoch(epoch)
    return dataset.ordered_indices()


@pytest.mark.parametrize("epoch", [1, 2, 7])
def test_every_text_comes_once_per_epoch(lengths, epoch):
    assert sorted(order(lengths, epoch=epoch)) == list(range(TEXTS))


def test_order_is_repeatable_and_differs_between_epochs_and_seeds(lengths):
    np.testing.assert_array_equal(order(lengths), order(lengths))
    assert (order(lengths) != order(lengths, epoch=2)).any()
    assert (order(lengths) != order(lengths, seed=1)).any()


def test_each_group_is_sorted_by_length_and_drawn_at_random(lengths):
    group = BATCH * BATCHES_PER_GROUP
    chosen = order(lengths)
    for start in range(0, TEXTS, group):
        assert (np.diff(lengths[chosen[start : start + group]]) <= 0).all()
    first, second = set(chosen[:group]), set(order(lengths, epoch=2)[:group])
    assert 0 < len(first & second) < group  # groups are mixed anew


def test_little_is_padded(lengths):
    def padded(indices):
        batches = np.array_split(lengths[indices], TEXTS // BATCH)
        return sum(batch.max() * len(batch) for batch in batches) / lengths.sum()

    assert padded(order(lengths)) < 1.03 < padded(np.arange(TEXTS))
