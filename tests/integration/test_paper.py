"""configs/paper.yaml from downloads to reports, on archives of the study's layouts.

A local server holds them. Addresses and numbers of updates are overridden, and nothing else: the
checkpoints have the study's shapes, though not its weights.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile

import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoTokenizer

from seedwise.files import read_json
from seedwise.models.checkpoints import load_checkpoint
from seedwise.tokens.indexed import read_texts
from support import ROOT
from support.local_server import local_server
from support.published_models import (
    STUDY,
    convert,
    import_from,
    write_fairseq_checkpoint,
    write_own_tokenizer,
    write_transformers_folder,
)
from support.small_texts import RECORDS
from support.tiny.bloom import write_base

CONFIG = ROOT / "configs" / "paper.yaml"
COMMIT = "c" * 40
SEEDS = (0, 1, 2)
UPDATES = {
    "finetune": {"epochs": 1},
    "lora": {"experiments": {"ecommerce-faq": {"updates": 4}}},
}


def packed(files):
    """Return a zip archive as macOS makes it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
            folder, _, file = name.partition("/")
            archive.writestr(f"__MACOSX/{folder}/._{file}", b"\0\5\26\7Mac OS X")
    return stream.getvalue()


def folder_files(folder, prefix=""):
    return {f"{prefix}{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}


def reviews():
    """Return CLS-Books' files: a review or a label a line."""
    files = {}
    for split, first, last in (("train", 0, 64), ("valid", 64, 96), ("test", 96, 128)):
        records = RECORDS[first:last]
        labels = ("1" if record["label"] == "positive" else "0" for record in records)
        files[f"cls.books/{split}.review"] = "".join(f"{r['text']}\n" for r in records).encode()
        files[f"cls.books/{split}.label"] = "".join(f"{label}\n" for label in labels).encode()
    return files


def questions():
    """Return as many questions as the study's splits need, and some for training."""
    pairs = [
        {"question": f"Où est ma commande n° {n} ?", "answer": f"Chez le libraire {n % 7}."}
        for n in range(40)
    ]
    return json.dumps({"questions": pairs}, ensure_ascii=False).encode()


@pytest.fixture(scope="module")
def fairseq(tmp_path_factory):
    return write_fairseq_checkpoint(tmp_path_factory.mktemp("f") / "RoBERTa_small_fr", STUDY)


@pytest.fixture(scope="module")
def transformers(fairseq, tmp_path_factory):
    """The study's transformers folder, with old-fashioned weights and a tokenizer of its own."""
    folder = tmp_path_factory.mktemp("t") / "RoBERTa_small_fr_HuggingFace"
    write_transformers_folder(fairseq, folder, STUDY)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    for path in folder.iterdir():
        if path.name not in ("config.json", "pytorch_model.bin"):
            path.unlink()
    write_own_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def server(fairseq, transformers, tmp_path_factory):
    with local_server() as running:
        for folder in (fairseq, transformers):
            archive = packed(folder_files(folder, f"{folder.name}/"))
            running.files[f"/{folder.name}.zip"] = archive
        running.files["/cls.books.zip"] = packed(reviews())
        bloom = folder_files(write_base(tmp_path_factory.mktemp("bloom") / "bloom"))
        running.serve_repository("bigscience/bloom-560m", "model", COMMIT, bloom)
        faq = {"ecommerce-faq-fr.json": questions(), "README.md": b"# Tutoriel"}
        running.serve_repository("OpenLLM-France/Tutoriel", "dataset", COMMIT, faq)
        yield running


def overrides(address):
    """Return the study's addresses with this server's in their place, and fewer updates."""

    def moved(located):
        return {"source": {"url": f"{address}/{located['source']['url'].rsplit('/', 1)[1]}"}}

    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    model = config["models"]["roberta-small"]
    keys = ("fairseq_checkpoint", "transformers_checkpoint")
    return UPDATES | {
        "datasets": {"cls-books": moved(config["datasets"]["cls-books"])},
        "models": {"roberta-small": {key: moved(model[key]) for key in keys}},
    }


def snakemake(folder, address, *arguments):
    (folder / "overrides.yaml").write_text(yaml.safe_dump(overrides(address)))
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "2"]
    command += ["--configfile", CONFIG, folder / "overrides.yaml", *arguments]
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "HF_ENDPOINT": address,
        "HF_HOME": str(folder / "hub"),
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(server, tmp_path_factory):
    """A working directory in which the study has run."""
    folder = tmp_path_factory.mktemp("study")
    code, output = snakemake(folder, server.url)
    assert code == 0, output
    yield folder
    shutil.rmtree(folder)  # gigabytes of models


@pytest.fixture(scope="module")
def results(folder):
    return folder / "results" / "paper"


def test_every_result_is_there(results):
    for name in ("report.pdf", "report.html", "figures/accuracy.svg", "tables/comparisons.csv"):
        assert (results / name).stat().st_size > 0
    runs = pd.read_csv(results / "tables" / "runs.csv")
    assert len(runs) == 3 * len(SEEDS) + 1  # the linear one
    assert set(runs.loc[runs["engine"] != "linear", "updates"]) == {64 // 8}
    assert len(list(results.glob("lora/ecommerce-faq/seed-*/metrics.json"))) == len(SEEDS)


def test_published_stands_beside_measured(results):
    summary = pd.read_csv(results / "tables" / "summary.csv").set_index("experiment")
    published = {
        "fairseq-pretrained": (0.8167, 0.0143),
        "fairseq-random": (0.6333, 0.0125),
        "transformers-pretrained": (0.8067, 0.0085),
    }
    for experiment, (mean, std) in published.items():
        assert summary.loc[experiment, "published_mean"] == mean
        assert summary.loc[experiment, "published_std"] == std
        assert 0 <= summary.loc[experiment, "mean"] <= 1


def test_parameters_of_the_study(results):
    table = pd.read_csv(results / "tables" / "parameters.csv").set_index("component")
    assert table.loc["total without biases and normalisation", "analytic"] == 22_807_552
    assert table.loc["total without the head", "counted_fairseq"] == 22_829_056


def test_downloads_are_recorded(folder, server):
    lock = read_json(folder / "sources.lock.json")
    assert [lock["model bigscience/bloom-560m@main"], len(lock)] == [COMMIT, 5]
    assert f"{server.url}/cls.books.zip" in lock


def test_both_engines_start_from_the_published_weights(results, fairseq):
    published = load_checkpoint(fairseq / "model.pt")["model"]
    folder = results / "pretrained" / "roberta-small"
    ours = load_checkpoint(folder / "model.pt")["model"]
    theirs = load_file(folder / "transformers" / "model.safetensors")
    words = published["encoder.sentence_encoder.embed_tokens.weight"]
    assert words.shape == (32000, 512)
    assert torch.equal(ours["encoder.sentence_encoder.embed_tokens.weight"], words)
    assert torch.equal(theirs["embeddings.word_embeddings.weight"], words)


def test_each_engine_keeps_its_own_tokenizer(results, transformers):
    text = RECORDS[0]["text"]
    theirs = AutoTokenizer.from_pretrained(transformers)(text)["input_ids"]
    run = results / "runs" / "transformers-pretrained" / "seed-0" / "model"
    assert AutoTokenizer.from_pretrained(run)(text)["input_ids"] == theirs
    ours = read_texts(results / "binarized/roberta-small/cls-books/input0/train")[0]
    assert len(ours) - 1 != len(theirs) - 2  # </s> alone; <s> and </s>


def test_nothing_is_left_to_do(folder, server):
    code, output = snakemake(folder, server.url, "--dry-run")
    assert code == 0
    assert "Nothing to be done" in output


def test_a_full_size_checkpoint_is_imported_and_converted(fairseq, tmp_path):
    import_from(fairseq, tmp_path, STUDY)
    report = convert(tmp_path, STUDY)
    assert report["largest_logit_difference"] < 1e-4
    assert report["texts_with_equal_ids"] == len(RECORDS)
