"""Choose the candidate of a search with the best validation accuracy, the first of equals.

Inputs: metrics.json of every candidate, in their order. Output: chosen.json, with the candidate's
name and the values of its hyper-parameters.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seedwise.files import write_json
from seedwise.step import step
from seedwise.training.runs import check_consistent, read_metrics


def main(*, metrics: Sequence[Path], candidates: Mapping[str, Any], output: Path) -> None:
    """Write the choice; ``candidates`` are the values by name, in the order of ``metrics``."""
    runs = read_metrics(metrics, needed=("experiment", "seed", "valid_accuracy"))
    check_consistent(runs, metrics, but=["config_sha256"])
    accuracies = [run["valid_accuracy"] for run in runs]
    name = list(candidates)[accuracies.index(max(accuracies))]
    write_json(output, {"candidate": name, "values": candidates[name], "of": len(candidates)})


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            candidates=snakemake.params.candidates,
            output=Path(snakemake.output.chosen),
        )
