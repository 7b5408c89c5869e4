"""Pack a study into one file that tells, elsewhere and without training, whether its tables hold.

Inputs: all that tables are made of, the tables, reports, figures, histories, and the models with
their cards. Output: a zip that is an RO-Crate (https://w3id.org/ro/crate, written by the library
rocrate): what each file is, its SHA-256, and what came of what. Of each experiment's models it
holds the one with the best validation score; and Seedwise itself, as it stood.
"""

import logging
import mimetypes
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rocrate.rocrate import ROCrate

from seedwise.code import SCRIPTS, git_commit
from seedwise.environment import processor_name
from seedwise.files import atomic, read_json, sha256_of_files, write_json
from seedwise.report.archived import ABOUT, CODE
from seedwise.step import step
from seedwise.study.selection import first_best

logger = logging.getLogger(__name__)

CODE_PARTS = (
    "Snakefile", "rules", "scripts", "envs", "reports", "profiles", "Makefile", "pyproject.toml",
    "requirements.in", "requirements.lock", "LICENSE", "CITATION.cff",
)  # fmt: skip


def chosen_runs(metrics: Sequence[Path], selection: str) -> dict[str, Path]:
    """Return, by experiment, the folder of its run with the best validation score."""
    runs: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
    for path in metrics:
        run = read_json(path)
        runs.setdefault(run["experiment"], []).append((path.parent, run))
    found = {}
    for experiment, own in runs.items():
        key = f"valid_{selection}" if f"valid_{selection}" in own[0][1] else "valid_pearson"
        best = first_best([run[key] for _, run in own], selection)
        found[experiment] = own[best][0]
    return found


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files in ``folder``, or that file, but for what Python and Snakemake leave."""
    if folder.is_file():
        yield folder
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and "__pycache__" not in path.parts and path.name[0] != ".":
            yield path


class Crate:
    """An RO-Crate being filled."""

    def __init__(self, title: str, licence: str) -> None:
        self.crate = ROCrate()
        self.crate.name = title
        self.crate.description = (
            "A fine-tuning study: configuration, environment, data sets' audits, predictions, "
            "tables, reports and chosen models"
        )
        self.crate.license = licence
        self.files: dict[str, Any] = {}

    def add(self, path: Path, place: str | None = None) -> Any:
        """Add a file, at its own path if no ``place`` is given; twice is once."""
        name = place or path.as_posix()
        if name not in self.files:
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            self.files[name] = self.crate.add_file(
                path,
                name,
                properties={
                    "name": Path(name).name,
                    "sha256": sha256_of_files([path]),
                    "contentSize": str(path.stat().st_size),
                    "encodingFormat": kind,
                },
            )
        return self.files[name]

    def add_all(self, paths: Iterable[Path]) -> list[Any]:
        """Add files, and those in folders."""
        return [self.add(path) for given in paths for path in files_of(given)]

    def add_code(self, folder: Path, version: str) -> Any:
        """Add Seedwise as the workflow that ran."""
        for part in CODE_PARTS:
            for path in files_of(folder / part):
                name = f"{CODE}/{path.relative_to(folder).as_posix()}"
                if part != "Snakefile":
                    self.add(path, name)
        return self.crate.add_workflow(
            folder / "Snakefile",
            f"{CODE}/Snakefile",
            main=True,
            lang="snakemake",
            properties={
                "name": "Seedwise",
                "version": version,
                "sha256": sha256_of_files([folder / "Snakefile"]),
            },
        )

    def add_action(self, title: str, given: list[Any], made: list[Any], times: list[float]) -> None:
        """Add the run of the workflow, which made some files of others."""
        start, end = (datetime.fromtimestamp(time, UTC).isoformat() for time in times)
        self.crate.add_action(
            self.crate.mainEntity,
            object=given,
            result=made,
            properties={
                "name": title,
                "startTime": start,
                "endTime": end,
                "actionStatus": "http://schema.org/CompletedActionStatus",
                "description": f"On {processor_name()}",
            },
        )


def main(
    *,
    results: Path,
    sources: Sequence[Path],
    metrics: Sequence[Path],
    made: Sequence[Path],
    title: str,
    licence: str,
    selection: str,
    version: str,
    table_rules: Sequence[str],
    code: Path,
    output: Path,
) -> None:
    """Write the archive.

    Args:
        results: The study's folder.
        sources: What tables are made of.
        metrics: ``metrics.json`` of every run.
        made: Tables, reports, figures, histories.
        title: The study's title.
        licence: That of what the study made.
        selection: By what a model is chosen on the validation split.
        version: The commit of Seedwise.
        table_rules: The rules that make tables.
        code: The folder of Seedwise.
        output: The file.
    """
    chosen = chosen_runs(metrics, selection)
    about = results / ABOUT
    write_json(
        about,
        {
            "commit": version,
            "table_rules": list(table_rules),
            "models": {name: (run / "model").as_posix() for name, run in chosen.items()},
        },
    )
    crate = Crate(title, licence)
    crate.add_code(code, version)
    config = crate.add(results / "config.yaml")
    crate.add(about)
    given = crate.add_all([*sources, results / "benchmarks"])
    outcome = crate.add_all([*made, *(run / "model" for run in chosen.values())])
    times = [path.stat().st_mtime for path in (*metrics, *made)]
    crate.add_action(title, [config, *given], outcome, [min(times), max(times)])
    with atomic(output) as partial:
        crate.crate.write_zip(partial)
    logger.info("%s: %d files", output, len(crate.files))


if __name__ == "__main__":
    with step(snakemake):
        main(
            results=Path(snakemake.params.results),
            sources=[Path(path) for path in snakemake.input.sources],
            metrics=[Path(path) for path in snakemake.input.metrics],
            made=[Path(path) for path in snakemake.input.made],
            title=snakemake.params.title,
            licence=snakemake.params.licence,
            selection=snakemake.params.selection,
            version=git_commit(SCRIPTS),
            table_rules=snakemake.params.table_rules,
            code=Path(snakemake.params.folder),
            output=Path(snakemake.output.archive),
        )
