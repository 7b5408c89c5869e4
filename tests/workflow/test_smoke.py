"""The whole chain on the smoke study: contracts, reruns, repeatability."""

import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from support import ROOT
from support.smoke_study import job_counts, snakemake, write_study

RUNS = [
    (experiment, seed)
    for experiment in ("fairseq-pretrained", "fairseq-random", "transformers-pretrained")
    for seed in (0, 1)
]
LINEAR = ("linear", 0)
EPOCHS = 6
TRANSFORMERS_FILES = [
    "config.json",
    "model.safetensors",
    "tokenizer_config.json",
    "sentencepiece.bpe.model",
    "dict.txt",
]
METRICS = [
    "experiment", "engine", "init", "dataset", "model", "seed", "best_epoch", "valid_accuracy",
    "test_accuracy", "test_macro_f1", "train_seconds", "eval_seconds", "updates",
    "tokens_per_second", "peak_rss_mib", "device", "precision", "threads", "versions",
    "config_sha256", "data_sha256", "code_sha256", "device_type", "selection", "valid_macro_f1",
    "valid_loss", "epochs", "train_texts", "temperature", "cut",
]  # fmt: skip
SUMMARY = [
    "experiment", "engine", "init", "dataset", "n", "mean", "std", "ci_low", "ci_high",
    "published_mean", "published_std", "candidates", "macro_f1_mean", "macro_f1_std",
    "macro_f1_ci_low", "macro_f1_ci_high", "varied", "measure",
]  # fmt: skip
PARAMETERS = ["component", "formula", "analytic", "counted_fairseq", "counted_transformers"]
# The rules after the runs, by the files of their stages.
AFTER_RUNS = {
    rule
    for stage in ("results", "figures", "report")
    for rule in re.findall(
        r"^rule (\w+):", (ROOT / "rules" / f"{stage}.smk").read_text(encoding="utf-8"), re.MULTILINE
    )
}


def planned(output: str) -> dict[str, int]:
    """Return how many jobs of each rule are planned before the tables, which are planned, too."""
    counts = job_counts(output)
    assert {"aggregate_runs", "plot_accuracy", "render_pdf", "render_html"} <= counts.keys()
    return {rule: count for rule, count in counts.items() if rule not in AFTER_RUNS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working directory in which the study has run."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    code, output = snakemake(folder, cores=2)
    assert code == 0, output
    return folder


@pytest.fixture(scope="module")
def results(folder):
    return folder / "results" / "smoke"


@pytest.fixture(params=RUNS, ids=lambda run: f"{run[0]}-{run[1]}")
def run(request, results):
    experiment, seed = request.param
    return results / "runs" / experiment / f"seed-{seed}"


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def read_records(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def test_splits_and_audit(results):
    data = results / "data" / "reviews"
    splits = {name: read_records(data / f"{name}.jsonl") for name in ("train", "valid", "test")}
    assert {name: len(records) for name, records in splits.items()} == {
        "train": 80,
        "valid": 14,
        "test": 20,
    }
    texts = [record["text"] for records in splits.values() for record in records]
    assert len(set(texts)) == 80 + 14 + 20
    assert {tuple(record) for records in splits.values() for record in records} == {
        ("id", "text", "label")
    }
    audit = read_json(data / "audit.json")
    assert audit["labels"] == ["negative", "positive"]
    assert audit["splits"]["train"]["labels"] == {"negative": 40, "positive": 40}
    assert {"texts", "empty", "duplicates", "characters", "words"} <= set(audit["splits"]["test"])


@pytest.mark.parametrize(
    "job",
    [
        "prepare_dataset/reviews",
        "encode_dataset/tiny/reviews/valid",
        "pretrain_model/tiny",
        "finetune_fairseq/fairseq-random/seed-1",
        "render_table/summary",
        "render_pdf",
    ],
)
def test_log_and_benchmark_follow_from_the_name_of_a_rule(folder, job):
    assert (folder / f"logs/smoke/{job}.log").is_file()
    assert (folder / f"results/smoke/benchmarks/{job}.tsv").is_file()


def test_run_keeps_the_contract(run, results):
    history = pd.read_csv(run / "history.csv")
    assert list(history) == ["epoch", "split", "loss", "accuracy", "macro_f1"]
    assert list(zip(history["epoch"], history["split"], strict=True)) == [
        (epoch, split) for epoch in range(1, EPOCHS + 1) for split in ("train", "valid")
    ]
    assert history["accuracy"].between(0, 1).all()

    predictions = pd.read_csv(run / "predictions.csv", dtype={"id": str})
    probabilities = ["probability_negative", "probability_positive"]
    assert list(predictions) == ["id", "label", "prediction", *probabilities]
    test = pd.DataFrame(read_records(results / "data" / "reviews" / "test.jsonl"))
    assert predictions["id"].tolist() == test["id"].tolist()
    assert predictions["label"].tolist() == test["label"].tolist()
    assert predictions[probabilities].sum(axis=1).sub(1).abs().max() < 1e-6
    highest = predictions[probabilities].idxmax(axis=1).str.removeprefix("probability_")
    assert highest.tolist() == predictions["prediction"].tolist()

    metrics = read_json(run / "metrics.json")
    assert list(metrics) == METRICS
    counted = {split: part["texts"] for split, part in metrics["cut"].items()}
    assert counted == {"train": 80, "valid": 14, "test": 20}
    valid = history[history["split"] == "valid"].set_index("epoch")["accuracy"]
    assert metrics["best_epoch"] == valid.idxmax()
    assert metrics["valid_accuracy"] == valid.max()
    right = (predictions["label"] == predictions["prediction"]).mean()
    assert metrics["test_accuracy"] == pytest.approx(right)
    assert right > 0.6  # the texts are easy; a model that learnt nothing would check little
    assert metrics["updates"] == EPOCHS * 20
    assert {"python", "torch", metrics["engine"]} == set(metrics["versions"])
    expected = TRANSFORMERS_FILES if metrics["engine"] == "transformers" else ["model.pt"]
    for file in expected:
        assert (run / file if file == "model.pt" else run / "model" / file).stat().st_size
    assert not (run / "checkpoints").exists()


def test_seed_is_in_the_log_and_the_command(folder):
    log = folder / "logs/smoke/finetune_fairseq/fairseq-random/seed-1.log"
    text = log.read_text(encoding="utf-8")
    (command,) = (line for line in text.splitlines() if "launch fairseq-train" in line)
    assert "--seed 1 " in command and "--finetune-from-model" not in command
    log = folder / "logs/smoke/finetune_fairseq/fairseq-pretrained/seed-1.log"
    assert "pretrained/tiny/model.pt" in log.read_text(encoding="utf-8")


def test_conversion_was_checked(results):
    report = read_json(results / "pretrained" / "tiny" / "conversion.json")
    assert report["largest_logit_difference"] <= 1e-4
    assert report["texts_with_equal_ids"] == 80 + 14 + 20
    for file in TRANSFORMERS_FILES:
        assert (results / "pretrained" / "tiny" / "transformers" / file).is_file()


def test_tables(results):
    tables = {path.stem: pd.read_csv(path) for path in (results / "tables").glob("*.csv")}
    assert {"runs", "summary", "comparisons", "parameters", "costs"} <= set(tables)
    runs = tables["runs"]
    assert list(runs) == [field for field in METRICS if field not in ("versions", "cut")]
    assert list(zip(runs["experiment"], runs["seed"], strict=True)) == [LINEAR, *RUNS]
    summary = tables["summary"].set_index("experiment")
    assert list(tables["summary"]) == SUMMARY
    fixed, summary = summary.loc[["linear", "commonest-label"]], summary.iloc[1:-1]
    assert fixed["engine"].tolist() == ["linear", "none"] and (fixed["n"] == 1).all()
    assert fixed[["std", "ci_low", "ci_high"]].isna().all(axis=None)
    assert fixed.loc["commonest-label", "mean"] == 0.5
    assert set(summary["engine"]) == {"fairseq", "transformers"}
    assert (summary["n"] == 2).all()
    by_experiment = runs.iloc[1:].groupby("experiment")["test_accuracy"]
    pd.testing.assert_series_equal(summary["mean"], by_experiment.mean(), check_names=False)
    pd.testing.assert_series_equal(summary["std"], by_experiment.std(ddof=0), check_names=False)
    comparisons = tables["comparisons"]
    assert len(comparisons) == 3 + 3 and (comparisons["seeds"] == 2).all()
    assert comparisons["experiment_a"].tolist().count("linear") == 3
    assert {"difference", "ci_low", "ci_high", "p_value", "test"} <= set(tables["comparisons"])
    assert list(tables["parameters"])[:5] == PARAMETERS
    costs = tables["costs"]
    assert {"rule", "run", "wall_seconds", "cpu_seconds", "peak_mib"} <= set(costs)
    trained = costs[costs["rule"].str.startswith("finetune_") & (costs["rule"] != "finetune_lora")]
    assert set(trained["run"]) == {f"{experiment}/seed-{seed}" for experiment, seed in RUNS}
    linear = costs[costs["rule"] == "train_linear"]
    assert linear["run"].tolist() == ["linear/seed-0"] and (linear["tokens_per_second"] > 0).all()


def test_figures_and_reports(results):
    names = ("training-fairseq", "training-transformers", "accuracy", "lora-loss")
    for name in (*names, "confusion-reviews", "calibration-reviews"):
        assert (results / "figures" / f"{name}.svg").read_bytes().startswith(b"<?xml")
        assert (results / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert (results / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "results/smoke/report.pdf" in (results / "report.html").read_text(encoding="utf-8")


def test_lora_runs_are_there(results):
    for seed in (0, 1):
        run = results / "lora" / "questions" / f"seed-{seed}"
        assert (run / "adapter" / "adapter_model.safetensors").is_file()
        assert read_json(run / "metrics.json")["seed"] == seed


def test_second_run_has_nothing_to_do(folder):
    started = sum(os.times()[2:4])
    assert snakemake(folder, "--version")[0] == 0
    idle = sum(os.times()[2:4]) - started
    code, output = snakemake(folder)
    assert code == 0 and "Nothing to be done" in output
    # Of the processor time in which Snakemake says its version: 2.9 times were measured.
    assert sum(os.times()[2:4]) - started - idle < 6 * idle


def test_another_seed_runs_that_seed_and_what_follows(folder):
    write_study(folder, lambda config: config["seeds"].append(2))
    code, output = snakemake(folder, "--dry-run")
    write_study(folder)
    assert code == 0, output
    assert planned(output) == {
        "finetune_fairseq": 2,
        "finetune_transformers": 1,
        "finetune_lora": 1,
        "summarise_lora": 1,
    }
    assert "seed-2" in output
    assert "with seed 0" not in output and "with seed 1" not in output


def test_another_learning_rate_reruns_its_experiment_alone(folder):
    def change(config):
        config["experiments"]["fairseq-random"]["finetune"] = {"learning_rate": 2.0e-3}

    write_study(folder, change)
    code, output = snakemake(folder, "--dry-run")
    write_study(folder)
    assert code == 0, output
    assert planned(output) == {"finetune_fairseq": 2}
    assert job_counts(output)["plot_training"] == 1
    assert "Fine-tune fairseq-random with seed 0" in output
    assert "Fine-tune fairseq-random with seed 1" in output


def test_fairseq_run_exports_to_a_transformers_folder(folder, results):
    target = "results/smoke/runs/fairseq-pretrained/seed-0/model/config.json"
    code, output = snakemake(folder, target)
    assert code == 0, output
    assert job_counts(output) == {"export_run": 1}
    model = AutoModelForSequenceClassification.from_pretrained(folder / target[:-12])
    tokenizer = AutoTokenizer.from_pretrained(folder / target[:-12])
    predictions = pd.read_csv(results / "runs/fairseq-pretrained/seed-0/predictions.csv")
    texts = [record["text"] for record in read_records(results / "data/reviews/test.jsonl")]
    for text, label in zip(texts[:5], predictions["prediction"], strict=False):
        logits = model(**tokenizer(text, truncation=True, return_tensors="pt")).logits
        assert model.config.id2label[int(logits.argmax())] == label


def test_adapter_merges_where_no_environment_is_active(folder):
    target = "results/smoke/lora/questions/seed-0/merged"
    code, output = snakemake(folder, target)
    assert code == 0, output
    assert (folder / target / "model.safetensors").is_file()


def verify(folder):
    command = [sys.executable, ROOT / "scripts" / "verify_study.py"]
    command += ["--configfile", "study.yaml", "--cores", "1"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_one_seed_of_each_experiment_comes_back_bit_for_bit(folder, results):
    done = verify(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if "seed-0: " in line]
    assert len(lines) == 5
    assert all(": identical: history.csv " in line for line in lines), lines
    assert not (folder / "results" / "smoke-verify").exists()
    # Other seeds differ, so the comparison can fail.
    files = [results / f"runs/fairseq-random/seed-{n}/predictions.csv" for n in (0, 1)]
    assert files[0].read_bytes() != files[1].read_bytes()
