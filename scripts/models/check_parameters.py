"""Derive the parameters of every model from its sizes, and check them against both engines.

Inputs: the counts of both engines (JSON) per model. Output: ``parameters.csv``, a row per part
and model; it is not written if a formula and a count differ.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from seedwise.files import atomic, read_json
from seedwise.models.parameters import parameter_rows
from seedwise.step import step


def main(
    *,
    architectures: dict[str, dict[str, Any]],
    fairseq: list[Path],
    transformers: list[Path],
    parameters: Path,
) -> None:
    """Check and write; the counts stand in the order of ``architectures``."""
    rows = []
    for (model, architecture), *counts in zip(
        architectures.items(), fairseq, transformers, strict=True
    ):
        rows += parameter_rows(model, architecture, *map(read_json, counts))
    with atomic(parameters) as partial:
        pd.DataFrame(rows).to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            architectures=snakemake.params.architectures,
            fairseq=[Path(path) for path in snakemake.input.fairseq],
            transformers=[Path(path) for path in snakemake.input.transformers],
            parameters=Path(snakemake.output.parameters),
        )
