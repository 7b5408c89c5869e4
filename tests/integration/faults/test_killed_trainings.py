"""Each training, killed with `kill -9` at each moment, and called again: the same bits."""

import io
import os
import shutil
from pathlib import Path

import pytest
import torch
import transformers

from seedwise.environment import NODE_SCRATCH
from seedwise.machine import node_scratch
from support import processes
from support.trained import same_results

NAMES = ("fairseq", "transformers", "lora", "masked-lm", "causal-lm")


def write_half(value, file):
    """Write the first half of what `torch.save` would, and die."""
    buffer = io.BytesIO()
    torch.serialization.save(value, buffer)
    half = buffer.getbuffer()[: buffer.tell() // 2]
    if hasattr(file, "write"):
        file.write(half)
        file.flush()
    else:
        Path(file).write_bytes(half)
    processes.die()


def copy_half(source, target):
    """Copy the first half of a file, and die."""
    whole = Path(source).read_bytes()
    Path(target).write_bytes(whole[: len(whole) // 2])
    processes.die()


def before_the_first_checkpoint(training):
    torch.save = processes.die  # fairseq's way
    transformers.Trainer.save_model = processes.die


def while_one_is_written(training):
    original = torch.save
    torch.serialization.save = original
    torch.save = processes.at_call(training.write, original, write_half)


def while_one_is_copied(training):
    shutil.copyfile = processes.at_call(training.copy, shutil.copyfile, copy_half)


def after_the_last_epoch(training):
    setattr(*training.last_step, processes.die)


MOMENTS = (before_the_first_checkpoint, while_one_is_written, after_the_last_epoch)
CASES = [(name, moment) for name in NAMES for moment in MOMENTS]
CASES += [(name, while_one_is_copied) for name in ("fairseq", "masked-lm")]
# What of an epoch is counted of scores comes back, too.
CASES += [(f"{name}-scores", while_one_is_written) for name in ("fairseq", "transformers")]


@pytest.mark.parametrize(("name", "moment"), CASES)
def test_a_killed_training_goes_on_to_the_same_bits(trainings, undisturbed, tmp_path, name, moment):
    training = trainings[name]
    code, log = processes.run(
        lambda: training.main(tmp_path), tmp_path / "log", lambda: moment(training)
    )
    assert code == -9, log
    assert not (tmp_path / "metrics.json").exists()
    code, log = processes.run(lambda: training.main(tmp_path), tmp_path / "log")
    assert code == 0, log
    same_results(training.files, tmp_path, undisturbed[name])
    assert ("going on from" in log) == (moment is not before_the_first_checkpoint)
    assert ("set aside" in log) == (
        moment is while_one_is_copied
        or (moment is while_one_is_written and not name.startswith(("fairseq", "masked")))
    )
    assert not (tmp_path / "checkpoints").exists()


def before_one_is_moved(training):
    node_scratch.atomic = processes.at_call(2, node_scratch.atomic, processes.die)


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("moment", [while_one_is_written, before_one_is_moved])
@pytest.mark.parametrize("name", NAMES)
def test_checkpoints_on_the_nodes_own_disk(
    trainings, undisturbed, tmp_path, name, moment, elsewhere
):
    training = trainings[name]
    for node in ("first", "second"):
        (tmp_path / node).mkdir()

    def run(node, sabotage=lambda: None):
        def main():
            os.environ[NODE_SCRATCH] = str(tmp_path / node)
            training.main(tmp_path / "run")

        return processes.run(main, tmp_path / "log", sabotage)

    code, log = run("first", lambda: moment(training))
    assert code == -9, log
    assert any((tmp_path / "first").iterdir())
    if elsewhere:
        shutil.rmtree(tmp_path / "first")
    code, log = run("second" if elsewhere else "first")
    assert code == 0, log
    assert "going on from" in log
    same_results(training.files, tmp_path / "run", undisturbed[name])
    assert not any((tmp_path / "second").iterdir())
    assert not (tmp_path / "run/checkpoints").exists()
