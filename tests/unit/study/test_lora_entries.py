import copy

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from seedwise.study.lora_entries import (
    built_models,
    check_lora,
    lora_runs,
    lora_settings,
    lora_tables,
)
from support import ROOT

SCHEMAS = ROOT / "rules" / "schemas"
STUDY = {
    "seeds": [0, 7],
    "datasets": {"reviews": {}},
    "lora": {
        "datasets": {
            "faq": {"source": {"path": "x"}, "format": "json", "splits": {"valid": 1, "heldout": 1}}
        },
        "models": {
            "small": {
                "architecture": {
                    "layers": 1,
                    "hidden_size": 8,
                    "attention_heads": 2,
                    "vocab_size": 300,
                },
                "corpus": ["reviews"],
                "pretrain": {},
            },
            "given": {"checkpoint": {"source": {"path": "y"}}},
        },
        "experiments": {"one": {"model": "small", "dataset": "faq"}},
    },
}


@pytest.fixture
def config():
    return copy.deepcopy(STUDY)


def schema_errors(config):
    def retrieve(uri):
        return Resource.from_contents(yaml.safe_load((SCHEMAS / uri).read_text(encoding="utf-8")))

    validator = Draft202012Validator(
        {"$ref": "lora.schema.yaml#/$defs/lora"}, registry=Registry(retrieve=retrieve)
    )
    return [error.message for error in validator.iter_errors(config["lora"])]


def test_runs_and_targets(config):
    assert lora_runs(config, "metrics.json") == [
        "<results>/lora/one/seed-0/metrics.json",
        "<results>/lora/one/seed-7/metrics.json",
    ]
    assert "<results>/tables/lora.json" in lora_tables(config)
    del config["lora"]
    assert lora_tables(config) == lora_runs(config, "metrics.json") == []
    assert list(check_lora(config)) == []


def test_settings_hold_what_a_run_depends_on(config):
    settings = lora_settings(config, "one")
    assert settings["base"]["architecture"]["layers"] == 1
    assert settings["data"]["splits"] == {"valid": 1, "heldout": 1}
    assert built_models(config) == ["small"]


def test_references_and_sizes_are_checked(config):
    assert list(check_lora(config)) == []
    lora = config["lora"]
    lora["experiments"]["one"] |= {"model": "big", "dataset": "quiz"}
    lora["models"]["small"]["architecture"]["hidden_size"] = 9
    lora["experiments"]["one"] |= {"batch_size": 3, "processes": 2}
    lora["models"]["small"]["corpus"] = ["tweets"]
    messages = "\n".join(check_lora(config))
    assert "unknown model 'big'; models under lora are small, given" in messages
    assert "unknown dataset 'quiz'; datasets under lora are faq" in messages
    assert "hidden_size: 9 is not a multiple of attention_heads (2)" in messages
    assert "one.batch_size: 3 cannot be shared by 2 processes" in messages
    assert "unknown dataset 'tweets'; datasets of this study are reviews" in messages


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lora": {"r": 0}}, "0 is less than the minimum of 1"),
        ({"lora": {"target_modules": []}}, "[] should be non-empty"),
        ({"quantization": {"type": "int3"}}, "'int3' is not one of ['none', 'nf4']"),
        ({"template": "{question}"}, "'{question}' does not match"),
        ({"template": "{answer} {question}"}, "does not match"),
        ({"learning_rate": "2e-4"}, "'2e-4' is not of type 'number'"),
        ({"rank": 8}, "'rank' was unexpected"),
    ],
)
def test_schema_is_closed_and_strict(config, change, message):
    assert schema_errors(config) == []
    config["lora"]["experiments"]["one"] |= change
    assert any(message in error for error in schema_errors(config))


@pytest.mark.parametrize("key", ["architecture", "corpus", "pretrain"])
def test_a_base_is_built_or_given(config, key):
    models = config["lora"]["models"]
    models["given"][key] = models["small"][key]
    assert schema_errors(config)
    del models["given"][key]
    del models["small"][key]
    assert schema_errors(config)


def test_defaults_are_the_studys(config, tmp_path):
    from snakemake.utils import validate

    path = tmp_path / "schema.yaml"
    path.write_text(
        f"""$schema: "https://json-schema.org/draft/2020-12/schema"
properties: {{lora: {{$ref: "{(SCHEMAS / "lora.schema.yaml").as_uri()}#/$defs/lora"}}}}
"""
    )
    validate(config, str(path))
    experiment = config["lora"]["experiments"]["one"]
    assert experiment["lora"] == {
        "r": 16,
        "lora_alpha": 32,
        "target_modules": None,
        "lora_dropout": 0.05,
        "bias": "none",
    }
    assert experiment["template"] == "<human>: {question}\n<assistant>: {answer}"
    assert (experiment["updates"], experiment["learning_rate"]) == (80, 2e-4)
    assert (experiment["batch_size"], experiment["accumulation"]) == (1, 4)
    assert (experiment["schedule"], experiment["warmup_ratio"]) == ("cosine", 0.05)
    assert experiment["generation"]["max_new_tokens"] == 200
