import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import finetune_transformers
from seedwise.files import read_json, read_jsonl
from seedwise.models import conversion
from seedwise.models.checkpoints import load_checkpoint
from support.tiny.chain import (
    ARCHITECTURE,
    LABELS,
    majority_records,
    make_run,
    run_settings,
    write_chain,
)

FILES = ("history", "predictions", "metrics", "model")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A chain with the converted checkpoint beside it."""
    chain = write_chain(tmp_path_factory.mktemp("chain"))
    weights = load_checkpoint(chain.pretrained)["model"]
    folder = chain.folder / "transformers"
    conversion.build_model(weights, ARCHITECTURE, labels=None, source="").save_pretrained(folder)
    conversion.build_tokenizer(
        chain.tokens / "sentencepiece.bpe.model",
        chain.tokens / "dict.txt",
        ARCHITECTURE["max_positions"],
    ).save_pretrained(folder)
    return chain


def finetune(chain, folder, init="random", seed=0, **settings):
    """Run the script and return the paths of its outputs."""
    paths = {name: folder / name for name in FILES}
    finetune_transformers.main(
        run=make_run(chain, "transformers", init, seed, **settings),
        start=chain.folder / "transformers" if init == "pretrained" else None,
        tokenizer_files=[chain.tokens / "sentencepiece.bpe.model", chain.tokens / "dict.txt"],
        **paths,
    )
    return paths


@pytest.fixture(scope="module")
def outputs(chain, tmp_path_factory):
    return finetune(chain, tmp_path_factory.mktemp("run"), "pretrained")


def test_hyperparameters_reach_the_trainer(tmp_path):
    settings = run_settings(
        "transformers", weight_decay=0.2, clip_norm=3.0, warmup_ratio=0.1, adam_betas=[0.8, 0.95]
    )["finetune"]
    arguments = finetune_transformers.finetuning_arguments(
        settings, updates=100, selection="loss", seed=7, scratch=tmp_path
    )
    expected = {
        "seed": 7,
        "num_train_epochs": 3,
        "per_device_train_batch_size": 8,
        "per_device_eval_batch_size": 16,
        "learning_rate": 3e-3,
        "warmup_steps": 10,
        "adam_beta1": 0.8,
        "adam_beta2": 0.95,
        "adam_epsilon": 1e-8,
        "weight_decay": 0.2,
        "max_grad_norm": 3.0,
        "report_to": [],
        "metric_for_best_model": "loss",
        "greater_is_better": False,
    }
    assert {key: getattr(arguments, key) for key in expected} == expected


def test_outputs_are_those_of_the_selected_epoch(chain, outputs):
    history = pd.read_csv(outputs["history"])
    assert history["epoch"].tolist() == [1, 1, 2, 2, 3, 3]
    metrics = read_json(outputs["metrics"])
    assert metrics["updates"] == 30 and metrics["init"] == "pretrained"
    predictions = pd.read_csv(outputs["predictions"])
    right = (predictions["label"] == predictions["prediction"]).mean()
    assert len(predictions) == 33 and metrics["test_accuracy"] == pytest.approx(right)
    assert not (outputs["model"].parent / "checkpoints").exists()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_folder_is_ready_to_use_and_predicts_as_reported(chain, outputs, precision, tmp_path):
    if precision != "float32":
        outputs = finetune(chain, tmp_path, "pretrained", epochs=1, precision=precision)
    model = AutoModelForSequenceClassification.from_pretrained(outputs["model"])
    tokenizer = AutoTokenizer.from_pretrained(outputs["model"])
    predictions = pd.read_csv(outputs["predictions"])
    assert model.config.id2label == dict(enumerate(LABELS))
    for row, record in enumerate(read_jsonl(chain.data / "test.jsonl")):
        encoded = tokenizer(record["text"], truncation=True, return_tensors="pt")
        with torch.inference_mode():
            probabilities = model(**encoded).logits.softmax(-1)[0]
        reported = predictions.loc[row, [f"probability_{label}" for label in LABELS]].tolist()
        assert probabilities.tolist() == pytest.approx(reported, abs=1e-5)


def test_model_starts_from_the_folder(chain, outputs, tmp_path):
    name = "roberta.encoder.layer.0.intermediate.dense.weight"
    start = load_file(chain.folder / "transformers" / "model.safetensors")[name]

    def distance(paths):
        return (load_file(paths["model"] / "model.safetensors")[name] - start).norm()

    assert distance(outputs) < 0.3 * distance(finetune(chain, tmp_path, epochs=1))


def test_same_seed_same_bytes_another_seed_others(chain, tmp_path):
    runs = [finetune(chain, tmp_path / name, epochs=1, seed=int(name[1])) for name in ("a0", "b0")]
    other = finetune(chain, tmp_path / "c", epochs=1, seed=1)
    for name in ("history", "predictions"):
        assert runs[0][name].read_bytes() == runs[1][name].read_bytes()
        assert runs[0][name].read_bytes() != other[name].read_bytes()


def test_first_of_equal_epochs_is_selected(chain, tmp_path):
    outputs = finetune(chain, tmp_path, learning_rate=1e-12)
    valid = pd.read_csv(outputs["history"]).query("split == 'valid'")["accuracy"]
    assert valid.nunique() == 1 and len(valid) == 3
    assert read_json(outputs["metrics"])["best_epoch"] == 1  # or the script would have failed


def test_classes_keep_their_names_where_the_second_is_the_majority(tmp_path):
    chain = write_chain(tmp_path / "chain", majority_records(), ["0", "1"])
    outputs = finetune(chain, tmp_path / "run", epochs=12, batch_size=4)
    predictions = pd.read_csv(outputs["predictions"], dtype=str)
    assert set(predictions["label"]) == set(predictions["prediction"]) == {"0", "1"}
    assert list(predictions)[3:] == ["probability_0", "probability_1"]
    assert (
        read_json(outputs["metrics"])["test_accuracy"] > 0.65
    )  # swapped, it would be as far below half


ADAPTER = {"r": 4, "lora_alpha": 8, "target_modules": None, "lora_dropout": 0.1, "bias": "none"}


@pytest.mark.parametrize(
    "processes",
    [1, pytest.param(2, marks=pytest.mark.alone)],  # as in test_distributed.py
)
def test_an_adapter_ends_in_a_merged_model(chain, tmp_path, processes):
    outputs = finetune(
        chain,
        tmp_path,
        "pretrained",
        adapter=ADAPTER,
        learning_rate=1e-2,
        epochs=8,
        processes=processes,
    )
    model = AutoModelForSequenceClassification.from_pretrained(outputs["model"])
    start = load_file(chain.folder / "transformers" / "model.safetensors")
    weights = load_file(outputs["model"] / "model.safetensors")
    changed = {
        name.removeprefix("roberta.")
        for name in weights
        if name in start and not torch.equal(weights[name], start[name])
    }
    layers = ARCHITECTURE["layers"]
    assert len(changed) == 2 * layers
    assert all(name.endswith(("self.query.weight", "self.value.weight")) for name in changed)
    width = ARCHITECTURE["embed_dim"]
    metrics = read_json(outputs["metrics"])
    head = (width + 1) * width + (width + 1) * len(LABELS)
    assert metrics["trainable_parameters"] == 2 * layers * 4 * 2 * width + head
    # What the merged folder says is what the run predicted.
    tokenizer = AutoTokenizer.from_pretrained(outputs["model"])
    records = list(read_jsonl(chain.data / "test.jsonl"))
    found = pd.read_csv(outputs["predictions"])
    texts = [record["text"] for record in records]
    batch = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        probabilities = model.eval()(**batch).logits.softmax(-1).numpy()
    columns = [f"probability_{label}" for label in LABELS]
    assert abs(probabilities - found[columns].to_numpy()).max() < 1e-5
