import copy
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.errors import UserError
from seedwise.study import curves, entries, reporting, search, validation

RANGE = {"from": 1.0e-5, "to": 1.0e-2, "scale": "log"}
GRID = {"over": {"learning_rate": [1.0e-5, 1.0e-4], "batch_size": [8, 16, 32]}}


def test_a_grid_tries_every_combination_in_its_order():
    found = list(search.candidates(GRID).values())
    assert found[:3] == [{"learning_rate": 1.0e-5, "batch_size": size} for size in (8, 16, 32)]
    assert len(found) == search.combinations(GRID) == 6


def test_a_candidate_keeps_its_name_whatever_others_there_are():
    more = copy.deepcopy(GRID)
    more["over"]["learning_rate"].insert(0, 1.0e-3)
    before, after = search.candidates(GRID), search.candidates(more)
    assert len(after) == 9 and before.items() <= after.items()


@given(budget=st.integers(1, 20), more=st.integers(1, 20), seed=st.integers(0, 5))
def test_a_larger_budget_keeps_the_candidates_of_a_smaller_one(budget, more, seed):
    wanted = {"over": {"learning_rate": RANGE}, "seed": seed}
    few = search.candidates(wanted | {"budget": budget})
    many = search.candidates(wanted | {"budget": budget + more})
    assert len(few) == budget and len(many) == budget + more
    assert list(many)[:budget] == list(few)
    values = [candidate["learning_rate"] for candidate in many.values()]
    assert all(RANGE["from"] <= value <= RANGE["to"] for value in values)


def test_a_logarithmic_range_is_drawn_evenly_in_its_logarithm():
    drawn = search.candidates({"over": {"learning_rate": RANGE}, "budget": 400})
    small = sum(c["learning_rate"] < 1.0e-4 for c in drawn.values())
    assert 0.27 < small / 400 < 0.40  # a third of the decades
    linear = {"from": 0.0, "to": 1.0}
    drawn = search.candidates({"over": {"warmup_ratio": linear}, "budget": 400})
    assert 0.42 < sum(c["warmup_ratio"] < 0.5 for c in drawn.values()) / 400 < 0.58


def test_whole_numbers_stay_whole_and_both_ends_are_drawn():
    drawn = search.candidates({"over": {"epochs": {"from": 2, "to": 5}}, "budget": 4})
    assert sorted(c["epochs"] for c in drawn.values()) == [2, 3, 4, 5]


def test_other_seeds_draw_others():
    wanted = {"over": {"learning_rate": RANGE}, "budget": 3}
    assert search.candidates(wanted) != search.candidates(wanted | {"seed": 1})
    assert search.candidates(wanted) == search.candidates(wanted | {"seed": 0})


def test_a_candidate_gives_an_engine_that_tries_lists_one_value():
    settings = {"engine": "linear", "linear": {"C": [0.1, 1], "features": ["words"]}}
    assert search.with_values(settings, {"C": 5})["linear"] == {"C": [5], "features": ["words"]}
    settings = {"engine": "fairseq", "finetune": {"epochs": 3, "adam_betas": [0.9, 0.98]}}
    values = {"adam_betas": [0.8, 0.9]}
    assert search.with_values(settings, values)["finetune"]["adam_betas"] == [0.8, 0.9]
    assert settings["finetune"]["adam_betas"] == [0.9, 0.98]


CONFIG = {
    "study": "s",
    "seeds": [3, 4],
    "datasets": {"d": {"source": {"path": "d.csv"}, "format": "table", "labels": ["a", "b"]}},
    "models": {
        "m": {
            "architecture": {
                "layers": 1, "embed_dim": 8, "ffn_dim": 8, "attention_heads": 2,
                "max_positions": 16, "vocab_size": 100,
            },
            "corpus": ["d"],
        }
    },
    "experiments": {
        "t": {"engine": "transformers", "init": "random", "dataset": "d", "model": "m"},
        "other": {"engine": "fairseq", "init": "random", "dataset": "d", "model": "m"},
        "linear": {"engine": "linear", "dataset": "d"},
    },
}  # fmt: skip


def study(**experiments):
    config = json.loads(json.dumps(CONFIG))
    for name, changes in experiments.items():
        config["experiments"][name].update(changes)
    return config


def test_a_study_searches_what_its_experiments_do_not_search_themselves():
    own = {"over": {"epochs": [1, 2]}}
    config = study(t={"search": own}, linear={"search": {"over": {"C": [1, 2, 3]}}})
    config["finetune"] = {"search": GRID, "epochs": 2}
    validation.check_config(config, "c")
    entries.merge_hyperparameters(config)
    assert entries.searched(config) == ["t", "other", "linear"]
    assert config["experiments"]["t"]["search"] == own
    assert config["experiments"]["other"]["search"] == GRID
    assert config["experiments"]["other"]["finetune"] == {"epochs": 2}
    entries.merge_hyperparameters(config)  # what is merged stays as it is
    assert len(entries.candidates(config, "linear")) == 3


def test_a_curve_is_of_experiments_with_fewer_texts():
    config = study(t={"train_texts": [400, 100]}, linear={"train_texts": [100]})
    config["datasets"]["d"]["splits"] = {"train": 400, "test": 50}
    validation.check_config(config, "c")
    entries.merge_hyperparameters(config)
    assert curves.points(config, "t") == ["t@100"]  # with 400 it is the experiment itself
    assert curves.with_curve(config) == ["t", "linear"]
    settings = entries.run_settings(config, "t@100", {"learning_rate": 1.0})
    assert settings["train_texts"] == 100 and settings["finetune"]["learning_rate"] == 1.0
    assert "train_texts" not in entries.run_settings(config, "t")
    assert entries.seeds(config, "t@100") == [3, 4] and entries.seeds(config, "linear@100") == [3]
    assert reporting.curve_files(config, "f", engine="transformers") == [
        f"<results>/runs/{name}/seed-{seed}/f" for name in ("t@100", "t") for seed in (3, 4)
    ]
    assert "t@100" not in str(reporting.run_files(config, "f"))
    assert re.fullmatch(entries.run_pattern(config, "transformers"), "t@100")
    assert not re.fullmatch(entries.run_pattern(config, "transformers"), "other@100")


def test_what_varies_is_said_of_each_experiment():
    config = study(t={"init": "pretrained"})
    config["models"]["m"]["pretrain"] = {"updates": 1}
    config["vary"] = ["training_texts"]
    validation.check_config(config, "c")
    entries.merge_hyperparameters(config)
    assert reporting.varied(config) == {
        "t": "seed, training texts (one pre-training)",
        "other": "seed, training texts",
        "linear": "training texts",
    }
    assert entries.seeds(config, "linear") == [3, 4]
    config["vary"] = ["pretraining"]
    assert reporting.varied(config) == {
        "t": "seed, pre-training",
        "other": "seed",
        "linear": "nothing",
    }
    assert entries.seeds(config, "linear") == [3]
    assert reporting.converted(config) == ["m/seed-3", "m/seed-4"]
    assert entries.pretraining(config, "m", "/seed-4")["pretrain"] == {"updates": 1, "seed": 4}
    # A run that starts from nothing pre-trained is the same as ever.
    for name in ("other", "linear"):
        assert "vary" not in entries.run_settings(config, name)
    assert entries.run_settings(config, "t")["vary"] == ["pretraining"]
    config["vary"] = []
    assert reporting.converted(config) == ["m"]
    assert reporting.varied(config)["linear"] == "nothing"


def test_pretraining_that_nothing_starts_from_cannot_vary():
    config = study() | {"vary": ["pretraining"]}
    with pytest.raises(UserError, match="vary: pretraining, but no experiment starts from a model"):
        validation.check_config(config, "c")


def test_an_experiment_can_opt_out():
    config = study(other={"search": None})
    config["finetune"] = {"search": GRID}
    validation.check_config(config, "c")
    entries.merge_hyperparameters(config)
    before = json.dumps(config)
    entries.merge_hyperparameters(config)  # as from the config.yaml that a study leaves
    assert entries.searched(config) == ["t"] and json.dumps(config) == before


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"over": {}}, "experiments.t.search.over: "),
        ({"over": {"lr": [1]}}, "experiments.t.search.over.lr: unknown key 'lr'; allowed are"),
        ({"over": {"epochs": [0]}}, "experiments.t.search.over.epochs: 0 is less than"),
        ({"over": {"threads": [1, 2]}}, "threads: says how a training runs"),
        ({"over": {"learning_rate": RANGE}}, "experiments.t.search.budget: missing"),
        (GRID | {"budget": 7}, "budget: 7, but there are only 6 combinations"),
        ({"over": {"weight_decay": {"from": 0, "to": 1, "scale": "log"}}, "budget": 2}, "above 0"),
        ({"over": {"epochs": {"from": 3, "to": 3}}, "budget": 1}, "must be less than `to` (3)"),
        ({"over": {"epochs": {"from": 3}}, "budget": 1}, "missing key 'to'"),
        ({"over": {"epochs": 3}}, "3 must be a list or a section of keys"),
        ({"over": {"learning_rate": ["1e-5"]}}, "write 1.0e-5"),
    ],
)
def test_mistakes_are_named_before_anything_runs(wanted, message):
    with pytest.raises(UserError) as error:
        validation.check_config(study(t={"search": wanted}), "c.yaml")
    assert message in str(error.value) and "\n" not in str(error.value)


def test_batches_of_a_search_must_be_shared_by_the_processes():
    config = study(t={"search": GRID, "finetune": {"processes": 3, "batch_size": 6}})
    with pytest.raises(UserError, match="8 cannot be shared by 3 processes"):
        validation.check_config(config, "c.yaml")
