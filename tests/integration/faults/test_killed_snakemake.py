"""Two calls at once, or one whose worker outlived Snakemake: there is never a second writer."""

import os
import signal
import subprocess
import sys
import time

import pytest

from support import ROOT
from support.trained import same_results

SNAKEFILE = """
rule train:
    output: "run/metrics.json"
    log: "train.log"
    script: "train.py"
"""
# What the scripts that train do, with a training that ends when it is told to.
SCRIPT = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "scripts")!r})
from pathlib import Path
from seedwise.files import write_text
from seedwise.log import log_to
from seedwise.machine.scratch import training_scratch
with log_to(snakemake.log[0]):
    output = Path(snakemake.output[0])
    with training_scratch(output.parent, "key") as scratch:
        done = scratch / "checkpoint"
        if not done.exists():
            done.write_text("half")
            for _ in range(2400):
                if Path("end").exists():
                    break
                time.sleep(0.05)
        write_text(output, done.read_text() + " and half")
"""


def start(folder, *arguments):
    command = [sys.executable, "-m", "snakemake", "--snakefile", folder / "Snakefile"]
    command += ["--profile", ROOT / "profiles/default", "--cores", "1", *arguments]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def first(tmp_path):
    """A call whose training is half done, in a folder with what an undisturbed one gave."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "end").touch()
    assert start(tmp_path).wait() == 0
    (tmp_path / "run").rename(tmp_path / "undisturbed")
    (tmp_path / "end").unlink()
    first = start(tmp_path)
    while not list(tmp_path.glob("run/checkpoints/*/checkpoint")):
        assert first.poll() is None, first.stdout.read()
        time.sleep(0.05)
    return first


def test_two_calls_at_once(first, tmp_path):
    said, _ = (second := start(tmp_path)).communicate()
    assert second.returncode == 1 and "Directory cannot be locked" in said
    (tmp_path / "end").touch()
    assert first.wait() == 0
    same_results(("metrics.json",), tmp_path / "run", tmp_path / "undisturbed")


def test_a_worker_left_behind_stays_the_only_writer(first, tmp_path):
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    said, _ = (second := start(tmp_path)).communicate()
    assert second.returncode == 1 and "Directory cannot be locked" in said
    assert start(tmp_path, "--unlock").wait() == 0
    said, _ = (third := start(tmp_path)).communicate()
    assert third.returncode == 1
    assert "another process trains this run at this moment (perhaps left over from a" in said
    (tmp_path / "end").touch()  # the worker left behind comes to its end
    while list(tmp_path.glob("run/checkpoints*")):
        time.sleep(0.05)
    assert start(tmp_path).wait() == 0
    same_results(("metrics.json",), tmp_path / "run", tmp_path / "undisturbed")
