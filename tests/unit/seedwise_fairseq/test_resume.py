import shutil

import pytest
import torch

from seedwise_fairseq.resume import BEST, LAST, choose_checkpoint


def write(path, updates, best=0.5):
    torch.save(
        {
            "model": {"weight": torch.ones(100)},
            "optimizer_history": [{"num_updates": updates}],
            "extra_state": {"best": best},
        },
        path,
    )


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path):
    body = bytearray(path.read_bytes())
    place = body.index(torch.ones(1).numpy().tobytes() * 10)
    body[place] ^= 1
    path.write_bytes(body)


def choose(folder, selects_best=True):
    return choose_checkpoint(folder, selects_best=selects_best)


def test_an_empty_folder_begins_anew(tmp_path):
    assert choose(tmp_path) == 0


def test_the_last_checkpoint_is_used_where_it_is_whole(tmp_path):
    for name, updates in ((LAST, 20), (BEST, 10), ("checkpoint_2_15.pt", 15)):
        write(tmp_path / name, updates)
    before = (tmp_path / LAST).read_bytes()
    assert choose(tmp_path) == 20
    assert (tmp_path / LAST).read_bytes() == before


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({BEST: 10, "checkpoint_2_9.pt": 9, "checkpoint_2_15.pt": 15}, 15),
        ({BEST: 20, "checkpoint_2_15.pt": 15}, 20),
        ({}, 0),
    ],
)
def test_a_torn_last_checkpoint_is_set_aside_for_the_newest_whole_one(
    tmp_path, caplog, damage, others, expected
):
    write(tmp_path / LAST, 20)
    damage(tmp_path / LAST)
    for name, updates in others.items():
        write(tmp_path / name, updates)
    assert choose(tmp_path) == expected
    assert f"{LAST}: " in caplog.text and "set aside" in caplog.text
    assert (tmp_path / f"torn-{LAST}").exists()
    assert (tmp_path / LAST).exists() == bool(expected)
    assert choose(tmp_path) == expected


def test_a_torn_best_checkpoint_matters_where_it_is_selected(tmp_path):
    write(tmp_path / LAST, 20)
    write(tmp_path / BEST, 10)
    truncate(tmp_path / BEST)
    shutil.copytree(tmp_path, tmp_path / "copy")
    assert choose(tmp_path / "copy", selects_best=False) == 20
    assert choose(tmp_path) == 0
    assert not (tmp_path / LAST).exists()


def test_before_the_first_epochs_end_nothing_was_the_best_yet(tmp_path):
    write(tmp_path / LAST, 6, best=-1.0)
    write(tmp_path / BEST, 9, best=-1.0)
    truncate(tmp_path / BEST)
    assert choose(tmp_path) == 6


class Harmful:
    def __reduce__(self):
        return print, ("harm",)


def test_a_checkpoint_that_carries_code_is_set_aside_unread(tmp_path, caplog, capsys):
    torch.save({"model": Harmful()}, tmp_path / LAST)
    assert choose(tmp_path) == 0
    assert "refused, because it carries code" in caplog.text
    assert "harm" not in capsys.readouterr().out
