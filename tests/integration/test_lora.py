"""LoRA from base model to merged model, on a BLOOM of a few thousand weights."""

import json

import pandas as pd
import peft
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import finetune_lora
import merge_adapter
from seedwise.errors import UserError
from seedwise.files import read_jsonl, sha256_of_files
from seedwise.lora import adapters, answers
from support.tiny.bloom import run_settings, write_base, write_questions

NF4 = {"type": "nf4", "double_quant": True, "compute_dtype": "bfloat16"}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    return write_questions(tmp_path_factory.mktemp("questions"))


def arguments(base, splits, run, settings, seed=0):
    return {
        "base": base,
        "splits": splits,
        "settings": settings,
        "seed": seed,
        "adapter": run / "adapter",
        "history": run / "history.csv",
        "parameters": run / "parameters.csv",
        "generations": run / "generations.jsonl",
        "metrics": run / "metrics.json",
    }


def finetune(base, splits, run, settings, seed=0):
    finetune_lora.main(**arguments(base, splits, run, settings, seed))
    return json.loads((run / "metrics.json").read_text())


@pytest.fixture(scope="module")
def run(base, splits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    finetune(base, splits, folder, run_settings(updates=60))
    return folder


def weights(run):
    return load_file(run / "adapter" / "adapter_model.safetensors")


def test_the_model_learns_to_answer_and_to_stop(run):
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["perplexity_after"] < 0.1 * metrics["perplexity_before"]
    assert metrics["stopped_fraction_before"] < 0.5
    assert metrics["stopped_fraction"] == 1.0
    assert metrics["reload_difference"] == 0.0
    assert metrics["merge_difference"] < 1e-5
    assert metrics["total_parameters"] == (
        metrics["base_parameters"] + metrics["trainable_parameters"]
    )
    answers = list(read_jsonl(run / "generations.jsonl"))
    assert len(answers) == 4
    assert all(answer["after"] == "a dog" and answer["after_stopped"] for answer in answers)
    assert {answer["id"].split("-")[0] for answer in answers} == {"heldout"}
    history = pd.read_csv(run / "history.csv")
    assert list(history.columns) == ["epoch", "split", "loss", "update"]
    assert not history.duplicated(["split", "update"]).any()
    assert not (run / "checkpoints").exists()


def test_only_adapter_weights_change(base, run):
    names = set(weights(run))
    assert all(".lora_A." in name or ".lora_B." in name for name in names)
    model = adapters.load_base(base, {"type": "none"}, "cpu")
    adapted = peft.PeftModel.from_pretrained(model, run / "adapter")
    fresh = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).state_dict()
    unloaded = adapted.unload().state_dict()
    assert unloaded.keys() == fresh.keys()
    assert all(torch.equal(unloaded[name], fresh[name]) for name in fresh)


def test_same_seed_same_bits_and_another_seed_others(base, splits, run, tmp_path):
    settings = run_settings(updates=3)
    runs = [tmp_path / name for name in "abc"]
    for folder, seed in zip(runs, (0, 0, 1), strict=True):
        finetune(base, splits, folder, settings, seed)
    files = ("adapter/adapter_model.safetensors", "history.csv", "generations.jsonl")
    for file in files:
        assert (runs[0] / file).read_bytes() == (runs[1] / file).read_bytes()
        assert (runs[0] / file).read_bytes() != (runs[2] / file).read_bytes()


def test_a_merged_model_answers_like_base_and_adapter(base, run, tmp_path):
    merged = tmp_path / "merged"
    merge_adapter.main(base=base, adapter=run / "adapter", folder=merged)
    tokenizer = adapters.load_tokenizer(merged)
    prompts = [tokenizer("what is a dog?")["input_ids"]]
    adapted = peft.PeftModel.from_pretrained(
        adapters.load_base(base, {"type": "none"}, "cpu"), run / "adapter"
    )
    expected = answers.last_logits(adapted, prompts)
    model = AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32)
    assert (answers.last_logits(model, prompts) - expected).abs().max() < 1e-5
    plain = answers.last_logits(adapters.load_base(base, {"type": "none"}, "cpu"), prompts)
    assert (plain - expected).abs().max() > 1e-2


def test_an_adapter_of_another_base_is_not_merged(run, tmp_path):
    from pretrain_bloom import build_bloom, train_tokenizer

    sizes = {"layers": 1, "hidden_size": 32, "attention_heads": 2, "vocab_size": 300}
    build_bloom(sizes, 0).save_pretrained(tmp_path / "other")
    train_tokenizer(["a dog"], 300).save_pretrained(tmp_path / "other")
    with pytest.raises(UserError, match="cannot be merged into"):
        merge_adapter.main(
            base=tmp_path / "other", adapter=run / "adapter", folder=tmp_path / "merged"
        )
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("double_quant", [True, False])
def test_four_bits_train_on_the_processor_and_count_truly(
    base, splits, run, tmp_path, double_quant
):
    settings = run_settings(updates=30, quantization=NF4 | {"double_quant": double_quant})
    metrics = finetune(base, splits, tmp_path, settings)
    full = json.loads((run / "metrics.json").read_text())
    for key in ("trainable_parameters", "base_parameters", "total_parameters"):
        assert metrics[key] == full[key]
    packed = adapters.load_base(base, settings["quantization"], "cpu")
    assert sum(p.numel() for p in packed.parameters()) < full["base_parameters"]
    assert metrics["perplexity_after"] < 0.5 * metrics["perplexity_before"]
    assert metrics["reload_difference"] == 0.0
    assert metrics["merge_difference"] is None


def test_measuring_does_not_cut_gradients_of_four_bit_weights(base):
    model = adapters.load_base(base, NF4 | {"compute_dtype": "float32"}, "cpu")
    model = adapters.add_adapter(model, run_settings()["lora"], seed=0)
    example = {"input_ids": [5, 6, 7, 8], "labels": [5, 6, 7, 8]}
    ids = torch.tensor([example["input_ids"]])

    def gradients():
        model.eval()  # no dropout
        model.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        return {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}

    before = gradients()
    answers.mean_token_loss(model, [example], pad_id=3)
    after = gradients()
    assert any(gradient.abs().max() > 0 for gradient in before.values())
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_base_is_left_alone_and_bad_input_leaves_nothing(base, splits, tmp_path):
    files = sorted(base.iterdir())
    before = sha256_of_files(files)
    adapter = run_settings()["lora"] | {"target_modules": ["q_proj"]}
    with pytest.raises(UserError, match=r"'q_proj' matches no linear layer.*query_key_value"):
        finetune(base, splits, tmp_path / "run", run_settings(lora=adapter))
    assert not (tmp_path / "run").exists()
    assert sha256_of_files(files) == before


def test_loss_choice_changes_what_is_learnt(base, splits, run, tmp_path):
    metrics = finetune(base, splits, tmp_path, run_settings(updates=60, loss="prompt"))
    answer = pd.read_csv(run / "history.csv").query("split == 'valid'")["loss"]
    prompt = pd.read_csv(tmp_path / "history.csv").query("split == 'valid'")["loss"]
    assert metrics["loss"] == "prompt"
    # The base knows the prompt as little as the answer; the answers are the easier to learn.
    assert answer.iloc[-1] < prompt.iloc[-1] < prompt.iloc[0]


def test_with_bfloat16_the_base_takes_half_the_memory(base, splits, tmp_path):
    metrics = finetune(base, splits, tmp_path, run_settings(updates=4, precision="bfloat16"))
    assert metrics["precision"] == "bfloat16"
    assert (metrics["reload_difference"], metrics["merge_difference"]) == (0.0, None)
    sizes = [
        adapters.load_base(base, {"type": "none"}, "cpu", precision).get_memory_footprint()
        for precision in ("bfloat16", "float32")
    ]
    assert sizes[1] == 2 * sizes[0]


def test_activations_computed_again_are_the_same(base, splits, tmp_path):
    runs = [tmp_path / name for name in ("kept", "again")]
    for folder, again in zip(runs, (False, True), strict=True):
        finetune(base, splits, folder, run_settings(updates=3, gradient_checkpointing=again))
    kept, again = map(weights, runs)
    assert all(torch.equal(kept[name], again[name]) for name in kept)


def test_two_processes_share_an_update(base, splits, tmp_path):
    """Each sees half of a batch; together they learn what one process learns from all of it."""
    shared = run_settings(updates=6, batch_size=2)
    shared["lora"] = shared["lora"] | {"lora_dropout": 0.0}
    finetune(base, splits, tmp_path / "one", shared)
    finetune(base, splits, tmp_path / "two", shared | {"processes": 2})
    one, two = (
        pd.read_csv(tmp_path / name / "history.csv").query("split == 'valid'")["loss"]
        for name in ("one", "two")
    )
    assert len(one) == len(two) == 3  # before, and every four updates
    assert one.to_numpy() == pytest.approx(two.to_numpy(), rel=1e-4)
    assert two.iloc[-1] < two.iloc[0] - 0.1


def test_what_fails_after_the_training_does_not_train_again(base, splits, tmp_path, monkeypatch):
    settings = run_settings(updates=4)
    with monkeypatch.context() as patch:
        patch.setattr(answers, "generate_answers", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            finetune(base, splits, tmp_path / "run", settings)
        patch.undo()
        patch.setattr(finetune_lora, "train", lambda *_, **__: pytest.fail("trains again"))
        finetune(base, splits, tmp_path / "run", settings)
    finetune(base, splits, tmp_path / "whole", settings)
    for file in ("adapter/adapter_model.safetensors", "history.csv", "generations.jsonl"):
        assert (tmp_path / "run" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
    assert not (tmp_path / "run" / "checkpoints").exists()
