"""Checkpoints that a crash or the clock has spoilt: set aside, or told by number, not by time."""

import os

import pytest

from support import processes
from support.trained import same_results

NAMES = ("fairseq", "transformers", "lora")


def files_of_the_newest(folder):
    """Return the files of the last checkpoint: fairseq's is one, transformers' a folder."""
    if (folder / "checkpoint_last.pt").exists():
        return [folder / "checkpoint_last.pt"]
    newest = max(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    return [path for path in newest.iterdir() if path.is_file()]


def tear(folder):
    largest = max(files_of_the_newest(folder), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])


def set_the_clock_back(folder):
    """Let the newer checkpoints look older than those before them."""
    paths = sorted(folder.rglob("*"), key=lambda path: path.stat().st_mtime_ns)
    for number, path in enumerate(paths):
        os.utime(path, (1e9 - number, 1e9 - number))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spoil", [tear, set_the_clock_back])
def test_a_training_goes_on_to_the_same_bits(trainings, undisturbed, tmp_path, name, spoil):
    training = trainings[name]
    code, log = processes.run(
        lambda: training.main(tmp_path),
        tmp_path / "log",
        lambda: setattr(*training.last_step, processes.die),
    )
    assert code == -9, log
    (folder,) = (tmp_path / "checkpoints").iterdir()
    spoil(folder)
    code, log = processes.run(lambda: training.main(tmp_path), tmp_path / "log")
    assert code == 0, log
    assert ("set aside" in log) == (spoil is tear)
    assert "going on from" in log
    same_results(training.files, tmp_path, undisturbed[name])
