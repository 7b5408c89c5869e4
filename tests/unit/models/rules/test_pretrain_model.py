import math
import shutil

import numpy as np
import pandas as pd
import pytest

import pretrain_model
from seedwise.files import read_json
from seedwise.models.checkpoints import load_checkpoint
from seedwise.models.word_vectors import word_vectors
from seedwise.tokens.indexed import read_batches
from seedwise_fairseq.predict import load_model  # through the shim
from support.tiny.chain import ARCHITECTURE, write_chain
from support.tiny.pretraining import PRETRAIN, TRAIN, write_corpus


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    chain = write_chain(tmp_path_factory.mktemp("chain"))
    write_corpus(chain)
    return chain


def pretrain(chain, folder, corpora=("corpus",), **settings):
    paths = {name: folder / name for name in ("model", "history", "metrics")}
    folders = [chain.folder / name for name in corpora]
    pretrain_model.main(
        corpus=[path for folder in folders for path in sorted(folder.iterdir())],
        settings={"architecture": ARCHITECTURE, "pretrain": PRETRAIN | settings},
        **paths,
    )
    return paths


def valid_losses(paths):
    return pd.read_csv(paths["history"]).query("split == 'valid'")["loss"].tolist()


@pytest.fixture(scope="module")
def outputs(chain, tmp_path_factory):
    return pretrain(chain, tmp_path_factory.mktemp("pretrained"))


def test_loss_falls_and_is_in_nats(outputs):
    losses = valid_losses(outputs)
    # Guessing evenly costs log(160) nats per piece.
    assert losses[-1] < 0.95 * math.log(ARCHITECTURE["vocab_size"])
    metrics = read_json(outputs["metrics"])
    assert metrics["updates"] == 24 and metrics["seed"] == 4
    assert metrics["valid_loss"] == pytest.approx(losses[-1])
    assert metrics["valid_perplexity"] == pytest.approx(math.exp(losses[-1]))
    assert not (outputs["model"].parent / "checkpoints").exists()


def test_model_loads_in_fairseq(chain, outputs):
    model, _ = load_model(outputs["model"], chain.binarized / "input0", "cpu")
    weights = load_checkpoint(outputs["model"])["model"]
    assert model.encoder.sentence_encoder.embed_tokens.weight.equal(
        weights["encoder.sentence_encoder.embed_tokens.weight"]
    )


def test_no_text_is_too_long(chain, tmp_path, caplog):
    pretrain(chain, tmp_path, updates=2)
    assert "invalid sizes" not in caplog.text


def test_blocks_may_hold_a_text_each(chain, tmp_path):
    whole = valid_losses(pretrain(chain, tmp_path / "a", updates=2))
    each = valid_losses(pretrain(chain, tmp_path / "b", updates=2, sample_break_mode="eos"))
    assert whole != each


def test_embedding_starts_from_the_texts(chain, tmp_path):
    paths = pretrain(chain, tmp_path, updates=1, learning_rate=1e-9, embeddings="cooccurrence")
    weights = load_checkpoint(paths["model"])["model"]
    embedding = weights["encoder.sentence_encoder.embed_tokens.weight"].numpy()
    expected = word_vectors(
        read_batches(chain.folder / "corpus" / "train"),
        ARCHITECTURE["vocab_size"],
        ARCHITECTURE["embed_dim"],
        PRETRAIN["seed"],
    )
    known = expected.any(axis=1)
    assert known.sum() > 50
    np.testing.assert_allclose(embedding[known], expected[known], atol=1e-6)
    assert embedding[~known][0].std() > 0.01  # <s> keeps its random start
    assert (weights["encoder.lm_head.weight"].numpy() == embedding).all()
    model, _ = load_model(paths["model"], chain.binarized / "input0", "cpu")
    loaded = model.encoder.sentence_encoder.embed_tokens.weight.detach().numpy()
    assert (loaded == embedding).all()


def test_same_seed_same_losses_another_seed_others(chain, tmp_path):
    # The end comes inside an epoch: fairseq's threads, let alone, would race for the masks.
    losses = [
        valid_losses(pretrain(chain, tmp_path / str(number), updates=3, seed=seed))
        for number, seed in enumerate([0, 0, 0, 0, 1])
    ]
    assert losses[:4] == losses[:1] * 4
    assert losses[4] != losses[0]


def test_shards_are_read_in_turn(chain, tmp_path, caplog):
    shards = ("shard-1", "shard-2")
    for name, train in zip(shards, (TRAIN[:60], TRAIN[60:]), strict=True):
        write_corpus(chain, train, name)
    updates = 45
    with caplog.at_level("INFO"):
        outputs = pretrain(chain, tmp_path, shards, updates=updates)
    loaded = [line for line in caplog.messages if "blocks from" in line and "train" in line]
    assert "shards; texts" not in caplog.text
    assert [name for line in loaded for name in shards if name in line][:3] == [
        "shard-1",
        "shard-2",
        "shard-1",
    ]
    assert read_json(outputs["metrics"])["updates"] == updates
    assert len(set(pd.read_csv(outputs["history"])["epoch"])) >= 3


def test_shards_that_were_not_read_are_told(chain, tmp_path, caplog):
    for name in ("first", "second"):
        write_corpus(chain, TRAIN, name)
    pretrain(chain, tmp_path, ("first", "second"), updates=2)
    assert "the 2 updates read 1 of the corpus's 2 shards" in caplog.text


def test_vectors_come_from_every_shard(chain, tmp_path):
    shards = ("half-1", "half-2")
    for name, train in zip(shards, (TRAIN[:60], TRAIN[60:]), strict=True):
        write_corpus(chain, train, name)
    settings = {"architecture": ARCHITECTURE, "pretrain": PRETRAIN}
    vectors = []
    for names in (("corpus",), shards):
        folders = [chain.folder / name for name in names]
        pretrain_model.write_embeddings(folders, settings, tmp_path / "vectors.npy")
        vectors.append(np.load(tmp_path / "vectors.npy"))
    assert (vectors[0] == vectors[1]).all()


def test_settings_reach_the_command_line(tmp_path):
    settings = {
        "architecture": ARCHITECTURE,
        "pretrain": PRETRAIN | {"dropout": 0.0, "mask_probability": 0.3},
    }
    options = pretrain_model.pretraining_options(settings, tmp_path)
    expected = {
        "task": "seedwise_masked_lm",
        "tokens-per-sample": 24,
        "mask-prob": 0.3,
        "dropout": 0.0,
        "attention-dropout": 0.0,
        "max-update": 24,
        "seed": 4,
        "clip-norm": 1.0,
        "data-buffer-size": 0,
    }
    assert {key: options[key] for key in expected} == expected


def test_bytes_do_not_depend_on_the_folder(chain, tmp_path):
    shutil.copytree(chain.folder / "corpus", chain.folder / "copy")
    paths = [
        pretrain(chain, tmp_path / corpus, [corpus], embeddings="cooccurrence", updates=2)
        for corpus in ("corpus", "copy")
    ]
    first, second = (path["model"].read_bytes() for path in paths)
    assert first == second and str(tmp_path).encode() not in first
