"""The studies of `configs/` on published data, from files of the same layout behind a local hub.

What is overridden: addresses, sizes of splits and models, and how long is trained.
"""

import io
import json
import os
import subprocess
import sys
import tarfile

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
import yaml

from seedwise.files import read_json, read_jsonl
from support import ROOT
from support.local_server import local_server
from support.tiny.encoders import write_encoder

PAIRS = ("sentence1", "sentence2")
# Repository, folder, columns of the texts, and the names of the classes as the hub has them.
TABLES = {
    "paws-x": ("google-research-datasets/paws-x", "fr", PAIRS, ["0", "1"]),
    "xnli": (
        "facebook/xnli", "fr", ("premise", "hypothesis"), ["entailment", "neutral", "contradiction"]
    ),
    "sst2": ("nyu-mll/glue", "sst2", ("sentence",), ["negative", "positive"]),
    "mrpc": ("nyu-mll/glue", "mrpc", PAIRS, ["not_equivalent", "equivalent"]),
    "stsb": ("nyu-mll/glue", "stsb", PAIRS, ["score"]),
}  # fmt: skip
ENCODERS = {"almanach/camembert-base": "camembert", "FacebookAI/roberta-base": "roberta"}
ITEM = "<item><summary>{0}</summary><text>{0}</text><rating>{1}</rating></item>\n"
SHORT = {"epochs": 1, "device": "cpu"}


def config(name):
    return yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text(encoding="utf-8"))


def parquet(columns, names, split, secret):
    """Return a file as the hub has it: numbers, and the names of the classes beside them.

    Scores are numbers of four bytes, from 0 to 5.
    """
    count = {"train": 80, "validation": 30, "test": 30}[split]
    table = pd.DataFrame(
        {
            column: [f"{column} {n % 7} of {split} {n}, une phrase" for n in range(count)]
            for column in columns
        }
    ).assign(label=[-1 if secret else n % len(names) for n in range(count)], idx=range(count))
    if names == ["score"]:
        scores = [-1.0 if secret else n % 26 / 5 for n in range(count)]
        table["label"] = pd.array(scores, dtype="float32")
        names = None
    features = {"label": {"names": names, "_type": "ClassLabel"}}
    features = features if names else {"label": {"dtype": "float32", "_type": "Value"}}
    described = {"huggingface": json.dumps({"info": {"features": features}})}
    written = pyarrow.Table.from_pandas(table, preserve_index=False)
    stream = io.BytesIO()
    pyarrow.parquet.write_table(written.replace_schema_metadata(described), stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    files, commits = {}, {}
    for name in ("french-pairs", "glue"):
        for dataset in config(name)["datasets"].values():
            commits[dataset["source"]["hub"]] = dataset["source"]["revision"]
    for repository, place, columns, names in TABLES.values():
        for split in ("train", "validation", "test"):
            secret = repository == "nyu-mll/glue" and split == "test"
            path = f"{place}/{split}-00000-of-00001.parquet"
            content = parquet(columns, names, split, secret)
            files.setdefault(repository, {"README.md": b"# x"})[path] = content
    with local_server() as running:
        for repository, content in files.items():
            running.serve_repository(repository, "dataset", commits[repository], content)
        for repository, kind in ENCODERS.items():
            write_encoder(folder / kind, kind)
            content = {path.name: path.read_bytes() for path in (folder / kind).iterdir()}
            model = next(
                model["transformers_checkpoint"]["source"]["revision"]
                for name in ("french-pairs", "glue")
                for model in config(name)["models"].values()
                if model["transformers_checkpoint"]["source"]["hub"] == repository
            )
            commit = model if model != "main" else "e" * 40
            running.serve_repository(repository, "model", commit, content)
        yield running


def run(folder, server, study, *arguments):
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "2"]
    command += [*arguments, "--configfile", "study.yaml"]
    environment = {"PATH": os.defpath, "HOME": str(folder), "HF_ENDPOINT": server.url}
    environment |= {"HF_HOME": str(folder / "hub")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["french-pairs", "glue"])
def test_a_study_of_the_hub(tmp_path, server, name):
    study = config(name)
    study["seeds"] = [0]
    study["finetune"] |= SHORT
    for dataset in study["datasets"].values():
        if "splits" in dataset:
            dataset["splits"]["valid"] = 0.3
    for model in study["models"].values():
        model.pop("max_tokens")
    results = tmp_path / "results" / name
    run(tmp_path, server, study, f"results/{name}/report.html")
    runs = pd.read_csv(results / "tables/runs.csv")
    assert set(runs["experiment"]) == set(study["experiments"])
    ranks = pd.read_csv(results / "tables/ranks.csv")
    assert set(ranks["experiments"]) == {"linear", "fairseq", "transformers"}
    assert {f"mean_{key}" for key in study["datasets"]} <= set(ranks)
    assert (results / "tables/ranks.html").exists()
    for key in study["datasets"]:
        _, _, columns, names = TABLES[key]
        audit = read_json(results / f"data/{key}/audit.json")
        assert ("range" in audit) == (names == ["score"])
        assert audit["labels"] == names and audit["pairs"] == (len(columns) == 2)
        first = next(iter(read_jsonl(results / f"data/{key}/test.jsonl")))
        split = "validation" if name == "glue" else "test"
        assert f" of {split} " in first["text"] and ("text_pair" in first) == audit["pairs"]


def test_three_domains_of_one_archive(tmp_path, server):
    study = config("flue-cls")
    with tarfile.open(tmp_path / study["datasets"]["books"]["source"]["path"], "w:gz") as archive:
        for domain in ("books", "dvd", "music"):
            for split in ("train", "test", "unlabeled"):
                items = (
                    ITEM.format(f"{domain} {split} numéro {n}", 1 + 4 * (n % 2)) for n in range(60)
                )
                content = f"<items>\n{''.join(items)}</items>\n".encode()
                member = tarfile.TarInfo(f"cls-acl10-unprocessed/fr/{domain}/{split}.review")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    for dataset in study["datasets"].values():
        dataset["splits"]["valid"] = 0.3
    names = [name for name in study["experiments"] if name.endswith("-linear")]
    assert len(names) == len(study["datasets"]) == 3
    run(tmp_path, server, study, *(f"results/flue-cls/runs/{n}/seed-0/metrics.json" for n in names))
    for domain in study["datasets"]:
        (first, *_) = read_jsonl(tmp_path / f"results/flue-cls/data/{domain}/test.jsonl")
        assert first["text"].startswith(f"{domain} test") and first["label"] in (
            "negative", "positive",
        )  # fmt: skip
