"""Gather the candidates of all searches.

Inputs: metrics.json of every candidate, chosen.json of every search. Output: search.csv, a row per
candidate: its hyper-parameters (empty where its search leaves one alone), what it reached on the
validation split, and whether it was chosen. Units: accuracies in [0, 1], times in seconds.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from seedwise.files import atomic, read_json
from seedwise.step import step

FOUND = ["valid_accuracy", "valid_macro_f1", "valid_loss", "best_epoch", "train_seconds"]
"""What the table says of each candidate, from its metrics.json."""


def candidates_table(
    candidates: Mapping[str, Mapping[str, Any]],
    metrics: Sequence[dict[str, Any]],
    chosen: Mapping[str, str],
) -> pd.DataFrame:
    """Return a row per candidate.

    Args:
        candidates: by experiment and name, the values that each candidate tries.
        metrics: contents of their metrics.json, in the same order.
        chosen: by experiment, the name of its best candidate.
    """
    tried = [
        {"experiment": experiment, "candidate": name, "values": values}
        for experiment, own in candidates.items()
        for name, values in own.items()
    ]
    names = dict.fromkeys(key for row in tried for key in row["values"])
    rows = [
        {key: row[key] for key in ("experiment", "candidate")}
        | {key: _cell(row["values"].get(key)) for key in names}
        | {key: run.get(key) for key in FOUND}
        | {key: run[key] for key in ("valid_pearson",) if key in run}
        | {"chosen": row["candidate"] == chosen[row["experiment"]]}
        for row, run in zip(tried, metrics, strict=True)
    ]
    return pd.DataFrame(rows, dtype=object)


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value


def main(
    *,
    candidates: Mapping[str, Mapping[str, Any]],
    metrics: Sequence[Path],
    chosen: Sequence[Path],
    output: Path,
) -> None:
    """Write search.csv."""
    best = {path.parent.name: read_json(path)["candidate"] for path in chosen}
    table = candidates_table(candidates, [read_json(path) for path in metrics], best)
    with atomic(output) as partial:
        table.to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            candidates=snakemake.params.candidates,
            metrics=[Path(path) for path in snakemake.input.metrics],
            chosen=[Path(path) for path in snakemake.input.chosen],
            output=Path(snakemake.output.search),
        )
