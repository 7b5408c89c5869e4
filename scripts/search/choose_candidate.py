"""Choose the candidate of a search that is best on the validation split, the first of equals.

Inputs: metrics.json of every candidate, in their order. Output: chosen.json, with the candidate's
name and the values of its hyper-parameters.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seedwise.files import write_json
from seedwise.step import step
from seedwise.study.selection import first_best
from seedwise.training.run_files import check_consistent, read_metrics


def main(
    *, metrics: Sequence[Path], candidates: Mapping[str, Any], selection: str, output: Path
) -> None:
    """Write the choice; ``candidates`` are the values by name, in the order of ``metrics``."""
    field = f"valid_{selection}"
    runs = read_metrics(metrics, needed=("experiment", "seed", field))
    check_consistent(runs, metrics, but=["config_sha256"])
    name = list(candidates)[first_best([run[field] for run in runs], selection)]
    write_json(output, {"candidate": name, "values": candidates[name], "of": len(candidates)})


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            candidates=snakemake.params.candidates,
            selection=snakemake.params.selection,
            output=Path(snakemake.output.chosen),
        )
