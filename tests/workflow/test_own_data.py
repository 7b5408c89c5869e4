"""From an Excel file of three classes to report and predictions, by the documented commands."""

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats
from scipy.special import softmax
from transformers import pipeline

from seedwise.machine.progress import last_progress
from support import ROOT, browser
from support.documentation import blocks
from support.sheets import write_xlsx
from support.smoke_study import snakemake

LABELS = ["negative", "neutral", "positive"]
SEEDS = (0, 1)
EXPERIMENTS = ("fairseq-pretrained", "transformers-pretrained")
NEUTRAL = "The {} was delivered on {} in a {} box, as the {} had said."


def write_reviews(path):
    """Write the smoke study's reviews, and as many that are neither good nor bad."""
    with (ROOT / "tests/data/smoke/reviews.csv").open(encoding="utf-8", newline="") as stream:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(stream)]
    things = ["parcel", "camera", "cable", "lamp", "printer", "keyboard", "tripod", "case"]
    for number in range(64):
        words = (things[number % 8], f"day {number}", "plain" if number % 3 else "small", "shop")
        rows.append((NEUTRAL.format(*words), "neutral"))
    write_xlsx(path, {"Sheet1": [("review", "opinion"), *rows]})


def command(folder, script, *arguments, stdin=""):
    """Run a script of the checkout in ``folder``; return what it writes."""
    words = [sys.executable, ROOT / "scripts" / f"{script}.py", *arguments]
    done = subprocess.run(words, cwd=folder, input=stdin, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working directory in which the proposed study has run, made smaller."""
    folder = tmp_path_factory.mktemp("own")
    write_reviews(folder / "reviews.xlsx")
    said = command(
        folder, "propose_study", "reviews.xlsx", "--output", "study.yaml", "--encoder", "none"
    )
    assert "make run CONFIG=study.yaml" in said
    config = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    config |= {"study": "own", "seeds": list(SEEDS), "licence": "mit"}
    config["finetune"] |= {"epochs": 3, "learning_rate": 2.0e-3, "device": "cpu"}
    config["models"]["small"]["architecture"] |= {"layers": 1, "embed_dim": 32, "ffn_dim": 32}
    config["models"]["small"]["pretrain"] |= {"updates": 20, "device": "cpu"}
    del config["experiments"]["fairseq-random"]
    (folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    code, output = snakemake(folder, "all", "export", "tensorboard", cores=2)
    assert code == 0, output
    return folder


@pytest.fixture(scope="module")
def results(folder):
    return folder / "results" / "own"


@pytest.fixture(scope="module")
def texts(results):
    lines = (results / "data/reviews/test.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line)["text"] for line in lines if line]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_pipeline_gives_the_labels_of_the_predictions_for_every_text(experiment, results, texts):
    for seed in SEEDS:
        run = results / "runs" / experiment / f"seed-{seed}"
        expected = pd.read_csv(run / "predictions.csv")
        assert set(expected["label"]) == set(LABELS)
        classify = pipeline("text-classification", str(run / "model"))
        found = [classify(text, truncation=True)[0] for text in texts]
        assert [one["label"] for one in found] == expected["prediction"].tolist()
        best = expected[[f"probability_{label}" for label in LABELS]].max(axis=1)
        assert [one["score"] for one in found] == pytest.approx(best.tolist(), abs=1e-5)


def test_example_of_the_tutorial_runs(results, capsys):
    (code,) = [code for _, code in blocks("python") if "print(classify(" in code]
    model = results / "runs/fairseq-pretrained/seed-0/model"
    exec(code.replace("results/reviews/runs/transformers-minilm/seed-0/model", str(model)), {})
    printed = capsys.readouterr().out
    assert any(label in printed for label in LABELS)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_all_seeds_vote_with_predict(experiment, folder, results, texts):
    out = command(
        folder, "predict", f"results/own/runs/{experiment}", "--format", "csv",
        "--runtime", "onnx", stdin="\n".join(texts),
    )  # fmt: skip
    found = pd.read_csv(io.StringIO(out))
    names = [f"probability_{label}" for label in LABELS]
    tables = []
    for run in (results / "runs" / experiment / f"seed-{seed}" for seed in SEEDS):
        fitted = json.loads((run / "metrics.json").read_text())["temperature"]
        logits = np.log(pd.read_csv(run / "predictions.csv")[names].to_numpy())
        tables.append(softmax(logits / fitted, axis=1))
    mean = np.mean(tables, axis=0)
    assert found[names].to_numpy() == pytest.approx(mean, abs=1e-5)
    assert found["prediction"].tolist() == [LABELS[index] for index in mean.argmax(axis=1)]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_model_card_stands_beside_the_weights(experiment, results):
    text = (results / f"runs/{experiment}/seed-1/model/README.md").read_text(encoding="utf-8")
    meta = yaml.safe_load(text.split("---\n")[1])
    assert meta["license"] == "mit" and "negative, neutral, positive" in text
    assert "| 2 seeds, mean" in text and "path reviews.xlsx" in text


def test_every_training_says_how_far_it_is(folder, results):
    for log in (folder / "logs/own").glob("finetune_*/*/*.log"):
        progress = last_progress(log)
        assert progress.update == progress.updates and progress.epoch == progress.epochs == 3
        assert 0 < progress.accuracy <= 1 and progress.loss > 0
    assert len(list((folder / "logs/own").glob("finetune_*/*/*.log"))) == 4
    assert last_progress(folder / "logs/own/pretrain_model/small.log").updates == 20
    events = list((results / "tensorboard").rglob("events.out.tfevents.*"))
    assert len(events) == 5


def test_comparison_against_scipy_called_directly(results):
    """The difference, a permutation test and the interval, from nothing but predictions.csv."""
    right = {
        name: np.array(
            [
                (table["label"] == table["prediction"]).to_numpy(dtype=float)
                for seed in SEEDS
                for table in [pd.read_csv(results / f"runs/{name}/seed-{seed}/predictions.csv")]
            ]
        )
        for name in EXPERIMENTS
    }
    table = pd.read_csv(results / "tables/comparisons.csv")
    row = table.set_index(["experiment_a", "experiment_b"]).loc[EXPERIMENTS]
    a, b = (right[name].mean(axis=0) for name in EXPERIMENTS)
    assert row["difference"] == pytest.approx(b.mean() - a.mean())
    test = stats.permutation_test(
        (b, a),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    )
    assert row["p_value"] == pytest.approx(test.pvalue, abs=0.02)
    rng = np.random.default_rng(2)
    means = [rng.choice(b - a, a.size).mean() for _ in range(5000)]
    assert row["ci_low"] == pytest.approx(np.quantile(means, 0.025), abs=0.015)
    assert row["ci_high"] == pytest.approx(np.quantile(means, 0.975), abs=0.015)


def test_report_opens_from_disk_on_a_desk_and_on_a_phone(results, tmp_path):
    for width in (1280, 400):
        wide, window, first, second = browser.measure(results / "report.html", width, tmp_path)
        assert window == width
        assert wide <= window, f"{wide} pixels of content in a window of {window}"
        assert {"Figures", "Tables", "Report"} <= set(first.split("\n"))
        # One click on Figures lists them, each of which the next one opens.
        assert "Confusion on reviews" in second and "Accuracy over training, fairseq" in second
