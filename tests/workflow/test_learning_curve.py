"""Learning curves and drawn training texts, with real trainings of every engine."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from support.smoke_study import job_counts, snakemake, write_study

RESULTS = "results/smoke"
ENGINES = ["linear", "fairseq", "transformers"]
TARGETS = [f"{RESULTS}/tables/{name}.csv" for name in ("learning_curve", "summary")]
TARGETS += [f"{RESULTS}/figures/learning-curve-reviews.svg"]


def change(config):
    """Each engine with a curve."""
    del config["lora"]
    random = config["experiments"]["fairseq-random"] | {"train_texts": [20, 40, 80]}
    linear = config["experiments"]["linear"] | {"train_texts": [20, 40, 80]}
    config["experiments"] = {"linear": linear}
    config["experiments"] |= {engine: random | {"engine": engine} for engine in ENGINES[1:]}
    config["finetune"]["epochs"] = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, change)
    code, output = snakemake(folder, *TARGETS, cores=2)
    assert code == 0, output
    return folder


def metrics(folder, run):
    return json.loads((folder / RESULTS / "runs" / run / "metrics.json").read_text())


def test_a_curve_of_every_engine_and_seed(folder):
    table = pd.read_csv(folder / TARGETS[0])
    sizes = table.groupby(["experiment", "seed"], sort=False)["train_texts"].apply(list)
    assert set(sizes.index) == {("linear", 0)} | {(e, seed) for e in ENGINES[1:] for seed in (0, 1)}
    assert all(found == [20, 40, 80] for found in sizes)
    # Batches of 4, two epochs: with fewer texts there are fewer updates.
    for engine in ENGINES[1:]:
        assert metrics(folder, f"{engine}@20/seed-0")["updates"] == 2 * 5
        assert metrics(folder, f"{engine}/seed-0")["updates"] == 2 * 20
    # The tables of the study are about the experiments themselves.
    summary = pd.read_csv(folder / TARGETS[1])
    assert summary["experiment"].tolist() == [*ENGINES, "commonest-label"]
    assert summary["varied"].tolist()[:3] == ["nothing", "seed", "seed"]


def test_a_second_call_does_nothing_and_a_new_size_runs_alone(folder):
    code, output = snakemake(folder, *TARGETS)
    assert code == 0 and "Nothing to be done" in output
    config = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    config["experiments"]["fairseq"] |= {"train_texts": [20, 40, 60, 80]}
    (folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    code, output = snakemake(folder, "--dry-run", *TARGETS)
    planned = job_counts(output)
    assert planned["finetune_fairseq"] == 2
    assert not {"finetune_transformers", "train_linear"} & set(planned)


def test_more_texts_than_there_are_is_one_message(folder):
    config = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    config["experiments"]["linear"]["train_texts"] = [81]
    (folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    code, output = snakemake(folder, f"{RESULTS}/runs/linear@81/seed-0/metrics.json")
    assert code == 1 and "Traceback" not in output
    message = "experiments.linear.train_texts: 81, but the training split has 80 texts"
    assert message in output


def test_seeds_can_draw_their_training_texts_and_be_pretrained_anew(folder, tmp_path):
    def draw(config):
        change(config)
        config["vary"] = ["training_texts", "pretraining"]
        for experiment in config["experiments"].values():
            del experiment["train_texts"]
        for engine in ENGINES[1:]:
            config["experiments"][engine]["init"] = "pretrained"

    write_study(tmp_path, draw)
    code, output = snakemake(tmp_path, f"{RESULTS}/tables/summary.csv", cores=2)
    assert code == 0, output
    summary = pd.read_csv(tmp_path / RESULTS / "tables/summary.csv").set_index("experiment")
    assert summary["n"].tolist() == [2, 2, 2, 1]
    assert summary["varied"].tolist()[:3] == [
        "training texts", *2 * ["seed, pre-training, training texts"],
    ]  # fmt: skip
    assert np.isfinite(summary["ci_low"][ENGINES]).all()
    for engine in ENGINES:
        run = f"{engine}/seed-0"
        assert metrics(tmp_path, run)["train_texts"] == 80
        before, after = (
            pd.read_csv(place / RESULTS / "runs" / run / "predictions.csv")
            for place in (folder, tmp_path)
        )
        assert not before.equals(after)
    # One pre-training for each seed, which both engines start from; the runs of both are averaged.
    starts = [tmp_path / RESULTS / f"pretrained/tiny/seed-{seed}" for seed in (0, 1)]
    assert [json.loads((s / "metrics.json").read_text())["seed"] for s in starts] == [0, 1]
    for file in ("model.pt", "transformers/model.safetensors"):
        first, second = ((start / file).read_bytes() for start in starts)
        assert first != second
    assert not (starts[0].parent / "model.pt").exists()
    log = (tmp_path / "logs/smoke/finetune_fairseq/fairseq/seed-1.log").read_text()
    assert "pretrained/tiny/seed-1/model.pt" in log
    code, output = snakemake(tmp_path, f"{RESULTS}/report.pdf", cores=2)
    assert code == 0, output
    code, output = snakemake(tmp_path, f"{RESULTS}/report.pdf")
    assert code == 0 and "Nothing to be done" in output
