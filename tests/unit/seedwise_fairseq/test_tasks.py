import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from seedwise_fairseq import tasks
from seedwise_fairseq.build import build_model
from support.tiny.chain import ARCHITECTURE, sentence_task, write_chain


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


def batches(iterator):
    return [batch["id"].tolist() for batch in iterator.next_epoch_itr(shuffle=True)]


def test_fairseq_makes_new_batches_of_every_text_in_every_epoch(chain):
    task = sentence_task(chain, group_by_length=8)
    dataset = task.load_dataset("train")
    epochs = []
    for epoch in (1, 2):
        iterator = task.get_batch_iterator(dataset, max_sentences=8, seed=3, epoch=epoch)
        epochs.append([sorted(ids) for ids in batches(iterator)])
        assert Counter(len(ids) for ids in epochs[-1]) == {8: 10}
        assert sorted(text for ids in epochs[-1] for text in ids) == list(range(80))
    assert sorted(epochs[0]) != sorted(epochs[1])


def test_validation_and_test_are_sorted_by_length(chain):
    task = sentence_task(chain, group_by_length=8)
    for split in ("valid", "test"):
        dataset = task.load_dataset(split)
        sizes = dataset.sizes[0][dataset.ordered_indices()]
        assert (np.diff(sizes) >= 0).all()


@pytest.mark.parametrize("group_by_length", [0, 8])
def test_a_subset_holds_its_rows_alone_as_often_as_they_stand_there(
    chain, tmp_path, group_by_length
):
    rows = np.array([3, 5, 5, 40, 79])
    np.save(tmp_path / "rows.npy", rows)
    given = {"group_by_length": group_by_length, "rows_from": str(tmp_path / "rows.npy")}
    task = sentence_task(chain, **given)
    dataset = task.load_dataset("train")
    assert len(dataset) == 5
    iterator = task.get_batch_iterator(dataset, max_sentences=2, seed=3, epoch=1)
    found = [i for batch in batches(iterator) for i in batch]
    assert sorted(found) == rows.tolist()
    assert len(task.load_dataset("valid")) == 20


def test_history_is_in_nats_and_exact_shares():
    class Meter:
        def __init__(self, avg=0, count=0, sum=0):
            self.avg, self.count, self.sum = avg, count, sum

    meters = {"loss": Meter(torch.tensor(2.0)), "accuracy": Meter(66.6667, 3)}
    for name, counts in {
        "correct": (1, 1, 0),
        "predicted": (2, 1, 0),
        "labelled": (1, 2, 0),
    }.items():
        meters |= {f"_{name}_{label}": Meter(sum=count) for label, count in enumerate(counts)}
    row = tasks._history_row(4, "valid", meters)
    assert row == {
        "epoch": 4,
        "split": "valid",
        "loss": pytest.approx(2 * math.log(2)),
        "accuracy": 2 / 3,
        "macro_f1": pytest.approx((2 / 3 + 2 / 3 + 0) / 3),  # of a label that no text has: 0
    }
    assert "accuracy" not in tasks._history_row(1, "train", {"loss": Meter(1.0)})


class Classifier(torch.nn.Module):
    """Its product shows the number format it is computed in."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 2)

    def forward(self, inputs):
        return self.linear(inputs)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_autocast_reaches_the_criterion(chain, dtype):
    task = sentence_task(chain, autocast=dtype)
    seen = []
    criterion = task._autocast(lambda model, sample: seen.append(model(sample).dtype))
    criterion(Classifier(), torch.ones(1, 2))
    assert seen == [getattr(torch, dtype)]


def test_batches_are_padded_to_lengths_that_come_again(chain):
    task = sentence_task(chain, group_by_length=8)
    dataset = task.load_dataset("train")
    plain = dataset.dataset.dataset
    iterator = task.get_batch_iterator(dataset, max_sentences=8, seed=3)
    lengths = set()
    for batch in iterator.next_epoch_itr(shuffle=False):
        tokens = batch["net_input"]["src_tokens"]
        expected = plain.collater([plain[index] for index in batch["id"].tolist()])
        shortest = expected["net_input"]["src_tokens"]
        assert tokens[:, : shortest.shape[1]].equal(shortest)
        assert (tokens[:, shortest.shape[1] :] == 1).all()
        lengths.add(tokens.shape[1])
    assert lengths <= {8, 16, 24}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 1.0])
def test_loss_of_masked_tokens_is_fairseqs(share):
    torch.manual_seed(0)
    model = build_model(ARCHITECTURE).eval()
    tokens = torch.randint(4, 150, (4, 24))
    target = torch.where(torch.rand(tokens.shape) < share, tokens, 1)
    sample = {
        "net_input": {"src_tokens": tokens},
        "target": target,
        "ntokens": 96,
        "nsentences": 4,
    }
    dictionary = SimpleNamespace(pad=lambda: 1)
    task = SimpleNamespace(target_dictionary=dictionary)
    ours, theirs = (
        kind(tasks.MaskedLmConfig(tpu=False), task)(model, sample)
        for kind in (tasks.SeedwiseMaskedLmLoss, tasks.MaskedLmLoss)
    )
    torch.testing.assert_close(ours[0], theirs[0])
    assert ours[1] == theirs[1] == (target != 1).sum()
    assert ours[2].keys() == theirs[2].keys()
