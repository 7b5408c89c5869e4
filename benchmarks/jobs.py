"""The work that is timed: each job runs in a process of its own, `python jobs.py JOB FOLDER`.

``FOLDER`` is what `workload.prepare` wrote. A stock job is what a user would run without Seedwise:
fairseq's own commands with the study's flags, through the import shim and nothing else, and
transformers' Trainer as `run_glue.py` sets it up. A fast job is Seedwise's own script.
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
sys.path[:0] = map(str, [SCRIPTS, SCRIPTS / "tokens", SCRIPTS / "training"])

from seedwise.environment import peak_rss_mib
from seedwise.files import read_json, read_jsonl

MAX_POSITIONS = 256
SPLITS = ("train", "valid", "test")


def _stock(architecture: dict[str, Any]) -> dict[str, Any]:
    """Return what fairseq's own RoBERTa knows of an architecture."""
    return {k: v for k, v in architecture.items() if k not in ("layer_norm_eps", "head_activation")}


def stock_fairseq(folder: Path, output: Path, seed: int) -> None:
    """Train with fairseq's own task and predict the test split, as `--valid-subset` does."""
    import torch

    from seedwise_fairseq import launch

    workload = read_json(folder / "workload.json")
    settings, finetune = workload["settings"], workload["settings"]["finetune"]
    updates = finetune["epochs"] * -(-workload["texts"]["train"] // finetune["batch_size"])
    options = {
        "task": "sentence_prediction",
        "criterion": "sentence_prediction",
        "classification-head-name": "sentence_classification_head",
        "num-classes": 2,
        "init-token": 0,
        "separator-token": 2,
        **launch.architecture_options(_stock(settings["architecture"])),
        "optimizer": "adam",
        "adam-betas": "(0.9, 0.98)",
        "adam-eps": 1e-8,
        "weight-decay": 0.01,
        "lr": finetune["learning_rate"],
        "lr-scheduler": "polynomial_decay",
        "warmup-updates": round(0.06 * updates),
        "total-num-update": updates,
        "max-update": updates,
        "max-epoch": finetune["epochs"],
        "batch-size": finetune["batch_size"],
        "valid-subset": "valid,test",
        "best-checkpoint-metric": "accuracy",
        "maximize-best-checkpoint-metric": True,
        "no-epoch-checkpoints": True,
        "log-format": "json",
        "cpu": not torch.cuda.is_available(),
        "seed": seed,
        "save-dir": str(output),
    }
    start = folder / workload.get("stock_model", "model.pt")
    if start.exists():
        options["finetune-from-model"] = str(start)
    launch.run("train", str(folder / "binarized"), options=options)


def predict_fairseq(folder: Path, output: Path, seed: int) -> None:
    """Predict the test split with the checkpoint that `stock_fairseq` kept."""
    import seedwise_fairseq  # noqa: F401, I001  # first: fairseq cannot be imported without it
    import numpy as np
    import torch
    from fairseq.models.roberta import RobertaModel

    from seedwise.tokens.indexed import read_texts

    trained = output.with_name(f"stock_fairseq-{seed}")
    model = RobertaModel.from_pretrained(
        str(trained), "checkpoint_best.pt", str(folder / "binarized"), bpe="characters"
    ).eval()
    begin = model.task.source_dictionary.bos()
    texts = read_texts(folder / "binarized" / "input0" / "test")
    inputs = (torch.tensor([begin, *text.tolist()]) for text in texts)
    head = "sentence_classification_head"
    predicted = [int(model.predict(head, tokens).argmax()) for tokens in inputs]
    np.savetxt(output / "predictions.txt", predicted, fmt="%d")


def stock_transformers(folder: Path, output: Path, seed: int) -> None:
    """Train with transformers' Trainer on padded texts, validate, predict the test split."""
    sys.modules["peft"] = None  # type: ignore[assignment]  # a second of imports, for adapters

    import numpy as np
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        Trainer,
        TrainingArguments,
        default_data_collator,
        set_seed,
    )

    workload = read_json(folder / "workload.json")
    finetune = workload["settings"]["finetune"]
    tokenizer = AutoTokenizer.from_pretrained(folder / "transformers")

    def examples(split: str) -> list[dict[str, Any]]:
        records = list(read_jsonl(folder / "data" / f"{split}.jsonl"))
        encoded = tokenizer(
            [record["text"] for record in records],
            padding="max_length",
            max_length=workload.get("stock_length", MAX_POSITIONS),
            truncation=True,
        )
        labels = [workload["labels"].index(record["label"]) for record in records]
        keys = ("input_ids", "attention_mask")
        return [
            {"label": label, **dict(zip(keys, values, strict=True))}
            for label, *values in zip(labels, *(encoded[key] for key in keys), strict=True)
        ]

    set_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder / "transformers", num_labels=2, dtype=torch.float32
    )
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(output),
            seed=seed,
            num_train_epochs=finetune["epochs"],
            per_device_train_batch_size=finetune["batch_size"],
            learning_rate=finetune["learning_rate"],
            warmup_steps=0.06,
            weight_decay=0.01,
            adam_beta2=0.98,
            eval_strategy="epoch",
            save_strategy=workload.get("stock_saves", "steps"),
            load_best_model_at_end=workload.get("stock_saves") == "epoch",
            metric_for_best_model="accuracy" if workload.get("stock_saves") == "epoch" else None,
            use_cpu=not torch.cuda.is_available(),
            disable_tqdm=True,
        ),
        train_dataset=examples("train"),
        eval_dataset=examples("valid"),
        data_collator=default_data_collator,
        processing_class=tokenizer,
        compute_metrics=lambda predicted: {
            "accuracy": float((predicted.predictions.argmax(-1) == predicted.label_ids).mean())
        },
    )
    trainer.train()
    trainer.save_model()
    predicted = trainer.predict(examples("test"))
    np.savetxt(output / "predictions.txt", predicted.predictions.argmax(-1), fmt="%d")


def _fast(engine: str, folder: Path, output: Path, seed: int) -> dict[str, Any]:
    from seedwise.training.runs import Run

    run = Run(
        experiment="bench",
        seed=seed,
        settings=read_json(folder / "workload.json")["settings"] | {"engine": engine},
        data=folder / "data",
        inputs=sorted((folder / "data").iterdir()),
        script=f"finetune_{engine}",
    )
    names = ("history.csv", "predictions.csv", "metrics.json")
    return {"run": run, **{Path(name).stem: output / name for name in names}}


def fast_fairseq(folder: Path, output: Path, seed: int) -> None:
    """Do what rule finetune_fairseq does."""
    import finetune_fairseq

    sizes = folder / "fairseq.json"
    finetune_fairseq.main(
        **_fast("fairseq", folder, output, seed),
        binarized=folder / "binarized",
        pretrained=folder / "model.pt",
        architecture=sizes if sizes.exists() else None,
        model=output / "model.pt",
    )


def fast_transformers(folder: Path, output: Path, seed: int) -> None:
    """Do what rule finetune_transformers does."""
    sys.modules["peft"] = None  # type: ignore[assignment]  # as the script does

    import finetune_transformers

    finetune_transformers.main(
        **_fast("transformers", folder, output, seed),
        start=folder / "transformers",
        tokenizer_files=[],
        model=output / "model",
    )


def stock_preprocess(folder: Path, output: Path, seed: int) -> None:
    """Encode line by line, as the study does, then fairseq-preprocess with two workers."""
    import sentencepiece

    from seedwise_fairseq import launch

    processor = sentencepiece.SentencePieceProcessor(
        model_file=str(folder / "sentencepiece.bpe.model")
    )
    pieces = output / "train.pieces"
    with pieces.open("w", encoding="utf-8") as stream:
        for record in read_jsonl(folder / "many.jsonl"):
            words = processor.encode(record["text"], out_type=str)
            stream.write(" ".join(words[: MAX_POSITIONS - 2]) + "\n")
    options = {"only-source": True, "srcdict": folder / "dict.txt", "workers": 2}
    options |= {"trainpref": pieces, "destdir": output / "binarized"}
    launch.run("preprocess", options=options)


def fast_preprocess(folder: Path, output: Path, seed: int) -> None:
    """Do what the rules encode_dataset and binarize_dataset do."""
    import binarize_dataset
    import encode_dataset

    encode_dataset.main(
        split=folder / "many.jsonl",
        tokenizer=folder / "sentencepiece.bpe.model",
        dictionary=folder / "dict.txt",
        max_positions=MAX_POSITIONS,
        threads=2,
        tokens=output / "binarized" / "input0" / "many",
        counts=output / "audit.json",
    )
    binarize_dataset.main(
        splits=[folder / "many.jsonl"],
        dictionary=folder / "dict.txt",
        audit=folder / "data" / "audit.json",
        output=output / "binarized",
    )


JOBS = {
    job.__name__: job
    for job in (
        stock_fairseq,
        predict_fairseq,
        fast_fairseq,
        stock_transformers,
        fast_transformers,
        stock_preprocess,
        fast_preprocess,
    )
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    shutil.rmtree(given.output, ignore_errors=True)
    given.output.mkdir(parents=True)
    JOBS[given.job](given.folder, given.output, given.seed)
    (given.output / "peak_mib").write_text(str(peak_rss_mib()))
