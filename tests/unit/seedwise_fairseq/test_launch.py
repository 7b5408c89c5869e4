import logging
import sys
import types

import pytest
import torch

from seedwise.models.checkpoints import load_checkpoint
from seedwise.models.weight_names import is_fused_copy
from seedwise_fairseq import USER_DIR, build, launch
from support.tiny.chain import ARCHITECTURE, FINETUNE, write_checkpoint


def options(device="cpu", **changes):
    return launch.training_options(
        FINETUNE | {"device": device} | changes, seed=7, updates=100, scratch=USER_DIR / "x"
    )


def test_switches_stand_alone_or_not_at_all():
    words = launch.arguments({"cpu": True, "fp16": False, "lr": 1e-5, "arch": "roberta"})
    assert words == ["--cpu", "--lr", "1e-05", "--arch", "roberta"]


def test_a_tool_sees_its_command_line_which_is_logged(monkeypatch, caplog):
    seen = []
    tool = types.ModuleType("fairseq_cli.tool")
    tool.cli_main = lambda: seen.append(sys.argv[:])
    monkeypatch.setitem(sys.modules, "fairseq_cli.tool", tool)
    before = sys.argv[:]
    with caplog.at_level(logging.INFO):
        launch.run("tool", "a folder", options={"seed": 7, "cpu": True})
    assert seen == [["fairseq-tool", "a folder", "--seed", "7", "--cpu"]]
    assert "fairseq-tool 'a folder' --seed 7 --cpu" in caplog.text
    assert sys.argv == before


def test_the_command_line_is_restored_after_an_error(monkeypatch):
    def fail():
        raise RuntimeError

    tool = types.SimpleNamespace(cli_main=fail)
    monkeypatch.setitem(sys.modules, "fairseq_cli.tool", tool)
    before = sys.argv[:]
    with pytest.raises(RuntimeError):
        launch.run("tool", options={})
    assert sys.argv == before


def test_hyperparameters_reach_the_command_line():
    given = options(weight_decay=0.2, clip_norm=3.0, warmup_ratio=0.1, learning_rate=2e-4)
    assert given["seed"] == 7
    assert (given["weight-decay"], given["clip-norm"], given["lr"]) == (0.2, 3.0, 2e-4)
    assert (given["warmup-updates"], given["total-num-update"], given["max-update"]) == (
        10,
        100,
        100,
    )
    assert (given["adam-betas"], given["adam-eps"]) == ("(0.9, 0.98)", 1e-8)


@pytest.mark.parametrize(
    ("precision", "device", "expected"),
    [
        ("float32", "cpu", ("fused_adamw", "float32", False, True)),
        ("bfloat16", "cpu", ("fused_adamw", "bfloat16", False, True)),
        ("bfloat16", "cuda", ("fused_adamw", "bfloat16", False, False)),
        ("float16", "cuda", ("adam", "float32", True, False)),
    ],
)
def test_precision_chooses_fairseqs_switches(precision, device, expected):
    given = options(device, precision=precision)
    assert tuple(given[key] for key in ("optimizer", "autocast", "fp16", "cpu")) == expected


def test_architecture_reaches_the_model():
    model = build.build_model(ARCHITECTURE | {"ffn_dim": 40, "layers": 3})
    layers = model.encoder.sentence_encoder.layers
    assert len(layers) == 3
    assert layers[0].fc1.weight.shape == (40, 32)
    assert layers[0].self_attn.num_heads == 4
    assert model.encoder.sentence_encoder.embed_tokens.weight.shape == (160, 32)
    assert model.encoder.sentence_encoder.embed_positions.weight.shape == (24 + 2, 32)
    assert model.encoder.sentence_encoder.dropout_module.p == 0.1


def test_an_exported_model_has_weights_and_options_and_nothing_else(tmp_path):
    write_checkpoint(tmp_path / "model.pt")
    exported = load_checkpoint(tmp_path / "model.pt")
    model = build.build_model(ARCHITECTURE)
    assert any(is_fused_copy(name) for name in model.state_dict())
    expected = {name for name in model.state_dict() if not is_fused_copy(name)}
    assert set(exported["model"]) == expected
    assert exported["last_optimizer_state"] is None and exported["task_state"] == {}
    assert exported["args"].encoder_layers == 2
    size = sum(p.numel() for name, p in model.named_parameters() if not is_fused_copy(name))
    assert (tmp_path / "model.pt").stat().st_size < 4 * size + 20_000
    missing = model.load_state_dict(exported["model"], strict=False).missing_keys
    assert all(is_fused_copy(name) for name in missing)


def test_another_process_exports_the_same_bytes(tmp_path, monkeypatch):
    write_checkpoint(tmp_path / "model.pt")
    monkeypatch.setattr("os.getpid", lambda: 1)
    write_checkpoint(tmp_path / "other.pt")
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "other.pt").read_bytes()


def test_an_error_while_exporting_leaves_no_file(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        write_checkpoint(tmp_path / "folder" / "model.pt")
    assert not list((tmp_path / "folder").iterdir())
