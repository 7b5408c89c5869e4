"""Finished runs, read back from their folders."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from seedwise.errors import UserError
from seedwise.files import read_json

Metrics = dict[str, Any]

# Runs may be averaged only where all of these agree.
HASHES = ("code_sha256", "config_sha256", "data_sha256")


def read_metrics(paths: Sequence[Path]) -> list[Metrics]:
    """Read the ``metrics.json`` of each run.

    Raises:
        UserError: A file is not JSON or lacks a field that every run must have.
    """
    runs = []
    for path in paths:
        try:
            metrics = read_json(path)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: not valid JSON ({error}); delete it and run again") from None
        missing = [key for key in ("experiment", "seed", "test_accuracy") if key not in metrics]
        if missing:
            raise UserError(f"{path}: missing {', '.join(missing)}; delete it and run again")
        runs.append(metrics)
    return runs


def check_consistent(runs: Sequence[Metrics], paths: Sequence[Path]) -> None:
    """Refuse to average runs of one experiment that differ in code, configuration or data.

    Raises:
        UserError: Names the runs, the field in which they differ and the command that mends it.
    """
    for experiment in dict.fromkeys(run["experiment"] for run in runs):
        chosen = [
            (run, path)
            for run, path in zip(runs, paths, strict=True)
            if run["experiment"] == experiment
        ]
        for field in HASHES:
            if len({run.get(field) for run, _ in chosen}) > 1:
                seen = ", ".join(
                    f"seed {run['seed']} has {str(run.get(field))[:12]}" for run, _ in chosen
                )
                files = " ".join(str(path) for _, path in chosen)
                raise UserError(
                    f"runs of experiment {experiment!r} differ in {field} ({seen}), so their mean "
                    "would mix different things; make them anew: "
                    f"`snakemake --configfile ... --cores all --forcerun {files}`, "
                    "or delete their folders"
                )


def scalar_table(runs: Sequence[Metrics]) -> pd.DataFrame:
    """Return a row per run with all fields that are neither lists nor objects."""
    rows = [
        {key: value for key, value in run.items() if not isinstance(value, dict | list)}
        for run in runs
    ]
    return pd.DataFrame(rows)


def read_histories(metrics: Sequence[Path], histories: Sequence[Path]) -> pd.DataFrame:
    """Join the runs' ``history.csv``; columns experiment, seed, epoch, split, loss, accuracy."""
    frames = [
        pd.read_csv(history).assign(experiment=run["experiment"], seed=run["seed"])
        for run, history in zip(read_metrics(metrics), histories, strict=True)
    ]
    return pd.concat(frames, ignore_index=True)


def read_correctness(paths: Sequence[Path]) -> pd.DataFrame:
    """Read the runs' ``predictions.csv``: a row per text, a column per run, 1 where correct.

    Raises:
        UserError: Two files are not about the same texts and labels in the same order.
    """
    first: pd.DataFrame | None = None
    columns = {}
    for path in paths:
        table = pd.read_csv(
            path, usecols=["id", "label", "prediction"], dtype=str, keep_default_na=False
        )
        if first is None:
            first = table
        elif not table[["id", "label"]].equals(first[["id", "label"]]):
            raise UserError(
                f"{path}: other test texts or labels than in {paths[0]}, so the runs cannot be "
                "compared; make both anew on the same data: "
                f"`snakemake --configfile ... --cores all --forcerun {paths[0]} {path}`"
            )
        columns[path] = (table["label"] == table["prediction"]).astype(int)
    return pd.DataFrame(columns)
