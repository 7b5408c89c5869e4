"""Reading what runs left: metrics, histories, predictions."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedwise.environment import SHARED
from seedwise.errors import UserError
from seedwise.files import read_json
from seedwise.predictions import PROBABILITY
from seedwise.study.selection import main_measure
from seedwise.training.runs import TEXTS, Metrics

CHOSEN_BY = {"precision": "precision", "device_type": "device"}
"""Keys of a study that decide what is otherwise the machine's choice."""


def read_metrics(
    paths: Sequence[Path], needed: Sequence[str] = ("experiment", "seed", "test_accuracy")
) -> list[Metrics]:
    """Read the ``metrics.json`` of each run.

    Raises:
        UserError: A file is not JSON or lacks a field that every run must have, ``needed``.
    """
    runs = []
    for path in paths:
        try:
            metrics = read_json(path)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: not valid JSON ({error}); delete it and run again") from None
        missing = [key for key in needed if key not in metrics]
        if "test_pearson" in metrics and "test_accuracy" in missing:  # of scores
            missing.remove("test_accuracy")
        if missing:
            raise UserError(f"{path}: missing {', '.join(missing)}; delete it and run again")
        runs.append(metrics)
    return runs


def check_consistent(
    runs: Sequence[Metrics], paths: Sequence[Path], but: Sequence[str] = ()
) -> None:
    """Refuse to average runs of one experiment that differ in what runs must share.

    Args:
        runs: contents of metrics.json, as `read_metrics` returns them.
        paths: where they stand.
        but: fields that may differ.

    Raises:
        UserError: Names the runs, the field in which they differ and the command that mends it.
    """
    for experiment in dict.fromkeys(run["experiment"] for run in runs):
        chosen = [
            (run, path)
            for run, path in zip(runs, paths, strict=True)
            if run["experiment"] == experiment
        ]
        for field in (field for field in SHARED if field not in but):
            values = [run.get(field) for run, _ in chosen]
            if any(value != values[0] for value in values):
                seen = ", ".join(
                    f"seed {run['seed']} has {value}"
                    for (run, _), value in zip(chosen, _in_short(values), strict=True)
                )
                files = " ".join(str(path) for _, path in chosen)
                key = CHOSEN_BY.get(field)
                chosen_by = f"set `{key}` in the study, or " if key else ""
                raise UserError(
                    f"runs of experiment {experiment!r} differ in {field} ({seen}), so they "
                    f"cannot be compared or averaged; {chosen_by}make them anew: "
                    f"`snakemake --configfile ... --cores all --forcerun {files}`, "
                    "or delete their folders"
                )


def _in_short(values: Sequence[Any]) -> list[str]:
    """Return the beginning of each value; of versions, those of packages that differ."""
    if not all(isinstance(value, dict) for value in values):
        return [str(value)[:12] for value in values]
    names = dict.fromkeys(name for value in values for name in value)
    differing = [name for name in names if len({value.get(name) for value in values}) > 1]
    return [" ".join(f"{name} {value.get(name)}" for name in differing) for value in values]


def scalar_table(runs: Sequence[Metrics]) -> pd.DataFrame:
    """Return a row per run with all fields that are neither lists nor objects."""
    rows = [
        {key: value for key, value in run.items() if not isinstance(value, dict | list)}
        for run in runs
    ]
    return pd.DataFrame(rows)


def read_histories(paths: Sequence[Path]) -> pd.DataFrame:
    """Join the runs' ``history.csv``, with ``experiment`` and ``seed`` from their folders."""
    frames = [
        pd.read_csv(path).assign(
            experiment=path.parent.parent.name, seed=int(path.parent.name.removeprefix("seed-"))
        )
        for path in paths
    ]
    return pd.concat(frames, ignore_index=True)


def read_predicted(path: Path) -> pd.DataFrame:
    """Read a run's ``predictions.csv``; ids and labels stay as they are written."""
    return pd.read_csv(path, dtype=dict.fromkeys(TEXTS, str), keep_default_na=False)


def check_same_texts(
    table: pd.DataFrame, path: Path, first: pd.DataFrame, first_path: Path
) -> None:
    """Raise a `UserError` if a run's predictions are of other texts, or labels, than another's."""
    if not table[["id", "label"]].equals(first[["id", "label"]]):
        raise UserError(
            f"{path}: other test texts or labels than in {first_path}, so the runs cannot be "
            "compared; make both anew on the same data: "
            f"`snakemake --configfile ... --cores all --forcerun {first_path} {path}`"
        )


def measure(run: Metrics) -> str:
    """Return by what a run is measured first, `selection.MAIN`."""
    return main_measure("test_pearson" in run)


def read_scores(paths: Sequence[Path]) -> tuple[np.ndarray, pd.DataFrame]:
    """Read the ``predictions.csv`` of runs on a data set of scores.

    Returns:
        Each text's score, shape (texts,); what each run predicts: a row per text, a column per run.

    Raises:
        UserError: Two files are not about the same texts and scores in the same order.
    """
    tables = {path: read_predicted(path) for path in paths}
    for path, table in tables.items():
        check_same_texts(table, path, tables[paths[0]], paths[0])
    columns = {path: table["prediction"].astype(float) for path, table in tables.items()}
    return tables[paths[0]]["label"].to_numpy(dtype=float), pd.DataFrame(columns)


def read_classes(paths: Sequence[Path]) -> tuple[int, np.ndarray, pd.DataFrame]:
    """Read the runs' ``predictions.csv`` as indices of classes.

    Returns:
        How many labels there are; each text's label, shape (texts,); what each run predicts: a row
        per text, a column per run.

    Raises:
        UserError: Two files are not about the same texts and labels in the same order.
    """
    first: pd.DataFrame | None = None
    labels: list[str] = []
    columns = {}
    for path in paths:
        table = read_predicted(path)
        if first is None:
            first = table
            labels = [
                name.removeprefix(PROBABILITY) for name in table if name.startswith(PROBABILITY)
            ]
        check_same_texts(table, path, first, paths[0])
        columns[path] = pd.Categorical(table["prediction"], labels).codes
    assert first is not None
    return len(labels), pd.Categorical(first["label"], labels).codes, pd.DataFrame(columns)
