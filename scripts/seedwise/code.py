"""What a step's code is: the script and every module of ours that it imports."""

import ast
import subprocess
from functools import cache
from pathlib import Path

from seedwise.files import sha256_of_json

SCRIPTS = Path(__file__).resolve().parent.parent

WITHOUT_RESULT = ("seedwise/errors.py", "seedwise/log.py", "seedwise/machine/progress.py")
"""Modules that only speak to people: no change of theirs changes a result, so none counts.

What stands here must pass `tests/unit/test_code_without_result.py`.
"""

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def _parsed(source: bytes) -> tuple[str, frozenset[str]]:
    """Return the statements, without docstrings and comments, and what they may import."""
    tree = ast.parse(source)
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree), frozenset(names)


def source_files(script: str) -> list[Path]:
    """Return a rule's script and the modules of ours that it imports, however deep, sorted.

    Those of `WITHOUT_RESULT`, and what they alone import, are left out.
    """
    found: set[Path] = set()
    left_out = {SCRIPTS / name for name in WITHOUT_RESULT}
    waiting = list(SCRIPTS.glob(f"*/{script}.py"))
    while waiting:
        source = waiting.pop()
        if source in found or source in left_out:
            continue
        found.add(source)
        for name in _parsed(source.read_bytes())[1]:
            base = SCRIPTS.joinpath(*name.split("."))
            candidates = (base.with_suffix(".py"), base / "__init__.py")
            waiting.extend(path for path in candidates if path.is_file())
    return sorted(found)


@cache
def code_sha256(script: str) -> str:
    """Return the SHA-256 of what all code of ours that the script runs says to Python.

    Of syntax trees, so that a comment, a docstring or a line break changes nothing. Snakemake
    reruns a step when its script is newer, not when a module it imports has changed
    (snakemake#3456); as a rule's parameter this hash closes that gap.
    """
    trees = {
        path.relative_to(SCRIPTS).as_posix(): _parsed(path.read_bytes())[0]
        for path in source_files(script)
    }
    return sha256_of_json(trees)


def git_commit(folder: Path) -> str:
    """Return the commit checked out in ``folder``; ``unknown`` where git cannot tell."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}, with changes not committed" if changed else commit
