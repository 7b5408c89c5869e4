"""A study that searches, with real trainings: what a candidate reads, who wins, what reruns."""

import json
import os
import re

import pandas as pd
import pytest
import yaml

from support.smoke_study import job_counts, snakemake, write_study

RESULTS = "results/smoke"
EXPERIMENTS = ["linear", "fairseq-random", "transformers-random"]
TARGETS = [f"{RESULTS}/tables/search.html", f"{RESULTS}/tables/summary.csv"]
TARGETS += [f"{RESULTS}/figures/search.svg"]
CANDIDATES = [f"{RESULTS}/search/{experiment}/chosen.json" for experiment in EXPERIMENTS]
RUN_RULES = {"finetune_fairseq", "finetune_transformers", "train_linear"}


def searching(config):
    """Search the learning rates of both engines and the C of the linear one."""
    del config["lora"]
    experiments = config["experiments"]
    random = experiments["fairseq-random"]
    config["experiments"] = {
        "linear": experiments["linear"]
        | {"search": {"over": {"C": {"from": 0.001, "to": 100, "scale": "log"}}, "budget": 2}},
        "fairseq-random": random,
        "transformers-random": random | {"engine": "transformers"},
    }
    # The first learns nothing.
    config["finetune"] |= {"search": {"over": {"learning_rate": [1.0e-9, 3.0e-3]}}}


def test_files(folder):
    """Return the files of the test split that a run reads."""
    data, binarized = folder / RESULTS / "data", folder / RESULTS / "binarized"
    return [*data.glob("*/test.jsonl"), *binarized.rglob("test.bin"), *binarized.rglob("test.idx")]


test_files.__test__ = False


def overwrite(path, content):
    """Write a file as if nothing had happened: it stays as old as it was."""
    times = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def executed(output):
    """Return the rules whose jobs ran, from Snakemake's lines on each."""
    return re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", output)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, searching)
    parts = [f"{RESULTS}/binarized/tiny/reviews/{part}/test.bin" for part in ("input0", "label")]
    code, output = snakemake(folder, *parts, cores=2)
    assert code == 0, output
    return folder


def test_candidates_read_no_test_split_and_the_best_one_wins(folder):
    kept = {path: path.read_bytes() for path in test_files(folder)}
    assert {path.name for path in kept} == {"test.jsonl", "test.bin", "test.idx"}
    for path in kept:
        overwrite(path, b"no test split")  # whoever reads it stops
    code, output = snakemake(folder, *CANDIDATES, cores=2)
    assert code == 0, output
    for path, content in kept.items():
        overwrite(path, content)
    for experiment in EXPERIMENTS:
        search = folder / RESULTS / "search" / experiment
        found = {}
        for path in search.glob("candidate-*/metrics.json"):
            metrics = json.loads(path.read_text())
            assert not [key for key in metrics if key.startswith("test")]
            found[path.parent.name.removeprefix("candidate-")] = metrics["valid_accuracy"]
            assert {file.name for file in path.parent.iterdir()} == {"metrics.json", "history.csv"}
        chosen = json.loads((search / "chosen.json").read_text())
        assert found[chosen["candidate"]] == max(found.values()) and len(found) == 2
    assert chosen["values"] == {"learning_rate": 3.0e-3}


def test_the_winner_runs_over_the_seeds_and_stands_in_the_tables(folder):
    code, output = snakemake(folder, *TARGETS, cores=2)
    assert code == 0, output
    assert not {rule for rule in executed(output) if rule.startswith("search")}
    for seed in (0, 1):
        run = folder / RESULTS / f"runs/transformers-random/seed-{seed}"
        history = pd.read_csv(run / "history.csv")
        if seed == 0:  # the candidate was the same training, but for the test split
            (candidate,) = (
                path.parent
                for path in (folder / RESULTS / "search/transformers-random").rglob("metrics.json")
                if json.loads(path.read_text())["config_sha256"]
                == json.loads((run / "metrics.json").read_text())["config_sha256"]
            )
            assert history.equals(pd.read_csv(candidate / "history.csv"))
        assert history.query("split == 'train'")["loss"].iloc[-1] < 0.69
    search = pd.read_csv(folder / RESULTS / "tables/search.csv")
    assert len(search) == 6 and search["chosen"].sum() == 3
    summary = pd.read_csv(folder / RESULTS / "tables/summary.csv").set_index("experiment")
    assert summary["candidates"].to_dict() == {
        "linear": 4, "fairseq-random": 2, "transformers-random": 2, "commonest-label": 1,
    }  # fmt: skip


def test_a_second_call_does_nothing(folder):
    code, output = snakemake(folder, *TARGETS)
    assert code == 0 and "Nothing to be done" in output


def test_a_new_candidate_runs_alone_and_so_does_a_new_seed(folder):
    path = folder / "study.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["finetune"]["search"]["over"]["learning_rate"].append(2.0e-9)
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    code, output = snakemake(folder, *TARGETS, cores=2)
    assert code == 0, output
    ran = executed(output)
    assert sorted(rule for rule in ran if rule.startswith("search")) == [
        "search_fairseq",
        "search_transformers",
    ]
    assert not RUN_RULES & set(ran)  # it did not win
    assert len(pd.read_csv(folder / RESULTS / "tables/search.csv")) == 8
    config["seeds"].append(max(config["seeds"]) + 1)
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    code, output = snakemake(folder, "--dry-run", *TARGETS)
    planned = job_counts(output)
    assert not {rule for rule in planned if rule.startswith(("search", "choose"))}
    assert planned["finetune_fairseq"] == planned["finetune_transformers"] == 1
