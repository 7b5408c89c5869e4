"""A BLOOM of a few thousand weights, some questions, and a LoRA run's settings."""

from pathlib import Path
from typing import Any

from seedwise.files import write_jsonl

ARCHITECTURE = {"layers": 2, "hidden_size": 64, "attention_heads": 2, "vocab_size": 320}
CORPUS = ["the cat sat on the mat", "what is a dog? a dog is an animal", "yes, no, maybe"] * 20
ALL_LINEAR = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]


def write_base(folder: Path) -> Path:
    """Save a tiny BLOOM with random weights, and its tokenizer."""
    from pretrain_bloom import build_bloom, train_tokenizer

    model = build_bloom(ARCHITECTURE, seed=0)
    # Fresh weights are so small that no adapter could make any token likely.
    model.get_input_embeddings().weight.data *= 20
    model.save_pretrained(folder)
    train_tokenizer(CORPUS, ARCHITECTURE["vocab_size"]).save_pretrained(folder)
    return folder


def write_questions(folder: Path) -> dict[str, Path]:
    """Write splits whose answers are short and easy to learn."""
    paths = {}
    for split, size in {"train": 12, "valid": 4, "heldout": 6}.items():
        paths[split] = folder / f"{split}.jsonl"
        records = [
            {"id": f"{split}-{i}", "question": f"what is {split} {i}?", "answer": "a dog"}
            for i in range(size)
        ]
        write_jsonl(paths[split], records)
    return paths


def run_settings(**changes: Any) -> dict[str, Any]:
    """Return a run's settings as `seedwise.study.lora_entries.lora_settings` gives them."""
    settings = {
        "name": "tiny",
        "model": "tiny-bloom",
        "dataset": "dogs",
        "template": "<human>: {question}\n<assistant>: {answer}",
        "loss": "answer",
        "max_tokens": 64,
        "lora": {
            "r": 4,
            "lora_alpha": 8,
            "target_modules": ALL_LINEAR,
            "lora_dropout": 0.05,
            "bias": "none",
        },
        "quantization": {"type": "none", "double_quant": True, "compute_dtype": "float32"},
        "batch_size": 1,
        "accumulation": 2,
        "updates": 12,
        "learning_rate": 1e-2,
        "schedule": "cosine",
        "warmup_ratio": 0.05,
        "weight_decay": 0.0,
        "clip_norm": 1.0,
        "eval_updates": 4,
        "checkpoint_minutes": 0,
        "checkpoint_updates": 4,
        "generation": {
            "questions": 4,
            "max_new_tokens": 12,
            "temperature": 0.7,
            "top_p": 0.7,
            "top_k": 50,
        },
        "device": "cpu",
        "precision": "float32",
        "threads": 1,
    }
    return settings | changes
