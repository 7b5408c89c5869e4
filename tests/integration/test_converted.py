"""Published encoders of transformers through fairseq to the reports, and back."""

import pandas as pd
import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from seedwise.files import read_json, read_jsonl
from seedwise.models.checkpoints import load_checkpoint
from support.converted_encoders import write_wide_encoder
from support.smoke_study import snakemake, write_study
from support.tiny.gpt2 import ARCHITECTURE, write_gpt2_checkpoint

KINDS = ("bert", "camembert", "roberta", "xlm-roberta")
RUNS = [*KINDS, "bert-random", "gpt2"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of four types, and of a fairseq checkpoint with GPT-2's BPE in both engines."""
    folder = tmp_path_factory.mktemp("study")
    published = {kind: write_wide_encoder(folder / "published" / kind, kind) for kind in KINDS}
    gpt2 = write_gpt2_checkpoint(folder / "published" / "gpt2")

    def change(config):
        del config["lora"]
        config["seeds"] = [0]
        config["finetune"] |= {"epochs": 2, "batch_size": 8}
        config["models"] = {
            kind: {"transformers_checkpoint": {"source": {"path": str(path)}}}
            for kind, path in published.items()
        }
        config["models"]["gpt2"] = {
            "architecture": ARCHITECTURE,
            "fairseq_checkpoint": {"source": {"path": str(gpt2)}, "bpe": "gpt2"},
        }
        config["experiments"] = {
            name: {"engine": "fairseq", "init": "pretrained", "dataset": "reviews", "model": name}
            for name in config["models"]
        }
        bert, fairseq = (config["experiments"][name] for name in ("bert", "gpt2"))
        config["experiments"]["bert-random"] = bert | {"init": "random"}
        config["experiments"]["bert-transformers"] = bert | {"engine": "transformers"}
        config["experiments"]["gpt2-transformers"] = fairseq | {"engine": "transformers"}

    write_study(folder, change)
    code, output = snakemake(folder, cores=2)
    assert code == 0, output
    exported = [f"results/smoke/runs/{name}/seed-0/model/config.json" for name in RUNS]
    code, output = snakemake(folder, *exported, cores=2)
    assert code == 0, output
    return folder


@pytest.fixture(scope="module")
def results(study):
    return study / "results" / "smoke"


def test_every_conversion_is_proved_and_reported(results):
    assert (results / "report.pdf").read_bytes().startswith(b"%PDF")
    for kind in KINDS:
        report = read_json(results / "pretrained" / kind / "conversion.json")
        assert report["largest_state_difference"] < 1e-5
        assert report["texts_with_equal_ids"] == 80 + 14 + 20
    report = read_json(results / "pretrained" / "gpt2" / "conversion.json")
    assert report["largest_logit_difference"] < 1e-4


@pytest.mark.parametrize("name", RUNS)
def test_an_exported_folder_is_of_the_original_type_and_gives_the_same_labels(results, name):
    run = results / "runs" / name / "seed-0"
    config = read_json(run / "model" / "config.json")
    assert config["model_type"] == {"bert-random": "bert", "gpt2": "roberta"}.get(name, name)
    model = AutoModelForSequenceClassification.from_pretrained(run / "model")
    tokenizer = AutoTokenizer.from_pretrained(run / "model")
    predictions = pd.read_csv(run / "predictions.csv")
    for row, record in enumerate(read_jsonl(results / "data" / "reviews" / "test.jsonl")):
        encoded = tokenizer(record["text"], truncation=True, return_tensors="pt")
        probabilities = model(**encoded).logits.softmax(-1)[0]
        assert model.config.id2label[int(probabilities.argmax())] == predictions["prediction"][row]
        reported = predictions.loc[row, ["probability_negative", "probability_positive"]].tolist()
        assert probabilities.tolist() == pytest.approx(reported, abs=1e-4)


def test_both_engines_train_on_the_same_tokens(results):
    ours, theirs = (
        read_json(results / "runs" / name / "seed-0" / "metrics.json")
        for name in ("bert", "bert-transformers")
    )
    assert ours["updates"] == theirs["updates"] == 20


def test_a_run_keeps_the_models_eps(results):
    for name in ("bert", "bert-random"):
        config = load_checkpoint(results / "runs" / name / "seed-0" / "model.pt")["cfg"]
        assert config["model"].layer_norm_eps == 1e-12


def test_parameters_are_counted_in_both_engines(results):
    table = pd.read_csv(results / "tables" / "parameters.csv")
    assert table.loc[table["model"].isin(KINDS), "counted_fairseq"].notna().all()
