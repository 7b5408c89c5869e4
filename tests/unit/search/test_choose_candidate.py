import pytest

import choose_candidate
from seedwise.errors import UserError
from seedwise.files import read_json, write_json

CANDIDATES = {"0a": {"epochs": 1}, "0b": {"epochs": 2}, "0c": {"epochs": 3}}


def choose(folder, accuracies, selection="accuracy", **last):
    paths = []
    for name, accuracy in zip(CANDIDATES, accuracies, strict=True):
        paths.append(folder / f"candidate-{name}" / "metrics.json")
        found = {
            "experiment": "e", "seed": 0, "valid_accuracy": accuracy, "config_sha256": name,
            "code_sha256": "c", "precision": "float32", "valid_loss": accuracy / 2,
        }  # fmt: skip
        write_json(paths[-1], found)
    write_json(paths[-1], found | last)
    output = folder / "chosen.json"
    choose_candidate.main(metrics=paths, candidates=CANDIDATES, selection=selection, output=output)
    return read_json(folder / "chosen.json")


def test_the_best_on_validation_is_chosen_the_first_of_equals(tmp_path):
    assert choose(tmp_path, [0.7, 0.8, 0.8]) == {
        "candidate": "0b", "values": {"epochs": 2}, "of": 3,
    }  # fmt: skip


def test_the_studys_selection_says_what_is_best(tmp_path):
    assert choose(tmp_path, [0.7, 0.8, 0.6], selection="loss")["candidate"] == "0c"


def test_candidates_made_in_different_ways_are_not_compared(tmp_path):
    with pytest.raises(UserError, match="differ in precision"):
        choose(tmp_path, [0.7, 0.8, 0.8], precision="bfloat16")
