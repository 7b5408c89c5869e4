"""Compare the forms of exported models: transformers, ONNX in float32 and in int8.

Inputs: metrics.json and predictions.csv of a run of each experiment, and the folder of its ONNX.
Output: forms.csv, a row per run and form. Units: value, ECE and agreement in [0, 1]; a correlation
in [-1, 1].
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from seedwise.files import atomic
from seedwise.results.forms import form_rows
from seedwise.step import step
from seedwise.training.run_files import read_metrics

COLUMNS = [
    "dataset", "experiment", "seed", "form", "bytes", "texts_per_second", "agreement", "texts",
    "asked", "measure", "value", "ece", "ece_calibrated", "processor",
]  # fmt: skip


def main(*, metrics: Sequence[Path], output: Path) -> None:
    """Write forms.csv."""
    rows = [
        row
        for path, run in zip(metrics, read_metrics(metrics), strict=True)
        for row in form_rows(run, path.parent / "model")
    ]
    with atomic(output) as partial:
        table = pd.DataFrame(rows, columns=COLUMNS)
        table.astype({"bytes": "Int64", "texts": "Int64"}).to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            output=Path(snakemake.output.forms),
        )
