"""Runs of the linear engine on small texts."""

from pathlib import Path
from typing import Any

import train_linear
from seedwise.files import write_json, write_jsonl
from seedwise.training.runs import Run
from support.small_texts import RECORDS

LABELS = ["negative", "positive"]
SPLITS = {"train": RECORDS[:80], "valid": RECORDS[80:100], "test": RECORDS[100:]}


def make_run(
    folder: Path,
    splits: dict[str, list[dict[str, str]]] = SPLITS,
    labels: list[str] = LABELS,
    **linear: Any,
) -> Run:
    """Write data below ``folder``; return a run on them, with the schema's defaults."""
    data = folder / "data"
    write_json(data / "audit.json", {"labels": labels})
    for split, records in splits.items():
        write_jsonl(data / f"{split}.jsonl", records)
    settings = {"features": ["words", "characters"], "C": [0.1, 1, 10, 100]} | linear
    settings.setdefault("class_weights", None)
    return Run(
        experiment="linear",
        seed=0,
        settings={
            **{"engine": "linear", "init": "none", "dataset": "reviews", "model": "linear"},
            "selection": "accuracy",
            "linear": settings | {"precision": "float64", "threads": 1},
        },
        data=data,
        inputs=sorted(data.iterdir()),
        script="train_linear",
    )


def train(run: Run, folder: Path) -> dict[str, Path]:
    """Run the script; return the paths of its outputs, named as in a study."""
    paths = {
        "history": folder / "history.csv",
        "predictions": folder / "predictions.csv",
        "metrics": folder / "metrics.json",
        "model": folder / "model",
    }
    train_linear.main(run=run, **paths)
    return paths
