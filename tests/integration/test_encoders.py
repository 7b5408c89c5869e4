"""Encoders of ten types, from folders and from a hub, through downloads and training to reports."""

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from seedwise.exports.ensemble import Ensemble
from seedwise.exports.saved_models import model_folders
from seedwise.exports.transformers_model import TransformersModel
from seedwise.files import read_json, read_jsonl
from support.local_server import local_server
from support.smoke_study import snakemake, write_study
from support.tiny.encoders import ENCODERS, POSITIONS, write_encoder

COMMIT = "d" * 40
UNWANTED = ("pytorch_model.bin", "onnx/model.onnx", "tf_model.h5", "README.md", "1/config.json")
CUT = {"bert": 12, "roberta-hub": 10}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    return {
        kind: write_encoder(folder / kind, kind, max_shard_size="16KB" if sharded else "1MB")
        for kind in ENCODERS
        for sharded in [kind == "xlm-roberta"]
    }


@pytest.fixture(scope="module")
def server(published):
    with local_server() as running:
        for kind, folder in published.items():
            files = {path.name: path.read_bytes() for path in folder.iterdir()}
            files |= dict.fromkeys(UNWANTED, b"unwanted")
            running.serve_repository(f"someone/{kind}", "model", COMMIT, files)
        yield running


@pytest.fixture(scope="module")
def study(published, server, tmp_path_factory):
    """A study of all types, each once from its folder and once from the hub."""
    folder = tmp_path_factory.mktemp("study")

    def change(config):
        del config["lora"]
        config["study"] = "encoders"
        config["seeds"] = [0]
        config["datasets"]["reviews"]["splits"] = {"train": 32, "valid": 16, "test": 16}
        config["datasets"]["reviews"]["zones"] = {"valid": 0.2, "test": 0.2}
        config["finetune"] |= {"epochs": 1, "batch_size": 16}
        config["models"] = {}
        for kind, path in published.items():
            hub = {"hub": f"someone/{kind}", "type": "model", "revision": "main"}
            for name, source in ((kind, {"path": str(path)}), (f"{kind}-hub", hub)):
                config["models"][name] = {"transformers_checkpoint": {"source": source}}
        for name, longest in CUT.items():
            config["models"][name]["max_tokens"] = longest
        config["experiments"] = {
            name: {"engine": "transformers", "init": "pretrained", "dataset": "reviews"}
            | {"model": name}
            for name in config["models"]
        }
        config["experiments"]["albert-hub"]["init"] = "random"

    write_study(folder, change)
    code, output = snakemake(folder, cores=2, HF_ENDPOINT=server.url, HF_HOME=str(folder / "hub"))
    assert code == 0, output
    return folder


@pytest.fixture(scope="module")
def results(study):
    return study / "results" / "encoders"


def test_every_type_reaches_the_reports(results):
    assert (results / "report.html").stat().st_size > 0
    assert (results / "report.pdf").read_bytes().startswith(b"%PDF")
    runs = pd.read_csv(results / "tables" / "runs.csv")
    assert set(runs["experiment"]) == {name + end for name in ENCODERS for end in ("", "-hub")}
    assert (runs["updates"] == 2).all()


@pytest.mark.parametrize("kind", sorted(set(ENCODERS) - {"bert", "roberta", "albert"}))
def test_folder_and_hub_give_the_same_run(results, kind):
    ours, theirs = (
        (results / "runs" / name / "seed-0" / "predictions.csv").read_bytes()
        for name in (kind, f"{kind}-hub")
    )
    assert ours == theirs


def test_only_what_is_needed_was_fetched(study, server):
    asked = {path for path, _ in server.requests}
    assert f"/someone/bert/resolve/{COMMIT}/model.safetensors" in asked
    assert not [path for path in asked if path.endswith(UNWANTED)]
    assert len(read_json(study / "sources.lock.json")) == len(ENCODERS)


@pytest.mark.parametrize("kind", ENCODERS)
def test_sizes_are_those_of_the_configuration(results, kind):
    sizes = read_json(results / "pretrained" / kind / "architecture.json")
    assert (sizes["type"], sizes["layers"], sizes["embed_dim"]) == (kind, 3, 24)
    assert (sizes["ffn_dim"], sizes["attention_heads"], sizes["vocab_size"]) == (40, 6, 300)
    assert sizes["max_positions"] == (64 if kind == "modernbert" else POSITIONS)
    assert sizes["max_tokens"] == CUT.get(kind, sizes["max_positions"])


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_saved_model_is_of_its_type_and_starts_where_the_published_one_was(results, kind):
    folder = results / "runs" / kind / "seed-0" / "model"
    config = read_json(folder / "config.json")
    assert config["model_type"] == kind and set(config["label2id"]) == {"negative", "positive"}
    weights = load_file(folder / "model.safetensors")
    start = load_file(results / "pretrained" / kind / "transformers" / "model.safetensors")
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    own = {name.removeprefix(f"{model.base_model_prefix}."): w for name, w in weights.items()}
    start = {name.removeprefix(f"{model.base_model_prefix}."): w for name, w in start.items()}
    assert set(start) <= set(own)
    moved = max(float((own[name] - weight).abs().max()) for name, weight in start.items())
    assert 0 < moved < 0.1


@pytest.mark.parametrize("name", CUT)
def test_the_studys_limit_ends_in_the_saved_tokenizer(results, name):
    tokenizer = AutoTokenizer.from_pretrained(results / "runs" / name / "seed-0" / "model")
    assert len(tokenizer("a film " * 40, truncation=True)["input_ids"]) == CUT[name]


def test_parameters_have_formulas_for_roberta_and_bert_and_modules_for_others(results):
    table = pd.read_csv(results / "tables" / "parameters.csv")
    assert table["counted_fairseq"].isna().all()
    for kind in ENCODERS:
        rows = table[table["model"] == kind].set_index("component")
        formula = kind in ("bert", "roberta", "camembert", "xlm-roberta")
        assert rows["formula"].notna().all() if formula else rows["formula"].isna().all()
        known = rows.dropna(subset="analytic")
        assert (known["analytic"] == known["counted_transformers"]).all()
    bert = table[table["model"] == "bert"].set_index("component")
    assert bert.loc["learnt positions", "formula"] == f"P·D = {POSITIONS}·24"
    albert = table[table["model"] == "albert"].set_index("component")
    assert albert.loc["embeddings.word_embeddings", "counted_transformers"] == 300 * 12


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_saved_model_predicts_what_its_run_predicted(results, kind):
    texts = [record["text"] for record in read_jsonl(results / "data" / "reviews" / "test.jsonl")]
    run = results / "runs" / kind / "seed-0"
    ensemble = Ensemble([TransformersModel(folder) for folder in model_folders(run)])
    theirs = pd.read_csv(run / "predictions.csv")
    theirs = theirs[[f"probability_{label}" for label in ensemble.labels]]
    np.testing.assert_allclose(ensemble.probabilities(texts), theirs, atol=1e-5)
