"""Hashes by which the results of two runs are compared."""

from pathlib import Path
from typing import Any

from seedwise.environment import SHARED
from seedwise.files import read_json, sha256_of_files

RESULTS = (
    "history.csv",
    "predictions.csv",
    "generations.jsonl",
    "model.pt",
    "model/model.safetensors",
    "model/vocabulary.json",
    "adapter/adapter_model.safetensors",
)
"""What a run may leave that must come back bit for bit; times and memory are not among it."""

CAUSES = (*SHARED, "device")
"""What a result depends on, in ``metrics.json``."""


def fingerprints(run: Path) -> dict[str, str]:
    """Return the SHA-256 of each result in a run's folder.

    Beside ``model.pt``, the folder ``model`` is no result: `make export` makes it, at any time.
    """
    names = [name for name in RESULTS if (run / name).is_file()]
    if "model.pt" in names:
        names = [name for name in names if not name.startswith("model/")]
    return {name: sha256_of_files([run / name]) for name in names}


def different_causes(first: Path, second: Path) -> dict[str, tuple[Any, Any]]:
    """Return what two runs' results depend on and in which they differ, with both values."""
    one, other = (read_json(run / "metrics.json") for run in (first, second))
    return {
        cause: (one.get(cause), other.get(cause))
        for cause in CAUSES
        if one.get(cause) != other.get(cause)
    }
