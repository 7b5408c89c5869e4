import argparse
import os
import pickle

import numpy as np
import pytest
import torch

from seedwise.errors import UserError
from seedwise.models.checkpoints import load_checkpoint
from seedwise_fairseq import compatibility


class TouchesCanary:
    """Creates a file when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.mkdir, (str(self.canary),)


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint as fairseq writes it: tensors, plain values, a Namespace."""
    path = tmp_path / "model.pt"
    options = argparse.Namespace(arch="roberta", dropout=0.1)
    torch.save({"model": {"w": torch.ones(2)}, "cfg": {"model": options}}, path)
    return path


def test_a_checkpoint_with_options_loads(checkpoint):
    loaded = load_checkpoint(checkpoint)
    assert loaded["cfg"]["model"].arch == "roberta"
    torch.testing.assert_close(loaded["model"]["w"], torch.ones(2))


@pytest.mark.parametrize("module", ["numpy._core", "numpy.core"])
def test_numbers_of_numpy_are_plain_values(tmp_path, module):
    path = tmp_path / "model.pt"
    state = {"best": np.float64(81.5), "updates": np.int64(3), "losses": np.arange(2.0)}
    torch.save({"model": {}, "extra_state": state}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"numpy._core", module.encode()))
    loaded = load_checkpoint(path)["extra_state"]
    assert (loaded["best"], loaded["updates"], loaded["losses"].tolist()) == (81.5, 3, [0.0, 1.0])


def test_fairseqs_loader_may_read_options_afterwards(checkpoint):
    compatibility.install()
    load_checkpoint(checkpoint)
    assert torch.load(checkpoint)["cfg"]["model"].dropout == 0.1


@pytest.mark.parametrize("protocol", ["torch", "pickle"])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path, protocol):
    canary, path = tmp_path / "canary", tmp_path / "model.pt"
    malicious = {"model": {}, "extra": TouchesCanary(canary)}
    if protocol == "torch":
        torch.save(malicious, path)
    else:
        path.write_bytes(pickle.dumps(malicious, protocol=2))
    with pytest.raises(UserError, match=r"model\.pt: ") as caught:
        load_checkpoint(path)
    if protocol == "torch":
        assert "carries code beside tensors: posix.mkdir" in str(caught.value)
    assert not canary.exists()
    # It would have run.
    torch.load(path, weights_only=False) if protocol == "torch" else pickle.loads(path.read_bytes())
    assert canary.is_dir()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a checkpoint that torch can read"),
        (b"<html>Not found</html>", "not a checkpoint that torch can read"),
        (None, "it has no entry 'model'"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "model.pt"
    if content is None:
        torch.save({"weights": {}}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        load_checkpoint(path)


def test_a_cut_checkpoint_is_refused(checkpoint):
    checkpoint.write_bytes(checkpoint.read_bytes()[:-200])
    with pytest.raises(UserError, match="not a checkpoint that torch can read"):
        load_checkpoint(checkpoint)
