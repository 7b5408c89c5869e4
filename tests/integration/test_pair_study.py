"""A study of text pairs, from the table through every engine to reports, export and predict."""

import csv
import io
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.special import softmax
from transformers import pipeline

from seedwise.files import read_json
from support import ROOT
from support.smoke_study import snakemake
from support.tiny.encoders import write_encoder

LABELS = ["negative", "positive"]
SPLITS = {"train": 56, "valid": 16, "test": 24}
TRAININGS = {
    "fairseq-pretrained": ("fairseq", "small"),
    "transformers-pretrained": ("transformers", "small"),
    "fairseq-roberta": ("fairseq", "roberta"),
    "transformers-roberta": ("transformers", "roberta"),
    "transformers-bert": ("transformers", "bert"),
}
SHORT, LONG = "Somebody wrote this.", "It was said, and said again, that " * 12


def write_pairs(path):
    """Write pairs whose label is that of the second text; of some, one text is far longer."""
    with (ROOT / "tests/data/smoke/reviews.csv").open(encoding="utf-8", newline="") as stream:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(stream)]
    firsts = [(SHORT, LONG, rows[-1 - number][0])[number % 3] for number in range(len(rows))]
    pairs = [
        (first, LONG + text if number % 8 == 0 else text, label)
        for number, (first, (text, label)) in enumerate(zip(firsts, rows, strict=True))
    ]
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("premise", "hypothesis", "label"), *pairs])


def command(folder, script, *arguments, stdin=""):
    """Run a script of the checkout in ``folder``; return its exit code and what it writes."""
    words = [sys.executable, ROOT / "scripts" / f"{script}.py", *arguments]
    done = subprocess.run(words, cwd=folder, input=stdin, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def proposed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    write_pairs(folder / "pairs.csv")
    words = ("pairs.csv", "--text", "premise,hypothesis", "--encoder", "none")
    code, _, said = command(folder, "propose_study", *words)
    assert code == 0, said
    assert "holds texts, too" not in said
    return folder


@pytest.fixture(scope="module")
def folder(proposed):
    """A working directory in which the proposed study has run, made smaller."""
    config = yaml.safe_load((proposed / "pairs.yaml").read_text(encoding="utf-8"))
    assert config["datasets"]["pairs"]["text"] == ["premise", "hypothesis"]
    config["datasets"]["pairs"] |= {"splits": SPLITS, "zones": {"valid": 0.2, "test": 0.28}}
    config["seeds"] = [0]
    config["finetune"] |= {"epochs": 2, "learning_rate": 2.0e-3, "device": "cpu"}
    small = config["models"]["small"]
    small["architecture"] |= {"layers": 1, "embed_dim": 32, "ffn_dim": 32, "max_positions": 48}
    small["pretrain"] |= {"updates": 10, "device": "cpu", "block_tokens": 48}
    for kind in ("roberta", "bert"):
        path = write_encoder(proposed / "published" / kind, kind)
        config["models"][kind] = {"transformers_checkpoint": {"source": {"path": str(path)}}}
    config["experiments"] = {"linear": config["experiments"]["linear"]} | {
        name: {"engine": engine, "init": "pretrained", "dataset": "pairs", "model": model}
        for name, (engine, model) in TRAININGS.items()
    }
    text = yaml.safe_dump(config, sort_keys=False)
    (proposed / "study.yaml").write_text(text, encoding="utf-8")
    code, output = snakemake(proposed, "all", "export", cores=2)
    assert code == 0, output
    return proposed


@pytest.fixture(scope="module")
def results(folder):
    return folder / "results" / "pairs"


@pytest.fixture(scope="module")
def pairs(results):
    lines = (results / "data/pairs/test.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def test_pairs_are_counted_and_reach_the_reports(results, pairs):
    assert read_json(results / "data/pairs/audit.json")["pairs"] is True
    assert all(list(pair)[1:3] == ["text", "text_pair"] for pair in pairs)
    assert (results / "report.pdf").read_bytes().startswith(b"%PDF")
    assert (results / "report.html").stat().st_size > 0
    runs = pd.read_csv(results / "tables/runs.csv")
    assert set(runs["experiment"]) == {"linear", *TRAININGS}


def test_the_second_text_is_read(results):
    """The label is the second text's alone, which a linear model sees at once."""
    summary = pd.read_csv(results / "tables/summary.csv").set_index("experiment")
    assert summary["mean"]["linear"] > 0.7


@pytest.mark.parametrize("model", ["pretrained", "roberta"])
def test_both_engines_cut_the_same_texts(results, model):
    cut = {
        engine: read_json(results / f"runs/{engine}-{model}/seed-0/metrics.json")["cut"]
        for engine in ("fairseq", "transformers")
    }
    kept = ("texts", "cut", "pieces", "lost")
    for split, counts in cut["transformers"].items():
        assert {key: cut["fairseq"][split][key] for key in kept} == counts
        assert counts["texts"] == SPLITS[split] and 0 < counts["cut"] <= counts["lost"]


@pytest.mark.parametrize("experiment", TRAININGS)
def test_pipeline_gives_the_predictions_of_the_run_for_every_pair(experiment, results, pairs):
    run = results / "runs" / experiment / "seed-0"
    expected = pd.read_csv(run / "predictions.csv")
    classify = pipeline("text-classification", str(run / "model"))
    found = [
        classify({"text": pair["text"], "text_pair": pair["text_pair"]}, truncation=True)
        for pair in pairs
    ]
    assert [one["label"] for one in found] == expected["prediction"].tolist()
    best = expected[[f"probability_{label}" for label in LABELS]].max(axis=1)
    assert [one["score"] for one in found] == pytest.approx(best.tolist(), abs=1e-4)


@pytest.mark.parametrize("experiment", ["linear", *TRAININGS])
def test_predict_gives_the_predictions_of_the_run(experiment, folder, results, pairs):
    run = results / "runs" / experiment / "seed-0"
    expected = pd.read_csv(run / "predictions.csv")
    names = [f"probability_{label}" for label in LABELS]
    probabilities = expected[names].to_numpy()
    fitted = read_json(run / "metrics.json")["temperature"]
    probabilities = softmax(np.log(probabilities) / fitted, axis=1)
    lines = "".join(f"{pair['text']}\t{pair['text_pair']}\n" for pair in pairs)
    words = [f"results/pairs/runs/{experiment}", "--format", "csv"]
    if experiment != "linear":
        words += ["--runtime", "onnx"]
    code, out, said = command(folder, "predict", *words, stdin=lines)
    assert code == 0, said
    found = pd.read_csv(io.StringIO(out))
    assert found["prediction"].tolist() == expected["prediction"].tolist()
    assert found[names].to_numpy() == pytest.approx(probabilities, abs=1e-4)


@pytest.mark.parametrize("experiment", ["linear", *TRAININGS])
def test_the_code_of_the_card_reads_pairs(experiment, results, pairs, monkeypatch, capsys):
    run = results / "runs" / experiment / "seed-0"
    card = (run / "model/README.md").read_text(encoding="utf-8")
    assert "pairs of texts as negative, positive" in card
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    monkeypatch.chdir(run / "model")
    for text, name in (("A text.", "text"), ("Another.", "text_pair")):
        assert f'"{text}"' in code
        code = code.replace(f'"{text}"', repr(pairs[0][name]))
    *lines, last = code.splitlines()
    names = {}
    exec("\n".join(lines), names)
    print(eval(last, names))
    expected = pd.read_csv(run / "predictions.csv")["prediction"][0]
    assert expected in capsys.readouterr().out


def test_fairseq_and_an_encoder_with_token_types(folder):
    """Refused before anything is made, with the experiment and what to do."""
    config = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    config["experiments"]["transformers-bert"]["engine"] = "fairseq"
    text = yaml.safe_dump(config | {"study": "refused"}, sort_keys=False)
    (folder / "refused.yaml").write_text(text, encoding="utf-8")
    code, output = snakemake(folder, "--configfile", "refused.yaml")
    assert code == 1 and "Traceback" not in output
    assert "experiments.transformers-bert.engine: 'fairseq' with pairs of texts, but" in output
    assert not (folder / "results/refused").exists()
