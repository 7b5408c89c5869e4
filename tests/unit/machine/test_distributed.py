import logging

import numpy as np
import pandas as pd
import pytest
import torch

import finetune_fairseq
import finetune_transformers
import pretrain_model
from seedwise.errors import UserError
from seedwise.files import read_json
from seedwise.machine import distributed
from support.tiny import chain as tiny_chain
from support.tiny.chain import make_run, write_chain
from support.tiny.pretraining import PRETRAIN, write_corpus

# Autograd refuses to work in a fork of a process that has exported a model, as other tests do.
pytestmark = pytest.mark.alone

FILES = ("history", "predictions", "metrics", "model")
# Each update sees all texts, and Adam's large epsilon lets the size of a gradient matter: so two
# processes come to the same weights as one, if each text counts once.
WHOLE = {"batch_size": 80, "adam_eps": 0.1, "learning_rate": 0.5, "epochs": 4}


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    chain = write_chain(tmp_path_factory.mktemp("chain"))
    write_corpus(chain)
    return chain


def finetune(engine, chain, folder, **settings):
    """Run an engine's script from random weights; return its history, predictions and metrics."""
    paths = {name: folder / name for name in FILES}
    run = make_run(chain, engine, **settings)
    if engine == "fairseq":
        finetune_fairseq.main(run=run, binarized=chain.binarized, pretrained=None, **paths)
    else:
        tokenizer = [chain.tokens / "sentencepiece.bpe.model", chain.tokens / "dict.txt"]
        finetune_transformers.main(run=run, start=None, tokenizer_files=tokenizer, **paths)
    history, predictions = (pd.read_csv(paths[name]) for name in FILES[:2])
    return history, predictions["probability_positive"], read_json(paths["metrics"])


@pytest.mark.parametrize("engine", ["fairseq", "transformers"])
def test_two_processes_train_as_one(engine, chain, tmp_path, monkeypatch):
    for name in ("dropout", "attention_dropout"):
        monkeypatch.setitem(tiny_chain.ARCHITECTURE, name, 0.0)
    alone = finetune(engine, chain, tmp_path / "1", **WHOLE)
    both = finetune(engine, chain, tmp_path / "2", **WHOLE, processes=2)
    columns = ["epoch", "loss", "accuracy"]
    np.testing.assert_allclose(both[0][columns], alone[0][columns], atol=2e-4)
    np.testing.assert_allclose(both[1], alone[1], atol=2e-4)
    assert both[2]["updates"] == alone[2]["updates"] == 4
    losses = alone[0].query("split == 'train'")["loss"]
    assert losses.max() - losses.min() > 2e-3  # so a wrong step would show


def test_pretraining_in_two_processes_learns_as_well(chain, tmp_path):
    losses = []
    for processes in (1, 2):
        paths = {name: tmp_path / str(processes) / name for name in ("model", "history", "metrics")}
        pretrain_model.main(
            corpus=sorted((chain.folder / "corpus").iterdir()),
            settings={
                "architecture": tiny_chain.ARCHITECTURE,
                "pretrain": PRETRAIN | {"processes": processes},
            },
            **paths,
        )
        assert read_json(paths["metrics"])["updates"] == PRETRAIN["updates"]
        losses.append(read_json(paths["metrics"])["valid_loss"])
    assert losses[1] == pytest.approx(losses[0], abs=0.1)


def gather(folder):
    torch.distributed.init_process_group("gloo")
    found = distributed.gather([1.5, float(distributed.rank())])
    (folder / str(distributed.rank())).write_text(str(found))


def test_processes_find_each_other(tmp_path):
    distributed.run(2, gather, tmp_path)
    for rank in (0, 1):
        assert (tmp_path / str(rank)).read_text() == "[[1.5, 0.0], [1.5, 1.0]]"


def test_one_process_is_this_one():
    seen = []
    distributed.run(1, seen.append, "here")
    assert seen == ["here"]
    assert distributed.gather([3.0]) == [[3.0]] and distributed.is_first()


def fail():
    logging.getLogger().info("a part fails")
    if distributed.rank() == 1:
        raise ValueError("broken")
    torch.distributed.init_process_group("gloo")  # waits for the other


def test_if_one_fails_all_end():
    with pytest.raises(torch.multiprocessing.ProcessRaisedException, match="broken"):
        distributed.run(2, fail)


def mistake():
    raise UserError("the learning rate is too high")


def test_a_users_mistake_is_one_message():
    with pytest.raises(UserError, match=r"^the learning rate is too high$"):
        distributed.run(2, mistake)
