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
