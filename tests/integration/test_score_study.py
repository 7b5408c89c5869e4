"""A study of scores, beside one of labels, from the table through every engine to predict."""

import csv
import io
import json
import random
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats
from sklearn.metrics import mean_absolute_error
from transformers import pipeline

from seedwise.files import read_json
from support import ROOT
from support.smoke_study import snakemake
from support.tiny.encoders import write_encoder

SPLITS = {"train": 56, "valid": 16, "test": 24}
RANGE = [1, 5]
TRAININGS = {
    "stars-fairseq": ("fairseq", "small"),
    "stars-transformers": ("transformers", "small"),
    "stars-bert": ("transformers", "bert"),
    "stars-fairseq-bert": ("fairseq", "bert"),
}
EXPERIMENTS = ["stars-linear", *TRAININGS]


def write_stars(path):
    """Write reviews with stars: some for the label, and a share of one by chance."""
    with (ROOT / "tests/data/smoke/reviews.csv").open(encoding="utf-8", newline="") as stream:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(stream)]
    draw = random.Random(0)
    stars = [round({"negative": 1, "positive": 4}[label] + draw.random(), 2) for _, label in rows]
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["text", "label", "stars"])
        table.writerows([*row, star] for row, star in zip(rows, stars, strict=True))


def command(folder, script, *arguments, stdin=""):
    """Run a script of the checkout in ``folder``; return its exit code and what it writes."""
    words = [sys.executable, ROOT / "scripts" / f"{script}.py", *arguments]
    done = subprocess.run(words, cwd=folder, input=stdin, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working directory in which the study has run."""
    folder = tmp_path_factory.mktemp("scores")
    write_stars(folder / "reviews.csv")
    words = ("reviews.csv", "--text", "text", "--label", "label", "--encoder", "none")
    code, _, said = command(folder, "propose_study", *words)
    assert code == 0, said
    config = yaml.safe_load((folder / "reviews.yaml").read_text(encoding="utf-8"))
    reviews = config["datasets"]["reviews"]
    reviews |= {"splits": SPLITS, "zones": {"valid": 0.2, "test": 0.28}}
    stars = {key: value for key, value in reviews.items() if key != "labels"}
    config["datasets"]["stars"] = stars | {"label": "stars", "range": RANGE}
    config["seeds"] = [0, 1]
    config["finetune"] |= {"epochs": 4, "learning_rate": 2.0e-3, "device": "cpu"}
    small = config["models"]["small"]
    small["architecture"] |= {"layers": 1, "embed_dim": 32, "ffn_dim": 32, "max_positions": 48}
    small["pretrain"] |= {"updates": 10, "device": "cpu", "block_tokens": 48}
    path = write_encoder(folder / "published" / "bert", "bert")
    config["models"]["bert"] = {"transformers_checkpoint": {"source": {"path": str(path)}}}
    tuned = {
        name: {"engine": engine, "init": "pretrained", "dataset": "stars", "model": model}
        for name, (engine, model) in TRAININGS.items()
    }
    config["experiments"] = {
        "stars-linear": {"engine": "linear", "dataset": "stars"},
        "reviews-linear": {"engine": "linear", "dataset": "reviews"},
        "reviews-bert": tuned["stars-bert"] | {"dataset": "reviews"},
        **tuned,
    }
    config["experiments"]["stars-transformers"] |= {
        "train_texts": [28],
        "search": {"over": {"learning_rate": [2.0e-3, 1.0e-3]}},
    }
    text = yaml.safe_dump(config, sort_keys=False)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    models = [f"results/reviews/runs/{name}/seed-0/model/README.md" for name in EXPERIMENTS]
    code, output = snakemake(folder, "all", *models, cores=2)
    assert code == 0, output
    return folder


@pytest.fixture(scope="module")
def results(folder):
    return folder / "results" / "reviews"


@pytest.fixture(scope="module")
def test_texts(results):
    lines = (results / "data/stars/test.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def test_scores_are_audited(results, test_texts):
    audit = read_json(results / "data/stars/audit.json")
    assert audit["range"] == RANGE and audit["splits"]["test"]["texts"] == len(test_texts)
    scores = [record["label"] for record in test_texts]
    found = audit["splits"]["test"]["scores"]
    assert (found["min"], found["max"]) == (min(scores), max(scores))
    train = (results / "data/stars/train.jsonl").read_text(encoding="utf-8").splitlines()
    mean = np.mean([json.loads(line)["label"] for line in train])
    assert audit["mean_score"]["score"] == pytest.approx(mean)
    assert audit["mean_score"]["test_mae"] == pytest.approx(abs(np.array(scores) - mean).mean())


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_measures_are_those_of_scipy_and_scikit_learn(experiment, results, test_texts):
    run = results / "runs" / experiment / "seed-0"
    table, metrics = pd.read_csv(run / "predictions.csv"), read_json(run / "metrics.json")
    assert list(table) == ["id", "label", "prediction"]
    assert table["label"].tolist() == [record["label"] for record in test_texts]
    found = [metrics[f"test_{name}"] for name in ("pearson", "spearman", "mae")]
    expected = [
        stats.pearsonr(table["label"], table["prediction"]).statistic,
        stats.spearmanr(table["label"], table["prediction"]).statistic,
        mean_absolute_error(table["label"], table["prediction"]),
    ]
    assert found == pytest.approx(expected, abs=1e-6)
    assert "test_accuracy" not in metrics and "temperature" not in metrics
    history = pd.read_csv(run / "history.csv")
    assert list(history) == ["epoch", "split", "loss", "pearson"]
    valid = history[history["split"] == "valid"]
    assert metrics["valid_pearson"] == valid["pearson"].max()
    best = int(valid["epoch"].iloc[valid["pearson"].argmax()])
    assert metrics["best_epoch"] == best and metrics["selection"] == "pearson"


def test_scores_are_learned(results):
    """A linear model is nearer to them than their mean is; all are in the data's own units."""
    summary = pd.read_csv(results / "tables/summary.csv").set_index("experiment")
    assert set(summary["measure"][EXPERIMENTS]) == {"pearson"}
    assert summary["mean"]["stars-linear"] > 0.5
    assert summary["mae_mean"]["stars-linear"] < summary["mae_mean"]["mean-score"]
    assert (summary["mae_mean"][EXPERIMENTS] < 1.2 * summary["mae_mean"]["mean-score"]).all()


def test_labels_beside_scores_have_their_measures(results):
    runs = pd.read_csv(results / "tables/runs.csv").set_index("experiment")
    assert runs.loc["reviews-linear"]["test_accuracy"] > 0.7
    assert np.isnan(runs.loc["reviews-linear"]["test_pearson"])
    assert pd.read_csv(results / "tables/comparisons.csv")["dataset"].unique() == ["reviews"]
    compared = pd.read_csv(results / "tables/score_comparisons.csv")
    assert len(compared) == 3 * 5 * 4 / 2 and set(compared["dataset"]) == {"stars"}
    assert set(pd.read_csv(results / "tables/calibration.csv")["dataset"]) == {"reviews"}
    ranks = pd.read_csv(results / "tables/ranks.csv")
    assert set(ranks["experiments"]) == {"linear", "bert"}
    assert {"mean_reviews", "mean_stars", "measure_stars"} <= {*ranks}


def test_reports_show_scores(results):
    figures = {path.name for path in (results / "figures").glob("*.svg")}
    assert {"scores-stars.svg", "confusion-reviews.svg", "learning-curve-stars.svg"} <= figures
    assert not {"confusion-stars.svg", "calibration-stars.svg"} & figures
    assert (results / "report.pdf").read_bytes().startswith(b"%PDF")
    page = (results / "answer.html").read_text(encoding="utf-8")
    assert "On stars, " in page and "Pearson correlation with the test scores" in page
    assert "On reviews, " in page and "test accuracy" in page


@pytest.mark.parametrize("experiment", TRAININGS)
def test_pipeline_gives_the_scores_of_the_run(experiment, results, test_texts):
    run = results / "runs" / experiment / "seed-0"
    score = pipeline("text-classification", str(run / "model"))
    found = [score(record["text"], truncation=True)[0] for record in test_texts]
    assert {one["label"] for one in found} == {"score"}
    expected = pd.read_csv(run / "predictions.csv")["prediction"]
    assert [one["score"] for one in found] == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_predict_gives_the_scores_of_the_run(experiment, folder, results, test_texts):
    run = results / "runs" / experiment / "seed-0"
    expected = pd.read_csv(run / "predictions.csv")["prediction"]
    lines = "".join(record["text"] + "\n" for record in test_texts)
    exact = () if experiment == "stars-linear" else ("--runtime", "onnx")
    for form in ("csv",) if exact else ("csv", "jsonl", "text"):
        code, out, said = command(folder, "predict", run, "--format", form, *exact, stdin=lines)
        assert code == 0 and "calibrated" not in said, said
        if form == "csv":
            assert list(pd.read_csv(io.StringIO(out))) == ["text", "prediction"]
            found = pd.read_csv(io.StringIO(out))["prediction"].tolist()
        elif form == "jsonl":
            found = [json.loads(line)["prediction"] for line in out.splitlines()]
        else:
            found = [float(line.split("\t")[0]) for line in out.splitlines()]
        assert found == pytest.approx(expected.tolist(), abs=1e-3 if form == "text" else 1e-4)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_card_says_what_the_model_gives(experiment, results, test_texts, monkeypatch, capsys):
    run = results / "runs" / experiment / "seed-0"
    card = (run / "model/README.md").read_text(encoding="utf-8")
    assert "model of texts that gives each a score, from 1 to 5 in the data" in card
    assert "Pearson" in card and "accuracy" not in card and "temperature" not in card
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    monkeypatch.chdir(run / "model")
    *lines, last = code.replace('"A text."', repr(test_texts[0]["text"])).splitlines()
    names = {}
    exec("\n".join(lines), names)
    print(eval(last, names))
    expected = pd.read_csv(run / "predictions.csv")["prediction"][0]
    said = re.findall(r"\d+\.\d+", capsys.readouterr().out)
    assert float(said[-1]) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"selection": "macro_f1"}, "selection: macro_f1 is for labels, but datasets.stars has"),
        ({"finetune": {"class_weights": "balanced"}}, "finetune.class_weights: is for labels, but"),
    ],
)
def test_what_is_for_labels_is_refused(folder, change, message):
    config = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    for key, value in change.items():
        config[key] = config[key] | value if isinstance(value, dict) else value
    text = yaml.safe_dump(config | {"study": "refused"}, sort_keys=False)
    (folder / "refused.yaml").write_text(text, encoding="utf-8")
    code, output = snakemake(folder, "--configfile", "refused.yaml")
    assert code == 1 and "Traceback" not in output
    assert message in output
