"""Both engines train the same model in the same way."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    ElectraConfig,
    RobertaConfig,
    Trainer,
    TrainingArguments,
)

import finetune_fairseq
import finetune_transformers
from seedwise.files import read_json, write_json
from seedwise.models import conversion
from seedwise.models.checkpoints import load_checkpoint
from seedwise.study.selection import first_best
from seedwise.training.classifier_training import TrainingHistory
from seedwise_fairseq.tasks import SeedwiseSentencePredictionTask
from support.tiny.chain import ARCHITECTURE, make_run, score_records, write_chain

UPDATES = 10
SELECTIONS = ["accuracy", "macro_f1", "loss"]
ALWAYS = 1 - 2**-23  # dropped, but once in 8 million; at 1 what is kept is divided by zero
HEAD = "dense", "out_proj"
NO_DROPOUT = dict.fromkeys(("dropout", "attention_dropout", "pooler_dropout"), 0.0)


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return with_folder(write_chain(tmp_path_factory.mktemp("chain")))


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A chain of texts with scores."""
    records = score_records()
    mean = float(np.mean([record["label"] for record in records["train"]]))
    known = {"range": [0, 10], "mean_score": {"score": mean, "test_mae": 3.0}}
    folder = tmp_path_factory.mktemp("scored")
    return with_folder(write_chain(folder, records, ["score"], **known))


def with_folder(chain):
    """Add the pre-trained model in transformers' format."""
    folder = chain.folder / "transformers"
    weights = load_checkpoint(chain.pretrained)["model"]
    conversion.build_model(weights, ARCHITECTURE, labels=None, source="").save_pretrained(folder)
    conversion.build_tokenizer(
        chain.tokens / "sentencepiece.bpe.model",
        chain.tokens / "dict.txt",
        ARCHITECTURE["max_positions"],
    ).save_pretrained(folder)
    return chain


def set_head(head):
    """Give both engines the same head, which each would draw in its own way."""
    torch.manual_seed(7)
    for name in HEAD:
        for parameter in getattr(head, name).parameters():
            torch.nn.init.normal_(parameter, std=0.2)


def losses(train, chain, folder, monkeypatch, dropouts=NO_DROPOUT, **settings):
    """Return the training loss before each of ten updates, on all training texts at once."""
    all_texts = {"epochs": UPDATES, "batch_size": 80, "warmup_ratio": 0.0}
    selection = settings.pop("selection", "accuracy")
    run = make_run(chain, train.__name__, "pretrained", **all_texts | settings)
    run.settings["selection"] = selection
    run.settings["architecture"] = ARCHITECTURE | NO_DROPOUT | dropouts
    with monkeypatch.context() as patch:
        train(chain, run, folder, patch)
    history = pd.read_csv(folder / "history.csv").query("split == 'train'")
    return history["loss"].to_numpy()


def paths(folder):
    names = {"history": "history.csv", "metrics": "m.json", "predictions": "p.csv"}
    return {key: folder / name for key, name in names.items()}


def fairseq(chain, run, folder, monkeypatch):
    build = SeedwiseSentencePredictionTask.build_model

    def with_head(self, *args, **kwargs):
        model = build(self, *args, **kwargs)
        for head in model.classification_heads.values():
            set_head(head)
        return model

    monkeypatch.setattr(SeedwiseSentencePredictionTask, "build_model", with_head)
    finetune_fairseq.main(
        run=run,
        binarized=chain.binarized,
        pretrained=chain.pretrained,
        model=folder / "model.pt",
        **paths(folder),
    )


def transformers(chain, run, folder, monkeypatch):
    build = finetune_transformers.initial_model

    def with_head(*args):
        model = build(*args)
        set_head(model.classifier)
        # What fairseq does not have: it holds a text's token type in the positions.
        model.roberta.embeddings.token_type_embeddings.requires_grad_(False)
        return model

    monkeypatch.setattr(finetune_transformers, "initial_model", with_head)
    start = folder / "start"
    shutil.copytree(chain.folder / "transformers", start)
    chances = run.settings["architecture"]
    names = {
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
        "classifier_dropout": "pooler_dropout",
    }
    config = read_json(start / "config.json")
    write_json(start / "config.json", config | {name: chances[own] for name, own in names.items()})
    model = folder / "model"
    finetune_transformers.main(
        run=run, start=start, tokenizer_files=[], model=model, **paths(folder)
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"weight_decay": 10.0, "learning_rate": 3.0e-3},
        {"weight_decay": 0.0, "learning_rate": 1.0e-2, "clip_norm": 0.5},
        {"class_weights": {"negative": 1, "positive": 5}},
    ],
    ids=["decay", "clipping", "class weights"],
)
def test_ten_updates_have_the_same_losses(chain, tmp_path, monkeypatch, settings):
    found = {
        train.__name__: losses(train, chain, tmp_path / train.__name__, monkeypatch, **settings)
        for train in (fairseq, transformers)
    }
    assert len(found["fairseq"]) == UPDATES
    assert np.ptp(found["fairseq"]) > 0.02  # it learns, and so do the differences
    np.testing.assert_allclose(found["fairseq"], found["transformers"], atol=1e-4)


def test_scores_are_learned_alike(scored, tmp_path, monkeypatch):
    """The same losses and correlations, and the same scores, in the data's units."""
    found, histories = {}, []
    settings = {"weight_decay": 0.0, "learning_rate": 1.0e-2}
    for train in (fairseq, transformers):
        folder = tmp_path / train.__name__
        losses(train, scored, folder, monkeypatch, selection="pearson", **settings)
        found[train.__name__] = pd.read_csv(folder / "p.csv")
        histories.append(pd.read_csv(folder / "history.csv", index_col=["epoch", "split"]))
    np.testing.assert_allclose(histories[0], histories[1], atol=1e-3)
    one, other = found.values()
    assert one["label"].tolist() == [record["label"] for record in score_records()["test"]]
    np.testing.assert_allclose(one["prediction"], other["prediction"], atol=0.05)
    assert np.ptp(histories[0]["loss"]) > 0.02  # it learns
    assert abs(one["prediction"] - one["label"]).mean() < 4


@pytest.mark.parametrize("kind", [RobertaConfig, BertConfig, ElectraConfig])
def test_the_trainer_decays_what_has_two_dimensions(kind, tmp_path):
    sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8}
    config = kind(num_hidden_layers=1, vocab_size=50, **sizes)
    model = AutoModelForSequenceClassification.from_config(config)
    trainer = Trainer(model, TrainingArguments(output_dir=str(tmp_path), use_cpu=True))
    decayed = set(trainer.get_decay_parameter_names(model))
    assert decayed == {name for name, p in model.named_parameters() if p.dim() > 1}


def test_patience_and_selection_end_at_the_same_epoch(chain, tmp_path, monkeypatch):
    """A learning rate so high that it gets worse: each engine keeps the same epoch, and stops."""
    for selection in SELECTIONS:
        found = []
        for train in (fairseq, transformers):
            folder = tmp_path / selection / train.__name__
            settings = {"learning_rate": 0.02, "patience": 2, "selection": selection}
            losses(train, chain, folder, monkeypatch, **settings)
            history = pd.read_csv(folder / "history.csv").query("split == 'valid'")
            best = first_best(history[selection].tolist(), selection) + 1
            metrics = read_json(folder / "m.json")
            assert metrics["best_epoch"] == best
            assert metrics["epochs"] == min(best + 2, UPDATES) == len(history)
            found.append(history[["loss", "accuracy", "macro_f1"]].to_numpy())
        np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-3)
        assert len(found[0]) < UPDATES


@pytest.mark.parametrize("train", [fairseq, transformers], ids=lambda f: f.__name__)
def test_a_training_that_had_stopped_is_not_gone_on_with(chain, tmp_path, monkeypatch, train):
    settings = {"learning_rate": 0.02, "patience": 1}
    script = {fairseq: finetune_fairseq, transformers: finetune_transformers}[train]

    def killed(*given, **paths):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(script, "write_run", killed)
        losses(train, chain, tmp_path / "killed", patch, **settings)
    shutil.rmtree(tmp_path / "killed" / "start", ignore_errors=True)
    again = losses(train, chain, tmp_path / "killed", monkeypatch, **settings)
    whole = losses(train, chain, tmp_path / "whole", monkeypatch, **settings)
    assert again.tolist() == whole.tolist() and len(whole) < UPDATES


@pytest.mark.parametrize("kind", ["dropout", "attention_dropout", "pooler_dropout"])
def test_dropout_stands_in_the_same_places(chain, tmp_path, monkeypatch, kind):
    """What is always dropped is zero, whatever each engine draws."""
    found = {
        train.__name__: losses(
            train, chain, tmp_path / train.__name__, monkeypatch, dropouts={kind: ALWAYS}, epochs=1
        )
        for train in (fairseq, transformers)
    }
    none = losses(fairseq, chain, tmp_path / "none", monkeypatch, epochs=1)
    # A value that stays in spite of it is multiplied by millions.
    np.testing.assert_allclose(found["fairseq"], found["transformers"], rtol=1e-5, atol=1e-4)
    assert abs(found["fairseq"] - none).max() > 1e-3


def test_the_warm_up_ends_at_the_same_update(chain, tmp_path, monkeypatch):
    rates = {"fairseq": [], "transformers": []}
    step = SeedwiseSentencePredictionTask.optimizer_step

    def of_fairseq(self, optimizer, model, update_num):
        rates["fairseq"].append(optimizer.get_lr())
        step(self, optimizer, model, update_num)

    def of_transformers(self, args, state, control, optimizer, **others):
        rates["transformers"].append(optimizer.param_groups[0]["lr"])

    monkeypatch.setattr(SeedwiseSentencePredictionTask, "optimizer_step", of_fairseq)
    monkeypatch.setattr(TrainingHistory, "on_step_begin", of_transformers)
    for train in (fairseq, transformers):
        folder = tmp_path / train.__name__
        losses(train, chain, folder, monkeypatch, warmup_ratio=0.4, learning_rate=1.0e-3)
    np.testing.assert_allclose(rates["fairseq"], rates["transformers"], rtol=1e-6)
    assert rates["fairseq"][4] == 1.0e-3 == max(rates["fairseq"])
    assert len(rates["fairseq"]) == UPDATES
