"""SIGTERM and SIGINT stop a training within seconds, and it says how to go on."""

import os
import signal
import time

import processes
import pytest
from trained import same_results

SECONDS = 15


@pytest.mark.parametrize("name", ["fairseq", "transformers"])
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


def test_a_library_that_swallows_the_end_cannot_keep_a_job_alive(tmp_path):
    from seedwise import scratch

    def main():
        with scratch.stopping_on_signals():
            (tmp_path / "ready").touch()
            while True:
                try:
                    time.sleep(60)
                except SystemExit:
                    continue

    def sabotage():
        scratch.SECONDS_TO_STOP = 1

    log = tmp_path / "log"
    child = processes.start(main, log, sabotage)
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGTERM)
    assert processes.wait(child) == -signal.SIGALRM
