"""What a study is refused for before anything runs; most mistakes are in test_entries.py."""

import pytest
import yaml

from seedwise.errors import UserError
from seedwise.study import validation
from support.smoke_study import CONFIG


@pytest.mark.parametrize(
    ("experiment", "finetune", "message"),
    [
        ("fairseq-random", {"adapter": {}}, "adapter: is for the engine 'transformers' with init"),
        ("transformers-pretrained", {"adapter": {"r": 2.5}}, "adapter.r: 2.5 must be a whole"),
        ("transformers-pretrained", {"adapter": {"rank": 2}}, "adapter: unknown key 'rank'"),
    ],
)
def test_adapters(experiment, finetune, message):
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    validation.check_config(config, "study.yaml")
    config["experiments"][experiment]["finetune"] = finetune
    with pytest.raises(UserError) as error:
        validation.check_config(config, "study.yaml")
    assert f"experiments.{experiment}.finetune.{message}" in str(error.value)
    assert "\n" not in str(error.value)


def scored():
    """Return a study of two data sets, of which the second has scores."""
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    ((name, dataset),) = config["datasets"].items()
    stars = {key: value for key, value in dataset.items() if key != "labels"} | {"range": [0, 5]}
    config["datasets"]["stars"] = stars
    for name, experiment in list(config["experiments"].items()):
        config["experiments"][f"stars-{name}"] = experiment | {"dataset": "stars"}
    return config


def test_what_is_for_labels_is_refused_once_of_scores():
    config = scored()
    validation.check_config(config, "study.yaml")
    config["selection"] = "macro_f1"
    with pytest.raises(UserError, match=r"^study\.yaml: selection: .* try accuracy$"):
        validation.check_config(config, "study.yaml")
    config |= {"selection": "loss", "finetune": config["finetune"] | {"class_weights": "balanced"}}
    with pytest.raises(UserError) as error:
        validation.check_config(config, "study.yaml")
    assert str(error.value).startswith("study.yaml: finetune.class_weights: is for labels, but")
    assert "\n" not in str(error.value)
    for name, experiment in config["experiments"].items():
        if name.startswith("stars-") and experiment["engine"] != "linear":
            experiment["finetune"] = {"class_weights": None}
    validation.check_config(config, "study.yaml")
    tried = {"over": {"class_weights": [None, "balanced"]}}
    config["experiments"]["stars-fairseq-random"]["search"] = tried
    with pytest.raises(UserError, match=r"experiments\.stars-fairseq-random: searches class_weig"):
        validation.check_config(config, "study.yaml")


@pytest.mark.parametrize("given", [{"labels": ["a", "b"], "range": [0, 5]}, {}])
def test_labels_or_a_range(given):
    config = scored()
    del config["datasets"]["stars"]["range"]
    config["datasets"]["stars"] |= given
    with pytest.raises(UserError, match=r"datasets\.stars: exactly one of labels or range must"):
        validation.check_config(config, "study.yaml")
