import logging
import os
from types import SimpleNamespace

import pytest

from seedwise.files import write_json
from seedwise.training.trainer_checkpoints import Checkpoints, is_whole, last_whole_checkpoint, seal

FILES = ("adapter_model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json")


def write_checkpoint(folder, update, best=None, name="checkpoint"):
    checkpoint = folder / f"{name}-{update}"
    checkpoint.mkdir()
    for file in FILES:
        (checkpoint / file).write_bytes(b"1234")
    write_json(checkpoint / "trainer_state.json", {"best_global_step": best})
    seal(checkpoint)
    return checkpoint


def test_newest_by_number_not_by_name(tmp_path):
    assert last_whole_checkpoint(tmp_path) is None
    for update in (80, 120, 9):
        write_checkpoint(tmp_path, update)
    assert last_whole_checkpoint(tmp_path).name == "checkpoint-120"


def remove(file):
    file.unlink()


def truncate(file):
    file.write_bytes(file.read_bytes()[:-2])


def flip_a_bit(file):
    body = file.read_bytes()
    file.write_bytes(bytes([body[0] ^ 1]) + body[1:])


@pytest.mark.parametrize("damage", [remove, truncate, flip_a_bit])
@pytest.mark.parametrize("name", [*FILES, "checksums.json"])
def test_a_torn_checkpoint_is_set_aside_for_the_one_before(tmp_path, name, damage, caplog):
    good, torn = write_checkpoint(tmp_path, 40), write_checkpoint(tmp_path, 80)
    damage(torn / name)
    assert last_whole_checkpoint(tmp_path) == good
    assert "checkpoint-80 is torn and set aside" in caplog.text
    assert (tmp_path / "torn-checkpoint-80").is_dir() and not torn.exists()
    # Once more at the same update, later.
    damage(write_checkpoint(tmp_path, 80) / name)
    assert last_whole_checkpoint(tmp_path) == good


def test_without_the_best_epochs_weights_training_goes_on_from_before_it(tmp_path):
    before = write_checkpoint(tmp_path, 5)
    best = write_checkpoint(tmp_path, 10, best=10)
    write_checkpoint(tmp_path, 20, best=10)
    assert last_whole_checkpoint(tmp_path).name == "checkpoint-20"
    truncate(best / FILES[0])
    assert last_whole_checkpoint(tmp_path) == before


def save(folder, callback, update, best):
    write_checkpoint(folder, update, best)
    # As if the clock had been set back.
    os.utime(folder / f"checkpoint-{update}", (1e9 - update, 1e9 - update))
    callback.on_save(
        SimpleNamespace(output_dir=folder),
        SimpleNamespace(global_step=update, best_global_step=best, is_world_process_zero=True),
        None,
    )


def test_the_two_newest_and_the_best_are_kept_whatever_the_clock(tmp_path):
    callback = Checkpoints()
    for update, best in ((2, 2), (4, 2), (6, 6), (8, 6), (10, 6)):
        save(tmp_path, callback, update, best)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint-10",
        "checkpoint-6",
        "checkpoint-8",
    ]
    assert is_whole(tmp_path / "checkpoint-10")


@pytest.mark.parametrize(
    ("interval", "asked"), [(0, []), (1, [1, 2, 4, 5]), (2, [2, 4]), (3, []), (100, [])]
)
def test_checkpoints_inside_epochs_but_not_at_their_ends(interval, asked):
    callback = Checkpoints(interval)
    saved = []
    for update in range(1, 7):
        control = SimpleNamespace(should_save=False)
        state = SimpleNamespace(global_step=update, is_world_process_zero=True)
        arguments = SimpleNamespace(save_strategy="epoch", output_dir="")
        callback.on_step_end(arguments, state, control, train_dataloader=range(3))
        saved += [update] * control.should_save
    assert saved == asked


def test_a_checkpoint_at_once_even_at_an_epochs_end_where_none_follows():
    callback = Checkpoints()
    callback.save_now(True)
    control = SimpleNamespace(should_save=False)
    arguments = SimpleNamespace(save_strategy="steps", output_dir="")
    state = SimpleNamespace(global_step=3, is_world_process_zero=True)
    callback.on_step_end(arguments, state, control, train_dataloader=range(3))
    assert control.should_save


def test_where_it_goes_on_is_said(tmp_path, caplog):
    write_checkpoint(tmp_path, 40)
    with caplog.at_level(logging.INFO):
        last_whole_checkpoint(tmp_path)
    assert "going on from" in caplog.text
