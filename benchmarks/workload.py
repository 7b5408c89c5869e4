"""The data and the model that the benchmarks work on, made once, by Seedwise's own scripts."""

import itertools
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "scripts" / "tokens")]

import yaml
from snakemake.utils import validate

import binarize_dataset
import encode_dataset
import train_tokenizer
from seedwise.files import read_json, read_jsonl, write_json, write_jsonl, write_text
from seedwise.study import entries, validation
from seedwise.tokens.vocabulary import ADDED_SYMBOLS

ARCHIVE = ROOT.parent / "shared" / "data" / "cls.books.zip"
SPLITS = ("train", "valid", "test")
LABELS = ["0", "1"]
REVIEW_CHARACTERS = 580
"""Mean length of a review of CLS-Books."""

# Reviews of 1,600 texts hold no 32,000 different pieces; the other rows are never used.
VOCAB_SIZE, PIECES = 32000, 8000


def snakemake(config: Path, *arguments: str | Path) -> list[str | Path]:
    """Return the command that runs a study in the working directory, on all cores."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    # The option takes all words up to the next: it comes last, behind files that are asked for.
    return [*command, "--cores", "all", *arguments, "--configfile", config]


def _settings(study: str, experiment: str, finetune: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run of a study, with some hyper-parameters of one's own."""
    config = yaml.safe_load((ROOT / study).read_text(encoding="utf-8"))
    entries.merge_hyperparameters(config)
    validate(config, str(validation.CONFIG_SCHEMA))
    settings = entries.run_settings(config, experiment)
    settings["finetune"] |= finetune
    return settings


def study_settings(**finetune: Any) -> dict[str, Any]:
    """Return the settings of a run of the study, a RoBERTa-small of full size.

    Args:
        finetune: hyper-parameters in which the run differs from `configs/cls-books.yaml`.
    """
    settings = _settings("configs/cls-books.yaml", "fairseq-pretrained", finetune)
    settings["architecture"]["vocab_size"] = VOCAB_SIZE
    return settings


def cls_books() -> dict[str, list[dict[str, str]]]:
    """Return the splits of CLS-Books from the local archive."""
    splits = {}
    with zipfile.ZipFile(ARCHIVE) as archive:
        for split in SPLITS:
            columns = [
                archive.read(f"cls.books/{split}.{part}").decode().split("\n")[:-1]
                for part in ("review", "label")
            ]
            splits[split] = [
                {"id": f"{split}:{number}", "text": text, "label": label}
                for number, (text, label) in enumerate(zip(*columns, strict=True))
            ]
    return splits


def lengthened(records: Iterable[dict[str, str]], count: int) -> list[dict[str, str]]:
    """Join texts of the same label to ``count`` of about `REVIEW_CHARACTERS`, half of each label.

    Texts come again, in the same order, where there are too few.
    """
    records = list(records)
    texts = []
    for label in sorted({record["label"] for record in records}):
        same = itertools.cycle([record["text"] for record in records if record["label"] == label])
        joined = (_joined(same) for _ in itertools.count())
        texts.append([(text, label) for text in itertools.islice(joined, count // 2)])
    pairs = itertools.chain.from_iterable(zip(*texts, strict=True))
    return [{"id": str(n), "text": text, "label": label} for n, (text, label) in enumerate(pairs)]


def _joined(texts: Iterator[str]) -> str:
    review = next(texts)
    while len(review) < REVIEW_CHARACTERS:
        review += " " + next(texts)
    return review


def default_study() -> dict[str, list[dict[str, str]]]:
    """Return the default study's texts, lengthened to the statistics of CLS-Books."""
    data = ROOT / "results" / "demo" / "data" / "movie-reviews"
    target = data.relative_to(ROOT) / "train.jsonl"
    subprocess.run(snakemake(ROOT / "config.yaml", target), cwd=ROOT, check=True)
    names = {"negative": "0", "positive": "1"}
    sizes = {"train": 1600, "valid": 400, "test": 600}
    return {
        split: lengthened(
            (r | {"label": names[r["label"]]} for r in read_jsonl(data / f"{split}.jsonl")),
            sizes[split],
        )
        for split in SPLITS
    }


def prepare(folder: Path, sizes: dict[str, int], settings: dict[str, Any]) -> dict[str, Any]:
    """Write data, tokens and a model with random weights in both formats; return the workload.

    Args:
        folder: where to.
        sizes: largest number of texts of each split.
        settings: what the model and the training are, see `study_settings`.
    """
    architecture = settings["architecture"]
    splits = cls_books() if ARCHIVE.exists() else default_study()
    splits = {split: records[: sizes[split]] for split, records in splits.items()}
    for split, records in splits.items():
        write_jsonl(folder / "data" / f"{split}.jsonl", records)
    write_json(folder / "data" / "audit.json", {"labels": LABELS})
    model, dictionary = folder / "sentencepiece.bpe.model", folder / "dict.txt"
    corpus = folder / "corpus.txt"
    every = [*splits["train"], *splits["valid"], *splits["test"]]
    write_text(corpus, "".join(" ".join(record["text"].split()) + "\n" for record in every))
    train_tokenizer.main(
        corpus=[corpus],
        tokenizer={"type": "unigram", "character_coverage": 0.9995, "sample_texts": 10**6},
        vocab_size=min(PIECES, 2 * len(every)),
        output_sentencepiece=model,
        output_dictionary=dictionary,
    )
    pieces = dictionary.read_text(encoding="utf-8")
    missing = VOCAB_SIZE - ADDED_SYMBOLS - pieces.count("\n")
    write_text(dictionary, pieces + "".join(f"madeupword{n:05} 0\n" for n in range(missing)))
    for split in SPLITS:
        encode_dataset.main(
            split=folder / "data" / f"{split}.jsonl",
            tokenizer=model,
            dictionary=dictionary,
            max_positions=architecture["max_positions"],
            threads=1,
            tokens=folder / "binarized" / "input0" / split,
            counts=folder / "tokens" / f"{split}.audit.json",
        )
    binarize_dataset.main(
        splits=[folder / "data" / f"{split}.jsonl" for split in SPLITS],
        dictionary=dictionary,
        audit=folder / "data" / "audit.json",
        output=folder / "binarized",
    )
    _write_model(folder, architecture)
    prepared = {
        "data": "CLS-Books" if ARCHIVE.exists() else "the default study's texts, lengthened",
        "labels": LABELS,
        "texts": {split: len(records) for split, records in splits.items()},
        "settings": settings,
    }
    write_json(folder / "workload.json", prepared)
    return prepared


def _write_model(folder: Path, architecture: dict[str, Any]) -> None:
    """Write a model with random weights for fairseq and for transformers."""
    import torch

    from seedwise.models.conversion import build_model, build_tokenizer
    from seedwise_fairseq import build, launch

    torch.manual_seed(0)
    options = build.model_options(architecture)
    options.task = options.criterion = "masked_lm"
    weights = build.build_model(architecture).state_dict()
    history = {"num_updates": 0, "lr_scheduler_state": {}, "optimizer_name": "none"}
    checkpoint = {"model": weights, "args": options, "optimizer_history": [history]}
    launch.export_model(checkpoint, folder / "model.pt")
    build_model(weights, architecture, None, "").save_pretrained(folder / "transformers")
    build_tokenizer(
        folder / "sentencepiece.bpe.model", folder / "dict.txt", architecture["max_positions"]
    ).save_pretrained(folder / "transformers")


def prepare_minilm(folder: Path, **finetune: Any) -> dict[str, Any]:
    """Make MiniLM for both engines and the default study's texts by its rules; return the workload.

    Args:
        folder: where to.
        finetune: hyper-parameters in which a run differs from `config.yaml`.
    """
    import torch

    from seedwise.models.checkpoints import load_checkpoint

    study, model, data = Path("results/demo"), "pretrained/minilm", "movie-reviews"
    targets = [f"{model}/conversion.json", f"{model}/transformers/config.json"]
    targets += [f"binarized/minilm/{data}/{part}/dict.txt" for part in ("input0", "label")]
    command = snakemake(ROOT / "config.yaml", *(study / target for target in targets))
    folder.mkdir(parents=True)
    with (folder / "log").open("w") as log:
        subprocess.run(command, cwd=folder, stdout=log, stderr=log, check=True)
    for name, place in {
        "data": f"data/{data}",
        "binarized": f"binarized/minilm/{data}",
        "transformers": f"{model}/transformers",
        "model.pt": f"{model}/model.pt",
        "fairseq.json": f"{model}/fairseq.json",
    }.items():
        (folder / name).symlink_to(study / place)
    # fairseq's own RoBERTa has no place for BERT's pooler.
    checkpoint = load_checkpoint(folder / "model.pt")
    weights = checkpoint["model"].items()
    checkpoint["model"] = {k: v for k, v in weights if not k.startswith("pooler.")}
    torch.save(checkpoint, folder / "without_pooler.pt")
    settings = _settings("config.yaml", "fairseq-minilm", finetune)
    settings["architecture"] = read_json(folder / "fairseq.json")
    audit = read_json(folder / "data" / "audit.json")
    prepared = {
        "labels": audit["labels"],
        "texts": {split: audit["splits"][split]["texts"] for split in SPLITS},
        "settings": settings,
        "stock_model": "without_pooler.pt",
        "stock_length": 128,  # run_glue.py's own
    }
    write_json(folder / "workload.json", prepared)
    return prepared


def write_many(folder: Path, count: int) -> None:
    """Write ``many.jsonl``: ``count`` reviews, the data's own again and again."""
    texts = [r["text"] for split in SPLITS for r in read_jsonl(folder / "data" / f"{split}.jsonl")]
    with (folder / "many.jsonl").open("w", encoding="utf-8") as stream:
        for number, text in zip(range(count), itertools.cycle(texts), strict=False):
            record = {"id": str(number), "text": text, "label": LABELS[number % 2]}
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")
