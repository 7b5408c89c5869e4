"""SIGTERM and SIGINT stop a training within seconds, after a checkpoint; it says how to go on."""

import functools
import os
import re
import signal
import time

import pytest

from support import processes
from support.trained import at_update, same_results

NAMES = ("fairseq", "transformers", "lora", "masked-lm", "causal-lm")
SECONDS = 15
STOPPED_AT = 4  # no checkpoint is due after this update, neither by number nor at an epoch's end


def last_checkpoint(folder):
    """Return the updates of the newest checkpoint inside an epoch."""
    found = folder.glob("checkpoints/*/checkpoint[-_]*[0-9]*")
    return max((int(re.findall(r"\d+", path.name)[-1]) for path in found), default=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_training_says_how_to_go_on(
    trainings, undisturbed, tmp_path, name, number, expected
):
    training = trainings[name]
    log = tmp_path / "log"

    def a_second_checkpoint_begins():
        return list(tmp_path.glob("checkpoints/*/checkpoint*6*"))

    with processes.started(
        lambda: training.main(tmp_path), log, ready=a_second_checkpoint_begins
    ) as child:
        sent = time.monotonic()
        os.kill(child, number)
        assert processes.wait(child) == expected
        assert time.monotonic() - sent < SECONDS
    said = f"stopped by {number.name}; the checkpoints are kept, and the next call goes on"
    text = log.read_text(encoding="utf-8")
    assert said in text and "Traceback" not in text
    assert not (tmp_path / "metrics.json").exists()
    code, text = processes.run(lambda: training.main(tmp_path), log)
    assert code == 0 and "going on from" in text
    same_results(training.files, tmp_path, undisturbed[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_stopped_training_leaves_a_checkpoint_of_its_last_update(
    trainings, undisturbed, tmp_path, name
):
    training = trainings[name]

    def stop():
        os.kill(os.getpid(), signal.SIGTERM)

    log = tmp_path / "log"
    code, text = processes.run(
        lambda: training.main(tmp_path), log, functools.partial(at_update, STOPPED_AT, stop)
    )
    assert code == 143, text
    assert last_checkpoint(tmp_path) == STOPPED_AT
    code, text = processes.run(lambda: training.main(tmp_path), log)
    assert code == 0, text
    assert re.search(rf"going on from .*(checkpoint-|after ){STOPPED_AT}\b", text)
    same_results(training.files, tmp_path, undisturbed[name])


def test_a_library_that_swallows_the_end_cannot_keep_a_job_alive(tmp_path):
    from seedwise.machine import stopping

    def main():
        with stopping.stopping_on_signals():
            (tmp_path / "ready").touch()
            while True:
                try:
                    time.sleep(60)
                except SystemExit:
                    continue

    def sabotage():
        stopping.SECONDS_TO_STOP = 1

    log = tmp_path / "log"
    child = processes.start(main, log, sabotage)
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGTERM)
    assert processes.wait(child) == -signal.SIGALRM
