"""Who may import whom: import-linter's contracts in pyproject.toml, and the scripts of rules."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support import ROOT

TABLE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FLOW, PLUGIN, _ = TABLE["tool"]["importlinter"]["contracts"]
# From left to right; the last of import-linter's layers is the base, which everybody imports.
ROOMS = FLOW["layers"][-2::-1]
STAGES = ROOMS[ROOMS.index("data") : ROOMS.index("report") + 1]


def lint(folder):
    """Return import-linter's exit code and what it says of the packages in ``folder``."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    for name in ("seedwise", "seedwise_fairseq"):
        shutil.copytree(ROOT / "scripts" / name, folder / name)
    return folder


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("seedwise/data/readers.py", "seedwise.models.layers"),
        ("seedwise/training/runs.py", "seedwise.results.statistics"),
        ("seedwise/files.py", "seedwise.study.entries"),
        ("seedwise/models/layers.py", "seedwise_fairseq.launch"),
        ("seedwise_fairseq/launch.py", "seedwise.training.runs"),
        ("seedwise/study/entries.py", "torch"),
        ("seedwise/study/entries.py", "pandas"),
        ("seedwise/elsewhere.py", "seedwise.files"),
    ],
)
def test_an_import_of_a_later_stage_is_found(packages, importer, imported):
    file = packages / importer
    before = file.read_text(encoding="utf-8") if file.exists() else None
    file.write_text(f"{before or ''}\nimport {imported}\n", encoding="utf-8")
    try:
        code, output = lint(packages)
    finally:
        file.unlink() if before is None else file.write_text(before, encoding="utf-8")
    assert code == 1 and "1 broken" in output, output


def test_the_packages_keep_to_their_layers(packages):
    code, output = lint(packages)
    assert code == 0, output


def imported_rooms(script):
    """Return the rooms of `seedwise` from which a script imports, the plugin among them."""
    for node in ast.walk(ast.parse(script.read_bytes())):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        if module and module.startswith("seedwise_fairseq"):
            yield PLUGIN["layers"][-1].removeprefix("seedwise.")  # no room is nearer
        elif module and module.startswith("seedwise."):
            yield module.split(".")[1]


@pytest.mark.parametrize("stage", STAGES)
def test_a_script_imports_what_stands_to_the_left_of_its_stage(stage):
    allowed = set(ROOMS[: ROOMS.index(stage) + 1])
    scripts = list((ROOT / "scripts" / stage).glob("*.py"))
    assert scripts
    for script in scripts:
        assert set(imported_rooms(script)) & set(ROOMS) <= allowed, script
