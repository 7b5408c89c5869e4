"""A training in two processes, ended in its midst: both end, and the next call goes on."""

import os
import signal
import time
from pathlib import Path

import processes
import pytest
from tiny_chain import make_run
from trained import same_results

import finetune_fairseq
import finetune_transformers

FILES = {
    "fairseq": ("history.csv", "predictions.csv", "model.pt"),
    "transformers": ("history.csv", "predictions.csv", "model/model.safetensors"),
}


def train(engine, chain, folder):
    run = make_run(chain, engine, epochs=2, checkpoint_updates=3, processes=2)
    paths = {name: folder / f"{name}.csv" for name in ("history", "predictions")}
    paths["metrics"] = folder / "metrics.json"
    if engine == "fairseq":
        finetune_fairseq.main(
            run=run,
            binarized=chain.binarized,
            pretrained=None,
            model=folder / "model.pt",
            **paths,
        )
    else:
        finetune_transformers.main(
            run=run,
            start=None,
            tokenizer_files=[chain.tokens / n for n in ("sentencepiece.bpe.model", "dict.txt")],
            model=folder / "model",
            **paths,
        )


def children(process):
    """Return the process ids of the processes that ``process`` started."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(number) for task in tasks for number in task.read_text().split()]


def alive(process):
    status = Path(f"/proc/{process}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


@pytest.mark.parametrize(
    ("engine", "number"), [("fairseq", signal.SIGKILL), ("transformers", signal.SIGTERM)]
)
def test_both_end_and_the_next_call_goes_on(chain, tmp_path, engine, number):
    whole, ended = tmp_path / "whole", tmp_path / "ended"
    code, text = processes.run(lambda: train(engine, chain, whole), tmp_path / "log")
    assert code == 0, text
    log = tmp_path / "ended.log"

    def the_second_epoch_is_under_way():
        return list(ended.glob("checkpoints/*/checkpoint[-_]*15*"))  # of 20 updates

    with processes.started(
        lambda: train(engine, chain, ended), log, ready=the_second_epoch_is_under_way
    ) as first:
        workers = children(first)
        assert len(workers) == 2
        os.kill(first, number)
        processes.wait(first)
    deadline = time.monotonic() + 15
    while any(map(alive, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    code, text = processes.run(lambda: train(engine, chain, ended), log)
    assert code == 0 and "going on from" in text
    same_results(FILES[engine], ended, whole)
