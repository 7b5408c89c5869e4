"""What a step's code is: the script and every module of ours that it imports."""

import ast
from functools import cache
from pathlib import Path

from seedwise.files import sha256_of_files

SCRIPTS = Path(__file__).resolve().parent.parent


def _imported_modules(source: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def source_files(script: str) -> list[Path]:
    """Return a rule's script and the modules of ours that it imports, however deep, sorted."""
    found: set[Path] = set()
    waiting = list(SCRIPTS.glob(f"*/{script}.py"))
    while waiting:
        source = waiting.pop()
        if source in found:
            continue
        found.add(source)
        for name in _imported_modules(source):
            base = SCRIPTS.joinpath(*name.split("."))
            candidates = (base.with_suffix(".py"), base / "__init__.py")
            waiting.extend(path for path in candidates if path.is_file())
    return sorted(found)


@cache
def code_sha256(script: str) -> str:
    """Return the SHA-256 of all code of ours that the script runs.

    Snakemake reruns a step when its script changes, not when a module it imports does
    (snakemake#3456); as a rule's parameter this hash closes that gap.
    """
    return sha256_of_files(source_files(script))
