import json

import pandas as pd
import pytest

from seedwise.errors import UserError
from seedwise.files import write_json, write_jsonl
from summarise_lora import describe_quantization, explain, main
from support.tiny.bloom import run_settings

LAYER = {
    "module": "h.0.qkv",
    "in_features": 1024,
    "out_features": 3072,
    "formula": "16 * (1024 + 3072)",
    "analytic": 65536,
    "counted": 65536,
}


def write_run(folder, seed, **changes):
    run = folder / f"seed-{seed}"
    metrics = {
        "experiment": "tiny",
        "seed": seed,
        "trainable_parameters": 65536,
        "base_parameters": 1000000,
        "total_parameters": 1065536,
        "train_seconds": 1.0,
        "config_sha256": "c",
        "data_sha256": "d",
        "code_sha256": "e",
        "versions": {"torch": "2"},
        "heldout_loss_before": 1.0,
        "heldout_loss_after": 0.5,
        "perplexity_before": 9.0,
        "perplexity_after": 2.0 + seed,
        "stopped_fraction_before": 0.5,
        "stopped_fraction": 1.0,
    }
    run.mkdir(parents=True)
    write_json(run / "metrics.json", metrics | changes)
    pd.DataFrame([LAYER]).to_csv(run / "parameters.csv", index=False)
    write_jsonl(run / "generations.jsonl", [{"id": f"{seed}-{i}"} for i in range(9)])
    return run


def summarise(tmp_path, runs):
    main(
        metrics=[run / "metrics.json" for run in runs],
        parameters=[run / "parameters.csv" for run in runs],
        generations=[run / "generations.jsonl" for run in runs],
        experiments={"tiny": run_settings()},
        table=tmp_path / "lora.csv",
        report=tmp_path / "lora.json",
    )
    return json.loads((tmp_path / "lora.json").read_text())["experiments"]


def test_runs_become_a_table_and_a_summary(tmp_path):
    (part,) = summarise(tmp_path, [write_run(tmp_path, seed) for seed in (0, 2)])
    table = pd.read_csv(tmp_path / "lora.csv")
    assert table["seed"].tolist() == [0, 2]
    assert "versions" not in table
    # population standard deviation of 2 and 4
    assert part["summary"]["perplexity_after"] == {"mean": 3.0, "std": 1.0}
    assert part["trainable_share"] == pytest.approx(65536 / 1065536)
    assert part["analytic_parameters"] == part["trainable_parameters"] == 65536
    assert [answer["id"] for answer in part["answers"]] == ["0-0", "0-1", "0-2", "0-3"]
    assert part["layers"] == [LAYER]


def test_runs_of_different_code_are_not_averaged(tmp_path):
    runs = [write_run(tmp_path, 0), write_run(tmp_path, 1, code_sha256="f")]
    with pytest.raises(UserError, match=r"differ in code_sha256 .*0 has e, seed 1 has f.*--force"):
        summarise(tmp_path, runs)


def test_every_lora_parameter_is_explained_with_its_effect():
    settings = run_settings()["lora"] | {"r": 16, "lora_alpha": 32, "bias": "lora_only"}
    layer = LAYER | {"analytic": 65536 + 3072}
    rows = {row["parameter"]: row for row in explain(settings, [layer] * 24)}
    assert list(rows) == [
        "r", "lora_alpha", "target_modules", "lora_dropout", "bias", "task_type",
    ]  # fmt: skip
    assert rows["r"]["effect"].endswith("16 · 98,304 = 1,572,864")
    assert rows["lora_alpha"]["effect"].endswith("alpha / r = 2")
    assert rows["bias"]["effect"] == "73,728 parameters"
    assert rows["target_modules"]["effect"].startswith("24 layers")


def test_quantization_is_put_in_words():
    nf4 = {"type": "nf4", "double_quant": True, "compute_dtype": "bfloat16"}
    assert describe_quantization(nf4) == "nf4, 4 bits, scales quantized too; products in bfloat16"
    assert describe_quantization(nf4 | {"type": "none"}) == "none"
