"""Train a LoRA adapter on questions and answers, and measure it before and after.

Inputs: the base model's folder and the question splits. Outputs: ``adapter/`` (peft's format),
``history.csv`` (epoch, split, loss in nats per token, update), ``parameters.csv`` (what is
trained, by layer), ``generations.jsonl`` and ``metrics.json``.
"""

import time
from pathlib import Path
from typing import Any

import pandas as pd
import peft
from transformers import PreTrainedModel

from seedwise.environment import conditions, resume_key, shared
from seedwise.files import atomic, read_jsonl, write_json, write_jsonl
from seedwise.lora import adapters, answers
from seedwise.lora.causal_training import train
from seedwise.lora.questions import SPLITS
from seedwise.machine import device as devices
from seedwise.machine.scratch import training_scratch
from seedwise.step import step

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes")
# Logits of this many held-out prompts are compared before and after reloading and merging.
COMPARED = 8
# Largest difference of logits, as a share of the largest one: float32's rounding.
TOLERANCE = 1e-5


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


def check_adapter(
    trained: peft.PeftModel,
    base: Path,
    adapter: Path,
    quantization: dict[str, Any],
    device: str,
    prompts: list[list[int]],
) -> dict[str, float | None]:
    """Load the adapter into a fresh base, merge it, and compare logits with the trained model's.

    Returns:
        ``reload_difference`` and ``merge_difference``, the largest absolute differences of
        next-token logits. 4-bit weights are not merged: rounding them anew changes the model.

    Raises:
        RuntimeError: The adapter does not give the trained model back.
    """
    expected = answers.last_logits(trained, prompts)
    reloaded = peft.PeftModel.from_pretrained(
        adapters.load_base(base, quantization, device), adapter
    )
    reload_difference = (answers.last_logits(reloaded, prompts) - expected).abs().max().item()
    merge_difference = None
    if quantization["type"] == "none":
        merged: PreTrainedModel = reloaded.merge_and_unload()
        merge_difference = (answers.last_logits(merged, prompts) - expected).abs().max().item()
    allowed = TOLERANCE * max(1.0, expected.abs().max().item())
    if max(reload_difference, merge_difference or 0.0) > allowed:
        raise RuntimeError(
            f"the saved adapter is not the trained one: logits differ by {reload_difference} "
            f"loaded again and by {merge_difference} merged"
        )
    return {"reload_difference": reload_difference, "merge_difference": merge_difference}


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
    """Train, or go on where a killed job stopped."""
    here = devices.prepare(settings)
    device, quantization = here["device"], settings["quantization"]
    empty = adapters.empty_model(base)
    lora = adapters.with_targets(settings["lora"], empty.config.model_type)
    adapters.find_targets(adapters.linear_shapes(empty), lora["target_modules"])
    inputs = [*splits.values(), *sorted(path for path in base.rglob("*") if path.is_file())]
    common = shared("finetune_lora", settings, inputs, here, *PACKAGES)

    tokenizer = adapters.load_tokenizer(base)
    records = {split: list(read_jsonl(path)) for split, path in splits.items()}

    def encode(split: str, loss: str) -> list[answers.Example]:
        return answers.encode_pairs(
            tokenizer, records[split], settings["template"], loss, settings["max_tokens"]
        )

    train_examples = encode("train", settings["loss"])
    valid_examples = encode("valid", settings["loss"])
    # Of the answers and their ends alone, whatever was learnt: experiments stay comparable.
    heldout_examples = encode("heldout", "answer")
    sampling = {k: v for k, v in settings["generation"].items() if k != "questions"}
    questions = different_questions(records["heldout"], settings["generation"]["questions"])
    prompts = [
        answers.encode_prompt(tokenizer, settings["template"], question["question"])
        for question in questions
    ]
    pad_id = tokenizer.pad_token_id

    model = adapters.load_base(base, quantization, device)
    started = time.monotonic()
    loss_before = answers.mean_token_loss(model, heldout_examples, pad_id)
    valid_before = answers.mean_token_loss(model, valid_examples, pad_id)
    before = answers.generate_answers(model, tokenizer, prompts, sampling, seed)
    eval_seconds = time.monotonic() - started

    model = adapters.add_adapter(model, lora, seed)
    counts = adapters.count_parameters(empty, model, lora)
    frozen = adapters.frozen_sha256(model)
    with training_scratch(metrics.parent, resume_key(seed, common)) as scratch:
        rows, train_seconds = train(
            model,
            tokenizer,
            train_examples,
            here,
            seed=seed,
            scratch=scratch,
            measure=lambda m: answers.mean_token_loss(m, valid_examples, pad_id),
        )
        if adapters.frozen_sha256(model) != frozen:
            raise RuntimeError("training changed weights of the base model, which must stay frozen")

        started = time.monotonic()
        loss_after = answers.mean_token_loss(model, heldout_examples, pad_id)
        after = answers.generate_answers(model, tokenizer, prompts, sampling, seed)
        eval_seconds += time.monotonic() - started

        with atomic(adapter) as partial:
            model.save_pretrained(partial)
        differences = check_adapter(model, base, adapter, quantization, device, prompts[:COMPARED])
        start = pd.DataFrame([{"epoch": 0.0, "split": "valid", "loss": valid_before, "update": 0}])
        with atomic(history) as partial:
            pd.concat([start, rows]).to_csv(partial, index=False)
        with atomic(parameters) as partial:
            pd.DataFrame(counts).to_csv(partial, index=False)
        write_jsonl(generations, generation_records(questions, before, after, sampling, seed))
        base_parameters = empty.num_parameters()
        trainable = sum(row["counted"] for row in counts)
        added = sum(p.numel() for name, p in model.named_parameters() if "lora_" in name)
        texts_seen = settings["updates"] * settings["batch_size"] * settings["accumulation"]
        tokens = sum(len(e["input_ids"]) for e in train_examples) / len(train_examples)
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
                "trainable_parameters": trainable,
                "base_parameters": base_parameters,
                "total_parameters": base_parameters + added,
                "frozen_sha256": frozen,
                **differences,
                "train_seconds": round(train_seconds, 2),
                "eval_seconds": round(eval_seconds, 2),
                "updates": settings["updates"],
                "tokens_per_second": round(texts_seen * tokens / train_seconds, 1),
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
