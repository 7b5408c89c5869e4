import sys

import pytest
import torch

from seedwise.errors import UserError
from seedwise.lora import adapters as lora
from seedwise.training.adapters import count_parameters, find_targets, linear_shapes
from support.tiny.bloom import ALL_LINEAR, write_base

STUDY = {
    "r": 16,
    "lora_alpha": 32,
    "target_modules": ["query_key_value"],
    "lora_dropout": 0.05,
    "bias": "none",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("base"))


def test_bloom_560m_has_the_studys_counts(tmp_path):
    from transformers import BloomConfig

    BloomConfig(vocab_size=250880, hidden_size=1024, n_layer=24, n_head=16).save_pretrained(
        tmp_path
    )
    empty = lora.empty_model(tmp_path)
    assert empty.num_parameters() == 559_214_592
    with torch.device("meta"):
        adapted = lora.add_adapter(lora.empty_model(tmp_path), STUDY, seed=0)
    rows = count_parameters(empty, adapted, STUDY)
    assert len(rows) == 24
    assert rows[0]["formula"] == "16 * (1024 + 3072)"
    assert sum(row["analytic"] for row in rows) == 1_572_864
    assert sum(row["counted"] for row in rows) == 1_572_864


@pytest.mark.parametrize("bias", ["none", "lora_only", "all"])
@pytest.mark.parametrize("targets", [["query_key_value"], ALL_LINEAR])
def test_formula_agrees_with_peft(base, bias, targets):
    settings = STUDY | {"bias": bias, "target_modules": targets}
    empty = lora.empty_model(base)
    model = lora.add_adapter(lora.load_base(base, {"type": "none"}, "cpu"), settings, seed=0)
    rows = count_parameters(empty, model, settings)
    assert sum(r["analytic"] for r in rows) == model.get_nb_trainable_parameters()[0]


def test_a_wrong_count_is_noticed(base):
    model = lora.add_adapter(lora.load_base(base, {"type": "none"}, "cpu"), STUDY, seed=0)
    with pytest.raises(RuntimeError, match="differ from the formula"):
        count_parameters(lora.empty_model(base), model, STUDY | {"r": 8})


def test_unknown_target_says_what_exists(base):
    shapes = linear_shapes(lora.empty_model(base))
    with pytest.raises(UserError, match="'q_proj' matches no linear layer") as error:
        find_targets(shapes, ["query_key_value", "q_proj"])
    assert str(error.value).endswith(
        "there are dense, dense_4h_to_h, dense_h_to_4h, query_key_value"
    )


def test_frozen_hash_sees_the_base_and_not_the_adapter(base):
    model = lora.add_adapter(lora.load_base(base, {"type": "none"}, "cpu"), STUDY, seed=0)
    before = lora.frozen_sha256(model)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 1
    assert lora.frozen_sha256(model) == before
    with torch.no_grad():
        model.get_base_model().transformer.ln_f.bias[0] += 1e-7
    assert lora.frozen_sha256(model) != before


def test_quantization_that_cannot_work_is_refused(base, monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes.functional", None)
    settings = {"type": "nf4", "double_quant": True, "compute_dtype": "bfloat16"}
    with pytest.raises(UserError, match=r"quantization\.type: 'nf4' cannot work on .* cpu"):
        lora.load_base(base, settings, "cpu")


def test_folders_that_are_no_models(tmp_path, base):
    with pytest.raises(UserError, match="not a causal language model"):
        lora.empty_model(tmp_path)
    with pytest.raises(UserError, match="no tokenizer"):
        lora.load_tokenizer(tmp_path)
    (tmp_path / "config.json").write_text((base / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")  # a pickle, never opened
    with pytest.raises(UserError, match="the base model cannot be loaded"):
        lora.load_base(tmp_path, {"type": "none"}, "cpu")
