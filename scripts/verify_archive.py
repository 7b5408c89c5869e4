"""Verify the archive of a study: every file, and every table made again from its predictions.

A command for people: `make verify ARCHIVE=study.zip`. Nothing is trained or downloaded, and nothing
is written but in a temporary folder.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from seedwise.errors import UserError
from seedwise.files import write_text
from seedwise.log import machine_fault
from seedwise.report.archived import CODE, about, opened, wrong_files

ROOT = Path(__file__).resolve().parents[1]
COSTS = "costs.csv"
"""Made first: rules that make other tables are timed, too, and these times stand in it."""


TABLES_ALONE = """\
include: {snakefile!r}
# No rule that would make what tables are made of: all that it needs is missing.
for name in set(workflow._rules) - {rules!r}:
    workflow._rules.pop(name)
"""


def make(folder: Path, study: str, tables: list[str], rules: list[str]) -> None:
    """Make tables in ``folder``, by these ``rules`` alone, from what lies there.

    Raises:
        UserError: Snakemake could not; it says why above.
    """
    place = Path("results", study)
    snakefile = folder / "Snakefile"
    write_text(snakefile, TABLES_ALONE.format(snakefile=str(ROOT / "Snakefile"), rules=set(rules)))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
    command += ["--directory", str(folder), "--configfile", str(folder / place / "config.yaml")]
    command += ["--cores", "all", "--quiet", "all"]
    command += ["--", *(str(place / "tables" / table) for table in tables)]
    if subprocess.run(command).returncode:
        raise UserError("a table could not be made; Snakemake says why above")


def remade(folder: Path, study: str, rules: list[str]) -> dict[str, tuple[bytes, bytes]]:
    """Return each table as it was archived, and as it is made again."""
    place = folder / "results" / study / "tables"
    before = {path.name: path.read_bytes() for path in sorted(place.glob("*.csv"))}
    for tables, allowed in (
        ([COSTS] if COSTS in before else [], ["aggregate_costs"]),
        ([name for name in before if name != COSTS], rules),
    ):
        for table in tables:
            (place / table).unlink()
        if tables:
            make(folder, study, tables, allowed)
    return {name: (old, (place / name).read_bytes()) for name, old in before.items()}


def first_difference(before: bytes, after: bytes) -> str:
    """Say where two tables differ first."""
    rows = zip(before.decode().split("\n"), after.decode().split("\n"), strict=False)
    for number, (old, new) in enumerate(rows, start=1):
        if old != new:
            return f"line {number} was {old[:200]!r} and is {new[:200]!r}"
    return f"it had {len(before):,} bytes and has {len(after):,}"


def main(archive: Path) -> bool:
    """Print what was checked; return whether all of it holds.

    Raises:
        UserError: It is not the archive of a study, or a table could not be made.
    """
    with opened(archive) as packed, tempfile.TemporaryDirectory() as name:
        if wrong := wrong_files(packed):
            raise UserError("\n".join(f"{archive}: {message}" for message in wrong))
        said = about(packed)
        files = [info for info in packed.infolist() if not info.is_dir()]
        print(f"{len(files):,} files as archived, by Seedwise at commit {said['commit']}")
        for own in ("requirements.lock", "Snakefile"):
            if packed.read(f"{CODE}/{own}") != (ROOT / own).read_bytes():
                print(f"note: {own} here is another than in the archive")
        models = tuple(f"{path}/" for path in said["models"].values())
        for info in files:
            if info.filename.startswith("results/") and not (
                info.filename.startswith(models) and info.filename.endswith((".onnx", "tensors"))
            ):
                packed.extract(info, name)
        tables = remade(Path(name), said["study"], said["table_rules"])
    same = True
    for table, (before, after) in tables.items():
        equal = before == after
        same &= equal
        print(f"{table}: {'identical' if equal else first_difference(before, after)}")
    return same


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    try:
        sys.exit(0 if main(parser.parse_args().archive) else 1)
    except UserError as error:
        sys.exit(str(error))
    except OSError as error:
        if (fault := machine_fault(error)) is None:
            raise
        sys.exit(f"{fault} (it is unpacked in {tempfile.gettempdir()}, which TMPDIR can change)")
