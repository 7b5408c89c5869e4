import json

import pytest

from seedwise.trainer_checkpoints import last_complete_checkpoint

FILES = ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth")


def write_checkpoint(folder, update):
    checkpoint = folder / f"checkpoint-{update}"
    checkpoint.mkdir()
    for name in FILES:
        (checkpoint / name).write_bytes(b"x")
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": update}))
    return checkpoint


def test_newest_by_number_not_by_name(tmp_path):
    assert last_complete_checkpoint(tmp_path) is None
    for update in (80, 120, 9):
        write_checkpoint(tmp_path, update)
    assert last_complete_checkpoint(tmp_path).name == "checkpoint-120"


@pytest.mark.parametrize("name", [*FILES, "trainer_state.json"])
def test_a_torn_checkpoint_gives_way_to_the_one_before(tmp_path, name):
    good, torn = write_checkpoint(tmp_path, 40), write_checkpoint(tmp_path, 80)
    (torn / name).unlink()
    assert last_complete_checkpoint(tmp_path) == good
    assert not torn.exists()


def test_a_half_written_state_is_torn(tmp_path):
    write_checkpoint(tmp_path, 40).joinpath("trainer_state.json").write_text('{"global')
    assert last_complete_checkpoint(tmp_path) is None
