"""Train a LoRA adapter on questions and answers, and measure it before and after.

Inputs: the base model's folder and the question splits. Outputs: ``adapter/`` (peft's format),
``history.csv`` (epoch, split, loss in nats per token, update), ``parameters.csv`` (what is
trained, by layer), ``generations.jsonl`` and ``metrics.json``.
"""

import gc
import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__" and snakemake.params.settings["quantization"]["type"] == "none":
    sys.modules["bitsandbytes"] = None  # type: ignore[assignment]  # a second of imports, for 4 bits

import pandas as pd
import peft
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerBase

from seedwise.environment import conditions, resume_key, shared
from seedwise.files import atomic, read_json, read_jsonl, write_json, write_jsonl
from seedwise.lora import adapters, answers
from seedwise.lora.causal_training import train
from seedwise.lora.questions import SPLITS
from seedwise.machine import device as devices
from seedwise.machine import distributed
from seedwise.machine.scratch import training_scratch
from seedwise.step import step
from seedwise.training.adapters import (
    count_parameters,
    find_targets,
    linear_shapes,
    with_targets,
)

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes")
# Logits of this many held-out prompts are compared before and after reloading and merging.
COMPARED = 8
# Largest difference of logits, as a share of the largest one: float32's rounding.
TOLERANCE = 1e-5
# In the scratch: the trained adapter and what its training tells, whole once it is there.
TRAINED = "trained"


def different_questions(records: list[dict[str, str]], number: int) -> list[dict[str, str]]:
    """Return the first ``number`` records, each with a question of its own."""
    first: dict[str, dict[str, str]] = {}
    for record in records:
        first.setdefault(record["question"], record)
    return list(first.values())[:number]


def generation_records(
    questions: list[dict[str, str]],
    before: list[tuple[str, bool]],
    after: list[tuple[str, bool]],
    sampling: dict[str, Any],
    seed: int,
) -> list[dict[str, Any]]:
    """Return a record per question: the reference, both answers, and how they were sampled."""
    return [
        {
            "id": question["id"],
            "question": question["question"],
            "reference": question["answer"],
            "before": old,
            "before_stopped": old_stopped,
            "after": new,
            "after_stopped": new_stopped,
            "sampling": sampling,
            "seed": seed,
        }
        for question, (old, old_stopped), (new, new_stopped) in zip(
            questions, before, after, strict=True
        )
    ]


def stopped_fraction(answers: list[tuple[str, bool]]) -> float:
    """Return the share of answers that ended by themselves."""
    return sum(stopped for _, stopped in answers) / len(answers)


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the largest absolute difference of logits.

    Raises:
        RuntimeError: It is more than rounding, so the adapter is not the trained one.
    """
    largest = (found - expected).abs().max().item()
    if largest > TOLERANCE * max(1.0, expected.abs().max().item()):
        raise RuntimeError(f"the saved adapter is not the trained one: logits differ by {largest}")
    return largest


def train_adapter(
    base: Path,
    lora: dict[str, Any],
    here: dict[str, Any],
    tokenizer: PreTrainedTokenizerBase,
    examples: dict[str, list[answers.Example]],
    prompts: list[list[int]],
    seed: int,
    scratch: Path,
) -> None:
    """Train an adapter and leave it in ``scratch``, with what the training tells of itself.

    Args:
        base: The base model's folder.
        lora: The adapter's settings.
        here: The run's settings, as `devices.prepare` returns them.
        tokenizer: The base's.
        examples: Of the splits ``train`` and ``valid``.
        prompts: Prompts whose next-token logits are kept, to compare with.
        seed: Drives the adapter's start, order and dropout.
        scratch: Where checkpoints are.
    """
    quantization, pad_id = here["quantization"], tokenizer.pad_token_id
    model = adapters.load_base(base, quantization, here["device"], here["precision"])
    model = adapters.add_adapter(model, lora, seed)
    counts = count_parameters(adapters.empty_model(base), model, lora)
    frozen = adapters.frozen_sha256(model)
    rows, seconds = train(
        model,
        tokenizer,
        examples["train"],
        here,
        seed=seed,
        scratch=scratch,
        measure=lambda m: answers.mean_token_loss(m, examples["valid"], pad_id),
    )
    if adapters.frozen_sha256(model) != frozen:
        raise RuntimeError("training changed weights of the base model, which must stay frozen")
    if distributed.is_first():
        with atomic(scratch / TRAINED) as partial:
            model.save_pretrained(partial)
            rows.to_csv(partial / "history.csv", index=False)
            save_file({"logits": answers.last_logits(model, prompts)}, partial / "logits.st")
            told = {"counts": counts, "frozen_sha256": frozen, "train_seconds": seconds}
            write_json(partial / "training.json", told)


def main(
    *,
    base: Path,
    splits: dict[str, Path],
    settings: dict[str, Any],
    seed: int,
    adapter: Path,
    history: Path,
    parameters: Path,
    generations: Path,
    metrics: Path,
) -> None:
    """Train, or go on where a killed job stopped; then measure the base without and with it."""
    here = devices.prepare(settings)
    device, quantization = here["device"], settings["quantization"]
    empty = adapters.empty_model(base)
    lora = with_targets(settings["lora"], empty)
    find_targets(linear_shapes(empty), lora["target_modules"])
    inputs = [*splits.values(), *sorted(path for path in base.rglob("*") if path.is_file())]
    common = shared("finetune_lora", settings, inputs, here, *PACKAGES)

    tokenizer = adapters.load_tokenizer(base)
    records = {split: list(read_jsonl(path)) for split, path in splits.items()}
    examples = {
        split: answers.encode_pairs(
            tokenizer, records[split], settings["template"], loss, settings["max_tokens"]
        )
        # Held out, answers and their ends alone, whatever was learnt: experiments stay comparable.
        for split, loss in zip(SPLITS, (settings["loss"], settings["loss"], "answer"), strict=True)
    }
    sampling = {k: v for k, v in settings["generation"].items() if k != "questions"}
    questions = different_questions(records["heldout"], settings["generation"]["questions"])
    prompts = [
        answers.encode_prompt(tokenizer, settings["template"], question["question"])
        for question in questions
    ]
    compared, pad_id = prompts[:COMPARED], tokenizer.pad_token_id

    with training_scratch(metrics.parent, resume_key(seed, common)) as scratch:
        trained = scratch / TRAINED
        if not trained.exists():  # else what came after the training failed
            distributed.run(
                settings.get("processes", 1),
                train_adapter,
                base,
                lora,
                here,
                tokenizer,
                examples,
                compared,
                seed,
                scratch,
            )
            gc.collect()  # the model that was trained, before another one is loaded
        told = read_json(trained / "training.json")
        expected = load_file(trained / "logits.st")["logits"]

        started = time.monotonic()
        model = adapters.load_base(base, quantization, device, here["precision"])
        loss_before = answers.mean_token_loss(model, examples["heldout"], pad_id)
        valid_before = answers.mean_token_loss(model, examples["valid"], pad_id)
        before = answers.generate_answers(model, tokenizer, prompts, sampling, seed)
        model = peft.PeftModel.from_pretrained(model, trained)
        reload_difference = difference(answers.last_logits(model, compared), expected)
        loss_after = answers.mean_token_loss(model, examples["heldout"], pad_id)
        after = answers.generate_answers(model, tokenizer, prompts, sampling, seed)
        eval_seconds = time.monotonic() - started
        added = sum(p.numel() for name, p in model.named_parameters() if "lora_" in name)
        with atomic(adapter) as partial:
            model.save_pretrained(partial)
        merge_difference = None
        # Weights in fewer bits are not merged: rounding them anew changes the model.
        if quantization["type"] == "none" and here["precision"] != "bfloat16":
            merged = model.merge_and_unload()
            merge_difference = difference(answers.last_logits(merged, compared), expected)

        start = pd.DataFrame([{"epoch": 0.0, "split": "valid", "loss": valid_before, "update": 0}])
        with atomic(history) as partial:
            pd.concat([start, pd.read_csv(trained / "history.csv")]).to_csv(partial, index=False)
        counts = told["counts"]
        with atomic(parameters) as partial:
            pd.DataFrame(counts).to_csv(partial, index=False)
        write_jsonl(generations, generation_records(questions, before, after, sampling, seed))
        base_parameters = empty.num_parameters()
        texts_seen = settings["updates"] * settings["batch_size"] * settings["accumulation"]
        tokens = sum(len(e["input_ids"]) for e in examples["train"]) / len(examples["train"])
        write_json(
            metrics,
            {
                "experiment": settings["name"],
                "engine": "transformers",
                "dataset": settings["dataset"],
                "model": settings["model"],
                "seed": seed,
                "loss": settings["loss"],
                "quantization": quantization["type"],
                "heldout_loss_before": loss_before,
                "heldout_loss_after": loss_after,
                "perplexity_before": answers.perplexity(loss_before),
                "perplexity_after": answers.perplexity(loss_after),
                "stopped_fraction_before": stopped_fraction(before),
                "stopped_fraction": stopped_fraction(after),
                "trainable_parameters": sum(row["counted"] for row in counts),
                "base_parameters": base_parameters,
                "total_parameters": base_parameters + added,
                "frozen_sha256": told["frozen_sha256"],
                "reload_difference": reload_difference,
                "merge_difference": merge_difference,
                "train_seconds": round(told["train_seconds"], 2),
                "eval_seconds": round(eval_seconds, 2),
                "updates": settings["updates"],
                "tokens_per_second": round(texts_seen * tokens / told["train_seconds"], 1),
                **conditions(devices.name(device), common),
            },
        )


if __name__ == "__main__":
    with step(snakemake):
        main(
            base=Path(snakemake.input.base[0]),
            splits=dict(zip(SPLITS, map(Path, snakemake.input.questions), strict=True)),
            settings=snakemake.params.settings,
            seed=int(snakemake.wildcards.seed),
            # Declared as its two files, so that the folder itself is ours to replace.
            adapter=Path(snakemake.output.adapter_weights).parent,
            history=Path(snakemake.output.history),
            parameters=Path(snakemake.output.parameters),
            generations=Path(snakemake.output.generations),
            metrics=Path(snakemake.output.metrics),
        )
