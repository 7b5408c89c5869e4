"""A study in which one text of twenty has the rare label, as where rare things are looked for."""

import csv
import random

import pandas as pd
import pytest

from support.smoke_study import snakemake, write_study

RESULTS = "results/smoke"
TARGETS = [f"{RESULTS}/tables/{name}.csv" for name in ("confusion", "summary", "comparisons")]
ENGINES = ["linear", "fairseq", "transformers"]
COMMON = ["the", "film", "was", "long", "had", "plot", "actors", "said", "their", "lines", "room"]
# Each is a sign of the rare label, but half of the texts with the common one have one, too.
SIGNS = ["refund", "broken", "missing", "late"]


def write_texts(path, texts=1200):
    """Write texts of which one in twenty is rare; its signs are twice as frequent in these."""
    rng = random.Random(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(texts):
            rare = number % 20 == 0
            words = rng.sample(COMMON, 6)
            words += rng.sample(SIGNS, 3) if rare else rng.sample(SIGNS, rng.choice([0, 0, 1, 2]))
            rng.shuffle(words)
            writer.writerow([" ".join([*words, f"no{number}"]), "rare" if rare else "common"])


def change(config):
    """Each engine with and without weights, chosen by macro F1."""
    del config["lora"]
    config["selection"] = "macro_f1"
    config["datasets"]["reviews"] |= {
        "file": "rare.csv",
        "labels": ["common", "rare"],
        "splits": {"valid": 0.2, "test": 0.3},
    }
    for key in ("zones", "unlabelled"):
        config["datasets"]["reviews"].pop(key)
    config["models"]["tiny"]["architecture"]["vocab_size"] = 120
    config["finetune"] |= {"epochs": 10, "batch_size": 16}
    linear = {"engine": "linear", "dataset": "reviews", "linear": {"C": [1], "features": ["words"]}}
    network = {"init": "random", "dataset": "reviews", "model": "tiny"}
    plain = {"linear": linear} | {e: network | {"engine": e} for e in ENGINES[1:]}
    weighted = {
        f"{name}-weighted": experiment
        | {key: experiment.get(key, {}) | {"class_weights": "balanced"}}
        for name, experiment in plain.items()
        for key in ["linear" if name == "linear" else "finetune"]
    }
    config["experiments"] = plain | weighted


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, change)
    write_texts(folder / "tests/data/smoke/rare.csv")
    code, output = snakemake(folder, *TARGETS, cores=2)
    assert code == 0, output
    return folder


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_find_more_of_the_rare_label(folder, engine):
    confusion = pd.read_csv(folder / RESULTS / "tables/confusion.csv")
    rare = confusion[confusion["label"] == "rare"]
    rare = rare.pivot(index="experiment", columns="prediction", values="texts")
    recall = rare["rare"] / rare.sum(axis=1)
    assert recall[f"{engine}-weighted"] > recall[engine] + 0.1
    summary = pd.read_csv(folder / RESULTS / "tables/summary.csv").set_index("experiment")
    # Always saying `common` is right for 19 of 20 texts, and worth half of macro F1.
    assert summary["mean"]["commonest-label"] > 0.93
    assert summary["macro_f1_mean"]["commonest-label"] < 0.5
    assert summary["macro_f1_mean"][f"{engine}-weighted"] > 0.5
