"""Derive the parameters of every model from its sizes, and check them against both engines.

Inputs: the counts (JSON) of each model by the engines that build it, and the sizes of published
models. Output: ``parameters.csv``, a row per part and model; it is not written if a formula and a
count differ.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from seedwise.files import atomic, read_json
from seedwise.models.parameters import parameter_rows
from seedwise.step import step

COLUMNS = [
    "component",
    "formula",
    "analytic",
    "counted_fairseq",
    "counted_transformers",
    "model",
]


def main(
    *,
    architectures: dict[str, dict[str, Any]],
    fairseq: dict[str, Path],
    transformers: dict[str, Path],
    parameters: Path,
) -> None:
    """Check and write; everything is by model."""
    rows = []
    for model, architecture in architectures.items():
        in_fairseq = read_json(fairseq[model]) if model in fairseq else None
        in_transformers = read_json(transformers[model])
        rows += parameter_rows(model, architecture, in_fairseq, in_transformers)
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.astype(dict.fromkeys(COLUMNS[2:-1], "Int64"))  # some are empty
    with atomic(parameters) as partial:
        table.to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        published = {Path(p).parent.name: read_json(Path(p)) for p in snakemake.input.published}
        main(
            architectures=snakemake.params.architectures | published,
            fairseq={Path(path).parent.name: Path(path) for path in snakemake.input.fairseq},
            transformers={
                Path(path).parent.name: Path(path) for path in snakemake.input.transformers
            },
            parameters=Path(snakemake.output.parameters),
        )
