import itertools
import os
import re
import signal
import time

import pytest

from seedwise.errors import UserError
from seedwise.machine import device, gpus
from support import processes

SETTINGS = {"device": "auto", "precision": "float32", "threads": 1}


@pytest.fixture
def start(alone, tmp_path):
    """Start a training that takes its GPU as all do and computes until it is killed."""
    started, numbers = [], itertools.count()

    def train():
        device.prepare(SETTINGS)
        time.sleep(60)

    def start():
        log = tmp_path / f"{next(numbers)}.log"
        started.append(processes.start(train, log))
        return started[-1], log

    yield start
    for process in started:
        os.kill(process, signal.SIGKILL)
        processes.wait(process)


def told(log, pattern):
    """Return what a training's log says, once it does."""
    deadline = time.monotonic() + 30
    while not (log.exists() and (found := re.search(pattern, log.read_text()))):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found[1]


def test_jobs_at_once_never_share_a_gpu(start, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    (first, log), (_, other_log) = start(), start()
    given = told(log, r"computing on GPU (.+)")
    assert {given, told(other_log, r"computing on GPU (.+)")} == {"3", "5"}
    _, log = start()
    assert told(log, "waiting: other jobs compute on GPU (.+)") == "3, 5"
    os.kill(first, signal.SIGKILL)
    assert told(log, "computing on GPU (.+)") == given


def test_the_gpu_of_a_job_that_ended_well_is_free(alone, tmp_path):
    for number in range(2):
        log = tmp_path / f"{number}.log"
        assert processes.run(lambda: device.prepare(SETTINGS), log)[0] == 0
        assert told(log, "computing on GPU (.+)") == "GPU-8a"


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """This process as one that holds no GPU, and none outside this test."""
    monkeypatch.setattr(gpus, "_held", held := [])
    monkeypatch.setattr(gpus.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8a,MIG-1/2,1")
    yield
    for lock in held:
        lock.release()


def test_several_gpus_are_taken_together(alone):
    assert gpus.claim(2) == ["GPU-8a", "MIG-1/2"]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-8a,MIG-1/2"
    assert gpus.claim(2) == ["GPU-8a", "MIG-1/2"]


def test_more_than_there_are_is_one_message(alone):
    with pytest.raises(UserError, match=r"^processes: 4 need a GPU each, but 3 are visible"):
        gpus.claim(4)


def test_too_few_free_ones_are_left_to_others(alone):
    devices = gpus.visible()
    assert len(gpus._take(1, devices)) == 1
    assert gpus._take(3, devices) == []
    assert len(gpus._take(2, devices)) == 2


def test_jobs_of_slurm_have_devices_of_their_own(alone, monkeypatch):
    assert gpus.claim() == ["GPU-8a"]
    assert gpus._take(1, ["GPU-8a"]) == []
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    assert gpus._take(1, ["GPU-8a"]) == ["GPU-8a"]


def test_no_gpu_is_visible_where_none_is_allowed(alone, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus.visible() == []
