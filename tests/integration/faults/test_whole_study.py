"""What goes wrong around a whole study: stopped calls, changed, lost and misdated files."""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from support import ROOT
from support.local_server import local_server
from support.smoke_study import snakemake, write_study
from support.trained import same_results

RUN = Path("results/smoke/runs/fairseq-random/seed-0")
FILES = ("history.csv", "predictions.csv", "model.pt")
TABLES = [Path("results/smoke/tables") / name for name in ("summary.csv", "comparisons.csv")]
TARGETS = [*TABLES, RUN / "predictions.csv"]
TRAIN = Path("results/smoke/data/reviews/train.jsonl")
BINARIZED = Path("results/smoke/binarized/tiny/reviews/input0/train.bin")
SECONDS = 15


def change(config):
    """Leave one short run."""
    del config["lora"]
    config["seeds"] = [0]
    config["experiments"] = {"fairseq-random": config["experiments"]["fairseq-random"]}
    config["finetune"] |= {"epochs": 10, "checkpoint_updates": 7}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    write_study(folder, change)
    code, output = snakemake(folder, *TARGETS)
    assert code == 0, output
    return folder


@pytest.fixture
def folder(undisturbed, tmp_path):
    """A copy of the finished study."""
    shutil.copytree(undisturbed, tmp_path / "study")
    return tmp_path / "study"


def same(folder, undisturbed):
    """Fail where a result differs from that of the undisturbed study."""
    same_results(FILES, folder / RUN, undisturbed / RUN)
    for table in TABLES:
        assert (folder / table).read_bytes() == (undisturbed / table).read_bytes()


def swap_labels(path):
    text = path.read_text()
    path.write_text(text.replace("negative", "?").replace("positive", "negative"))


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def change_prediction(path):
    """Another class in the first row; which texts a run errs on hangs on the processor."""
    header, first, *others = path.read_text().splitlines(keepends=True)
    name, label, prediction, *probabilities = first.split(",")
    other = {"negative": "positive", "positive": "negative"}[prediction]
    path.write_text("".join([header, ",".join([name, label, other, *probabilities]), *others]))


@pytest.mark.parametrize(
    ("path", "edit"),
    [(TRAIN, swap_labels), (BINARIZED, flip_a_bit), (RUN / "predictions.csv", change_prediction)],
    ids=["a split", "binarized texts", "predictions"],
)
def test_a_file_changed_by_hand(undisturbed, folder, path, edit):
    edit(folder / path)
    assert (folder / path).read_bytes() != (undisturbed / path).read_bytes()
    code, output = snakemake(folder, *TARGETS)
    assert code == 1
    assert f"{path}: changed since the study wrote it; delete it, and the next call" in output
    assert "Traceback" not in output
    (folder / path).unlink()
    code, output = snakemake(folder, *TARGETS)
    assert code == 0, output
    same(folder, undisturbed)


def test_lost_files(undisturbed, folder):
    shutil.rmtree(folder / BINARIZED.parents[2])
    (folder / TRAIN).unlink()
    code, output = snakemake(folder, *TARGETS)
    assert code == 0 and "Nothing to be done" in output  # nobody needs them any more
    (folder / RUN / "predictions.csv").unlink()
    code, output = snakemake(folder, *TARGETS)
    assert code == 0, output
    assert (folder / BINARIZED).read_bytes() == (undisturbed / BINARIZED).read_bytes()
    same(folder, undisturbed)


def test_a_clock_set_back(undisturbed, folder):
    tomorrow = time.time() + 86400
    for path in (TRAIN, BINARIZED):
        os.utime(folder / path, (tomorrow, tomorrow))
    code, output = snakemake(folder, *TARGETS)
    assert code == 0, output
    same(folder, undisturbed)


def start(folder, *arguments, study="study.yaml"):
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    return subprocess.Popen(
        [*command, "--configfile", study, "--cores", "1", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_call_stopped_during_a_training(undisturbed, folder, number):
    for lost in (RUN, TABLES[0].parent):
        shutil.rmtree(folder / lost)
    call = start(folder, *TARGETS)
    while not list((folder / RUN).glob("checkpoints/*/checkpoint_*_*.pt")):
        assert call.poll() is None, call.stdout.read()
        time.sleep(0.01)
    sent = time.monotonic()
    os.killpg(call.pid, number)  # as Ctrl-C does, or a service that ends: to all of the call
    output, _ = call.communicate()
    assert time.monotonic() - sent < SECONDS
    assert call.returncode not in (0, None)
    assert f"stopped by {number.name}; the checkpoints are kept, and the next call" in output
    assert not (folder / RUN / "metrics.json").exists()
    code, output = snakemake(folder, *TARGETS)
    assert code == 0, output
    log = folder / "logs/smoke/finetune_fairseq/fairseq-random/seed-0.log"
    assert "going on from" in log.read_text()
    same(folder, undisturbed)


def test_two_studies_share_a_download(tmp_path):
    with local_server() as server:
        server.files["/reviews.csv"] = (ROOT / "tests/data/smoke/reviews.csv").read_bytes()

        def study(config, name):
            change(config)
            config["study"] = name
            config["datasets"]["reviews"]["source"] = {"url": f"{server.url}/reviews.csv"}
            del config["datasets"]["reviews"]["unlabelled"]

        names = ("one", "other")
        for name in names:
            path = write_study(tmp_path, partial(study, name=name))
            path.rename(tmp_path / f"{name}.yaml")
        first = start(tmp_path, "--until", "download_source", study="one.yaml")
        output, _ = first.communicate()
        assert first.returncode == 0, output
        calls = [
            start(tmp_path, f"results/{name}/data/reviews/train.jsonl", study=f"{name}.yaml")
            for name in names
        ]
        for call in calls:
            output, _ = call.communicate()
            assert call.returncode == 0, output
        assert [path for path, _ in server.requests].count("/reviews.csv") == 1
    one, other = (tmp_path / f"results/{name}/data/reviews/train.jsonl" for name in names)
    assert one.read_bytes() == other.read_bytes()
