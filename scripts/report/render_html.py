"""Make report.html with Snakemake's own report of the finished study.

Inputs: the configuration as it was run, the Snakefile, a stylesheet, all results. Output: one page
that needs no network.
"""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from seedwise.errors import UserError
from seedwise.files import atomic
from seedwise.step import step


def command(*, snakefile: Path, config: Path, style: Path, target: str, html: Path) -> list[str]:
    """Return the command that makes the report.

    It runs inside a job of a Snakemake that holds the lock of the working directory, so it must
    not lock; a report changes no result. Profiles are for running jobs, of which it has none.
    """
    return [
        sys.executable, "-m", "snakemake", target,
        "--snakefile", str(snakefile),
        "--configfile", str(config),
        "--workflow-profile", "none",
        "--nolock",
        "--report", str(html),
        "--report-stylesheet", str(style),
    ]  # fmt: skip


def run(arguments: Sequence[str]) -> None:
    """Run the command and log what it says.

    Raises:
        UserError: It failed.
    """
    environment = {key: value for key, value in os.environ.items() if key != "SNAKEMAKE_PROFILE"}
    done = subprocess.run(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    logging.getLogger("snakemake").info("%s\n%s", " ".join(arguments), done.stdout)
    if done.returncode:
        last = done.stdout.strip().splitlines()[-1:] or ["nothing"]
        raise UserError(f"`snakemake --report` failed and said last: {last[0]}")


def main(*, snakefile: Path, config: Path, style: Path, target: str, html: Path) -> None:
    """Write report.html."""
    with atomic(html) as partial, tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / html.name  # Snakemake insists on the ending .html
        run(command(snakefile=snakefile, config=config, style=style, target=target, html=report))
        shutil.copyfile(report, partial)


if __name__ == "__main__":
    with step(snakemake):
        main(
            snakefile=Path(snakemake.params.snakefile),
            config=Path(snakemake.input.config),
            style=Path(snakemake.input.style),
            target=snakemake.params.target,
            html=Path(snakemake.output.html),
        )
