"""The rules of rules/data.smk, run by Snakemake on small sources."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from support import ROOT
from support.local_server import local_server

SNAKEFILE = """
from snakemake.utils import validate

configfile: "config.yaml"

include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/every.smk"

rule all:
    default_target: True
    input:
        expand("results/{s}/data/{d}/audit.json", s=config["study"], d=config["datasets"]),
"""
ROWS = "text,label\n" + "".join(f"text {n},{'yes' if n % 2 else 'no'}\n" for n in range(100))
SETTINGS = {
    "format": "table",
    "labels": ["no", "yes"],
    "splits": {"train": 20, "valid": 6, "test": 6},
}
LAYER = {"layers": 1, "embed_dim": 8, "ffn_dim": 8, "attention_heads": 1}


@pytest.fixture
def study(tmp_path):
    """A checkout with only the data rules, and a web server that has data.csv."""
    for folder in ("rules", "scripts", "envs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    with local_server() as server:
        server.files["/data.csv"] = ROWS.encode()
        yield tmp_path, server


def write_config(folder, **datasets):
    sizes = LAYER | {"max_positions": 8, "vocab_size": 64}
    first = next(iter(datasets))
    config = {
        "study": "s",
        "seeds": [0],
        "datasets": datasets,
        "models": {"m": {"architecture": sizes, "corpus": [first], "pretrain": {}}},
        "experiments": {
            "e": {"engine": "fairseq", "init": "random", "dataset": first, "model": "m"}
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def snakemake(folder, *arguments):
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def jobs(output):
    """Return the rules that run, from Snakemake's table of job counts."""
    return set(re.findall(r"^(\w+) +\d+$", output, re.MULTILINE)) - {"all", "total"}


def test_download_prepare_and_nothing_more_to_do(study):
    folder, server = study
    data = SETTINGS | {"source": {"url": f"{server.url}/data.csv"}}
    write_config(folder, web=data)
    code, output = snakemake(folder)
    assert code == 0, output
    audit = json.loads((folder / "results/s/data/web/audit.json").read_text())
    assert audit["splits"]["train"]["labels"] == {"no": 10, "yes": 10}
    lock = json.loads((folder / "sources.lock.json").read_text())
    assert lock == {f"{server.url}/data.csv": audit["source_sha256"]}
    assert "Nothing to be done" in snakemake(folder, "-n")[1]
    # Another seed of the drawing downloads nothing again; nor does a second data set.
    write_config(folder, web=data | {"split_seed": 1}, again=data)
    assert jobs(snakemake(folder, "-n")[1]) == {"prepare_dataset"}
    # The lock file is the user's word: a download that differs from it is not used.
    (folder / "sources.lock.json").write_text(json.dumps({f"{server.url}/data.csv": "0" * 64}))
    code, output = snakemake(folder, "-n")
    assert code == 1 and "sources.lock.json recorded 0000" in output
    assert "Traceback" not in output


def test_local_files_are_watched(study):
    folder, _ = study
    (folder / "mine").mkdir()
    (folder / "mine/data.csv").write_text(ROWS)
    data = SETTINGS | {"source": {"path": "mine"}, "file": "data.csv"}
    write_config(folder, local=data)
    code, output = snakemake(folder)
    assert code == 0, output
    assert "Nothing to be done" in snakemake(folder, "-n")[1]
    (folder / "mine/data.csv").write_text(ROWS + "one more,yes\n")
    assert jobs(snakemake(folder, "-n")[1]) == {"prepare_dataset"}
    (folder / "mine/data.csv").unlink()
    code, output = snakemake(folder, "-n")
    assert code == 1 and "datasets.local.source.path: mine/data.csv does not exist" in output
    assert "most recent call last" not in output


def test_a_hub_dataset_shared_by_two_studies(study, monkeypatch):
    folder, server = study
    server.serve_repository("owner/name", "dataset", "a" * 40, {"x/data.csv": ROWS.encode()})
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HOME", str(folder / "home"))
    source = {"hub": "owner/name", "revision": "main", "type": "dataset"}
    write_config(folder, hub=SETTINGS | {"source": source, "folder": "x", "file": "data.csv"})
    code, output = snakemake(folder)
    assert code == 0, output
    lock = json.loads((folder / "sources.lock.json").read_text())
    assert lock == {"dataset owner/name@main": "a" * 40}
    assert "Nothing to be done" in snakemake(folder, "-n")[1]
    code, output = snakemake(folder, "-n", "--config", "study=other")
    assert jobs(output) == {"prepare_dataset"}


def test_mistakes_are_one_message_before_any_job(study):
    folder, server = study
    data = SETTINGS | {"source": {"url": f"{server.url}/data.csv"}}
    write_config(folder, web=data | {"splits": {"valid": 4}})
    code, output = snakemake(folder, "-n")
    assert code == 1 and "datasets.web.splits: test is missing" in output
    write_config(folder, web=data | {"source": {"url": f"{server.url}/none.csv"}})
    code, output = snakemake(folder)
    assert code == 1 and "none.csv: the server answered 404" in output
    assert (
        not list((folder / "resources").rglob("*.csv")) and not (folder / "results/s/data").exists()
    )
    assert "Traceback" not in output
