"""A study of the linear engine alone: its run, tables, model, and what is planned for it."""

import io
import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from support import ROOT
from support.smoke_study import job_counts, snakemake, write_study

RUN = "results/smoke/runs/linear/seed-0"
TARGETS = [f"{RUN}/model/README.md", "results/smoke/tables/summary.html"]


def alone(config):
    """Leave the linear experiment, with two seeds in the study."""
    del config["lora"]
    config["experiments"] = {"linear": config["experiments"]["linear"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, alone)
    code, output = snakemake(folder, *TARGETS, cores=2)
    assert code == 0, output
    return folder


def test_one_run_whatever_the_seeds(folder):
    assert [path.name for path in (folder / RUN).parent.iterdir()] == ["seed-0"]
    files = {path.name for path in (folder / RUN).rglob("*") if path.is_file()}
    assert files == {
        "history.csv", "predictions.csv", "metrics.json",
        "config.json", "model.safetensors", "vocabulary.json", "README.md",
    }  # fmt: skip
    history = pd.read_csv(folder / RUN / "history.csv")
    assert (
        list(history) == ["epoch", "split", "loss", "accuracy", "macro_f1"]
        and len(history) == 2 * 8
    )


def test_tables_say_deterministic(folder):
    page = (folder / "results/smoke/tables/summary.html").read_text(encoding="utf-8")
    assert page.count("deterministic") == 2
    summary = pd.read_csv(folder / "results/smoke/tables/summary.csv").set_index("experiment")
    assert list(summary.index) == ["linear", "commonest-label"]
    assert summary["mean"]["linear"] > 0.6 and summary["mean"]["commonest-label"] == 0.5


def test_predict_gives_the_predictions_of_the_run(folder):
    command = [sys.executable, ROOT / "scripts/predict.py", (folder / RUN).parent]
    lines = (folder / "results/smoke/data/reviews/test.jsonl").read_text(encoding="utf-8")
    texts = [json.loads(line)["text"] for line in lines.split("\n")[:-1]]
    done = subprocess.run(
        [*command, "--format", "csv"], input="\n".join(texts), capture_output=True, text=True
    )
    found = pd.read_csv(io.StringIO(done.stdout))
    predictions = pd.read_csv(folder / RUN / "predictions.csv")
    assert found["prediction"].tolist() == predictions["prediction"].tolist()
    assert "logistic regression on TF-IDF" in (folder / RUN / "model/README.md").read_text("utf-8")


def test_its_report_needs_no_training_and_no_curves(folder):
    code, output = snakemake(folder, "--dry-run", "all", "export", "tensorboard")
    assert code == 0, output
    planned = job_counts(output)
    assert {"render_pdf", "render_html", "plot_accuracy"} <= set(planned)
    assert not {rule for rule in planned if rule.startswith(("finetune", "pretrain", "plot_tr"))}
    assert not {"train_linear", "describe_model", "train_tokenizer"} & set(planned)


def test_a_comment_retrains_nothing_and_a_statement_does(tmp_path):
    root, folder = tmp_path / "checkout", tmp_path / "study"
    for name in ("rules", "scripts", "profiles", "reports", "envs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", root)
    write_study(folder, alone)
    metrics = f"{RUN}/metrics.json"
    code, output = snakemake(folder, metrics, root=root)
    assert code == 0, output
    module, script = (
        root / "scripts/seedwise/training/runs.py",
        root / "scripts/training/train_linear.py",
    )
    for path in (module, script):
        path.write_text(f"# A comment.\n{path.read_text()}\n# Another.\n")
    module.write_text(module.read_text().replace("Write the predictions", "Write all predictions"))
    code, output = snakemake(folder, "--dry-run", metrics, root=root)
    assert code == 0 and "Nothing to be done" in output, output
    progress = root / "scripts/seedwise/machine/progress.py"
    progress.write_text(f"{progress.read_text()}\nANOTHER = 1\n")
    code, output = snakemake(folder, "--dry-run", metrics, root=root)
    assert code == 0 and "Nothing to be done" in output, output
    module.write_text(f"{module.read_text()}\nANOTHER = 1\n")
    code, output = snakemake(folder, "--dry-run", metrics, root=root)
    assert code == 0 and job_counts(output) == {"train_linear": 1}, output
