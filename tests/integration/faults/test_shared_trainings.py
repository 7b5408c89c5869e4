"""A training in two processes, ended in its midst: both end, and the next call goes on."""

import functools
import os
import re
import signal
import time
from pathlib import Path

import pytest

import finetune_fairseq
import finetune_lora
import finetune_transformers
from seedwise.machine import distributed
from support import processes
from support.tiny.bloom import run_settings, write_base, write_questions
from support.tiny.chain import make_run
from support.trained import at_update, same_results

KILLED_AT = 6  # of ten updates an epoch
STOPPED_AT = 3  # no checkpoint is due after the two updates that follow
FILES = {
    "fairseq": ("history.csv", "predictions.csv", "model.pt"),
    "transformers": ("history.csv", "predictions.csv", "model/model.safetensors"),
    "lora": ("history.csv", "generations.jsonl", "adapter/adapter_model.safetensors"),
}


def train(engine, chain, folder, **changes):
    changes = {"checkpoint_updates": 3, "processes": 2} | changes
    if engine == "lora":
        train_adapter(folder, **changes)
        return
    run = make_run(chain, engine, epochs=2, **changes)
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


def train_adapter(folder, **changes):
    made = folder.parent / f"made-{folder.name}"
    finetune_lora.main(
        base=write_base(made / "base"),
        splits=write_questions(made),
        settings=run_settings(batch_size=2, updates=20, eval_updates=7, **changes),
        seed=0,
        adapter=folder / "adapter",
        history=folder / "history.csv",
        parameters=folder / "parameters.csv",
        generations=folder / "generations.jsonl",
        metrics=folder / "metrics.json",
    )


def children(process):
    """Return the process ids of the processes that ``process`` started."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(number) for task in tasks for number in task.read_text().split()]


def alive(process):
    status = Path(f"/proc/{process}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


@pytest.fixture(scope="module")
def undisturbed(chain, tmp_path_factory):
    """The folder of an engine's training that nothing happened to."""

    @functools.cache
    def folder(engine):
        whole = tmp_path_factory.mktemp(engine)
        code, text = processes.run(lambda: train(engine, chain, whole), whole / "log")
        assert code == 0, text
        return whole

    return folder


@pytest.mark.parametrize("engine", FILES)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_both_end_and_the_next_call_goes_on(chain, undisturbed, tmp_path, engine, number):
    ended = tmp_path / "ended"
    log = tmp_path / "ended.log"

    def the_second_epoch_is_under_way():
        return list(ended.glob("checkpoints/*/checkpoint[-_]*15*"))  # of 20 updates

    with processes.started(
        lambda: train(engine, chain, ended), log, ready=the_second_epoch_is_under_way
    ) as first:
        workers = children(first)
        assert len(workers) == 2
        os.kill(first, number)
        code = processes.wait(first)
        assert code == (-number if number == signal.SIGKILL else 128 + number)
    deadline = time.monotonic() + 15
    while any(map(alive, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    code, text = processes.run(lambda: train(engine, chain, ended), log)
    assert code == 0 and "going on from" in text
    same_results(FILES[engine], ended, undisturbed(engine))


@pytest.mark.parametrize("engine", FILES)
@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_to_one_has_both_save_after_the_same_update(
    chain, undisturbed, tmp_path, engine, rank
):
    def stop():
        if distributed.rank() == rank:
            os.kill(os.getpid(), signal.SIGTERM)  # one of the two alone

    log = tmp_path / "log"
    code, text = processes.run(
        lambda: train(engine, chain, tmp_path), log, functools.partial(at_update, STOPPED_AT, stop)
    )
    assert code == 143, text
    code, text = processes.run(lambda: train(engine, chain, tmp_path), log)
    assert code == 0, text
    (reached,) = set(re.findall(r"going on from .*(?:checkpoint-|after )(\d+)", text))
    # Seen before the update that followed, it had all save after the one after that.
    assert int(reached) == STOPPED_AT + 2
    same_results(FILES[engine], tmp_path, undisturbed(engine))


@pytest.mark.parametrize("engine", FILES)
@pytest.mark.parametrize("number", [1, 2])
def test_by_the_clock_here_after_every_update(chain, tmp_path, engine, number):
    every_update = {"checkpoint_updates": 0, "checkpoint_minutes": 1e-9, "processes": number}

    def run(folder, sabotage=lambda: None):
        return processes.run(
            lambda: train(engine, chain, folder, **every_update), folder / "log", sabotage
        )

    code, log = run(tmp_path / "killed", functools.partial(at_update, KILLED_AT, processes.die))
    assert code, log
    code, log = run(tmp_path / "killed")
    assert code == 0, log
    (reached,) = set(re.findall(r"going on from .*(?:checkpoint-|after )(\d+)", log))
    # One process saves after every update; two after the one that follows that in which it is due.
    assert KILLED_AT - int(reached) in range(1, number + 1)
    assert run(tmp_path / "whole")[0] == 0
    same_results(FILES[engine], tmp_path / "killed", tmp_path / "whole")
