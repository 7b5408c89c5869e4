"""Gather what each job cost: its wall time from Snakemake, the rest as it measured itself.

Inputs: the benchmark folder and metrics.json of every run. Output: costs.csv, a row per rule and
run. Units: wall and CPU time in seconds, peak resident memory in MiB, tokens per second.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from seedwise.files import atomic, read_json
from seedwise.step import step

MEASURED = ("cpu_seconds", "peak_mib")
COLUMNS = ["rule", "run", "wall_seconds", *MEASURED, "tokens_per_second"]


def read_benchmark(path: Path) -> dict[str, float]:
    """Read Snakemake's file of one job and, beside it, what `seedwise.step` measured, if it did."""
    costs = {"wall_seconds": float(pd.read_csv(path, sep="\t")["s"].mean())}
    own = path.with_suffix(".json")
    return costs | {name: read_json(own)[name] for name in MEASURED if own.exists()}


def collect_costs(
    folder: Path, rules: Sequence[str], speeds: dict[str, float | None]
) -> pd.DataFrame:
    """Return a row per benchmark file of the given rules.

    Files of runs that the study no longer has are left out.

    Args:
        folder: Holds ``{rule}/{run}.tsv`` and ``.json``, where ``run`` may have several parts.
        rules: The rules to report, in this order.
        speeds: Training speed in tokens per second of each run (``{experiment}/seed-{seed}``).
    """
    rows = []
    for rule in rules:
        for path in sorted((folder / rule).rglob("*.tsv")):
            run = path.relative_to(folder / rule).with_suffix("").as_posix()
            if path.stem.startswith("seed-") and run not in speeds:
                continue
            speed = speeds.get(run) if rule.startswith(("finetune", "train_")) else None
            rows.append({"rule": rule, "run": run, **read_benchmark(path)})
            rows[-1]["tokens_per_second"] = speed
    return pd.DataFrame(rows, columns=COLUMNS)


def main(*, metrics: Sequence[Path], benchmarks: Path, rules: Sequence[str], output: Path) -> None:
    """Write costs.csv."""
    speeds = {
        f"{run['experiment']}/seed-{run['seed']}": run.get("tokens_per_second")
        for run in map(read_json, metrics)
    }
    with atomic(output) as partial:
        collect_costs(benchmarks, rules, speeds).to_csv(partial, index=False)


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in (*snakemake.input.metrics, *snakemake.input.lora)],
            benchmarks=Path(snakemake.params.benchmarks),
            rules=snakemake.params.rules,
            output=Path(snakemake.output.costs),
        )
