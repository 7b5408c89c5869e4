"""Everything that stands before a run, made by the rules' own scripts in a second or two."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import binarize_dataset
import encode_dataset
from seedwise.files import read_json, write_json, write_jsonl
from seedwise.study.selection import main_measure
from seedwise.training.runs import Run
from seedwise_fairseq import tasks
from seedwise_fairseq.build import build_model, model_options
from seedwise_fairseq.launch import export_model
from support.small_texts import RECORDS, VOCAB_SIZE, train_sentencepiece

SPLITS = ("train", "valid", "test")
LABELS = ["negative", "positive"]
ARCHITECTURE = {
    "layers": 2,
    "embed_dim": 32,
    "ffn_dim": 48,
    "attention_heads": 4,
    "max_positions": 24,
    "vocab_size": VOCAB_SIZE,
    "dropout": 0.1,
    "attention_dropout": 0.1,
    "pooler_dropout": 0.0,
}
FINETUNE = {
    "epochs": 3,
    "batch_size": 8,
    "eval_batch_size": 16,
    "learning_rate": 3.0e-3,
    "warmup_ratio": 0.06,
    "adam_betas": [0.9, 0.98],
    "adam_eps": 1e-8,
    "weight_decay": 0.01,
    "clip_norm": 0.0,
    "class_weights": None,
    "patience": None,
    "group_by_length": True,
    "checkpoint_minutes": 0,
    "checkpoint_updates": 0,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
    "processes": 1,
}
# Line separators that are none, what fairseq and SentencePiece take for space, and no text.
HOSTILE = ["a\u2028b\u0085c", "a\u00a0b\u3000c\u001cd\te", "\u200b", "", "Ⅷ ﬁ <mask> </s> <pad>"]


@dataclass(frozen=True)
class Chain:
    """The folders of one data set and model, named as in a study's results."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens"

    @property
    def binarized(self) -> Path:
        return self.folder / "binarized"

    @property
    def pretrained(self) -> Path:
        return self.folder / "pretrained" / "model.pt"


def split_records() -> dict[str, list[dict[str, str]]]:
    """Return the small texts in splits, every class in each, with hostile ones in the test."""
    hostile = [
        {"id": f"hostile:{number}", "text": text, "label": LABELS[number % 2]}
        for number, text in enumerate(HOSTILE)
    ]
    return {"train": RECORDS[:80], "valid": RECORDS[80:100], "test": [*RECORDS[100:], *hostile]}


def write_chain(
    folder: Path,
    records: dict[str, list[dict[str, str]]] | None = None,
    labels: list[str] | None = None,
    **audit: Any,
) -> Chain:
    """Write data, tokens and binarized files, and a fairseq checkpoint with random weights.

    ``audit`` is what else is known of the data.
    """
    chain = Chain(folder)
    write_json(chain.data / "audit.json", {"labels": labels or LABELS, **audit})
    chain.tokens.mkdir(parents=True)
    sentencepiece = train_sentencepiece(chain.tokens)
    for split, texts in (records or split_records()).items():
        write_jsonl(chain.data / f"{split}.jsonl", texts)
        encode_dataset.main(
            split=chain.data / f"{split}.jsonl",
            tokenizer=sentencepiece,
            dictionary=chain.tokens / "dict.txt",
            max_positions=ARCHITECTURE["max_positions"],
            threads=1,
            tokens=chain.binarized / "input0" / split,
            counts=chain.tokens / f"{split}.audit.json",
        )
    binarize_dataset.main(
        dictionary=chain.tokens / "dict.txt",
        splits=[chain.data / f"{split}.jsonl" for split in SPLITS],
        audit=chain.data / "audit.json",
        output=chain.binarized,
    )
    write_checkpoint(chain.pretrained)
    return chain


def write_checkpoint(path: Path, seed: int = 0) -> None:
    """Write a fairseq checkpoint as pre-training leaves it, but with random weights.

    They are larger than fresh ones, so that texts differ in what comes out.
    """
    torch.manual_seed(seed)
    options = model_options(ARCHITECTURE)
    options.task = options.criterion = "masked_lm"
    weights = build_model(ARCHITECTURE).state_dict()
    for weight in weights.values():
        torch.nn.init.normal_(weight, std=0.3) if weight.dim() > 1 else weight.add_(0.1)
    export_model({"model": weights, "args": options}, path)


def sentence_task(chain: Chain, **options: Any) -> tasks.SeedwiseSentencePredictionTask:
    """Return fairseq's task on the binarized files."""
    config = tasks.SeedwiseSentencePredictionConfig(
        data=str(chain.binarized), num_classes=2, init_token=0, separator_token=2, seed=3
    )
    config.max_positions = ARCHITECTURE["max_positions"]
    for name, value in options.items():
        setattr(config, name, value)
    return tasks.SeedwiseSentencePredictionTask.setup_task(config)


def run_settings(engine: str, init: str = "random", **finetune: Any) -> dict[str, Any]:
    """Return a run's settings as `seedwise.study.entries.run_settings` gives them."""
    return {
        "engine": engine,
        "init": init,
        "dataset": "reviews",
        "model": "tiny",
        "finetune": FINETUNE | finetune,
        "architecture": ARCHITECTURE,
        "model_source": {},
        "selection": "accuracy",
    }


def make_run(
    chain: Chain, engine: str, init: str = "random", seed: int = 0, **finetune: Any
) -> Run:
    """Return a run on the chain's data, as the engine's rule makes it."""
    scored = "range" in read_json(chain.data / "audit.json")
    return Run(
        experiment="e",
        seed=seed,
        settings=run_settings(engine, init, **finetune) | {"selection": main_measure(scored)},
        data=chain.data,
        inputs=sorted(chain.data.iterdir()),
        script=f"finetune_{engine}",
    )


def score_records() -> dict[str, list[dict[str, Any]]]:
    """Return the splits with a score from 0 to 10 for each text: high for a positive one."""
    return {
        split: [
            record | {"label": 7.0 * LABELS.index(record["label"]) + number % 7 / 2}
            for number, record in enumerate(records)
        ]
        for split, records in split_records().items()
    }


def majority_records() -> dict[str, list[dict[str, str]]]:
    """Return splits with the labels "0" and "1", in which the training texts are mostly "1".

    fairseq, left to itself, would number the classes by frequency.
    """
    records = [record | {"label": str(LABELS.index(record["label"]))} for record in RECORDS]
    ones = [record for record in records if record["label"] == "1"]
    zeros = [record for record in records if record["label"] == "0"]
    return {
        "train": ones[:44] + zeros[:24],
        "valid": ones[44:54] + zeros[24:34],
        "test": ones[54:] + zeros[34:],
    }
