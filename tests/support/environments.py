"""The conda environments' indirect dependencies, from what is installed and the lock.

``PYTHONPATH=tests .venv/bin/python -m support.environments`` writes them into ``envs/*.yaml``,
after the packages that people list there.
"""

import importlib.metadata
import re
from pathlib import Path

from packaging.markers import Marker

from support import ROOT

PYTHON = "3.12"
"""The Python of the conda environments: that of the time of pip 24.0, which fairseq needs."""

INDIRECT = "      # What these ask for:\n"


def normal(name: str) -> str:
    """Return a distribution's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    """Return the versions in the lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return {normal(n): v for n, v in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)}


def _holds(requirement: str) -> bool:
    """Tell whether a requirement is one there; its version may be as odd as omegaconf's."""
    marker = requirement.partition(";")[2]
    there = {"extra": "", "python_version": PYTHON, "python_full_version": f"{PYTHON}.0"}
    return not marker or Marker(marker).evaluate(there)


def closure(packages: set[str], lock: dict[str, str]) -> set[str]:
    """Return these packages and all that they ask for, as far as the lock has it."""
    found: set[str] = set()
    new = set(packages)
    while new:
        found |= new
        lines = [line for one in new for line in importlib.metadata.requires(one) or []]
        new = {normal(re.split(r"[^\w.-]", line)[0]) for line in lines if _holds(line)}
        new = (new & lock.keys()) - found
    return found


def with_indirect(text: str, lock: dict[str, str]) -> str:
    """Return an environment file with its indirect dependencies written anew."""
    text = text.partition(INDIRECT)[0]
    direct = {normal(name) for name in re.findall(r"^      - ([\w.-]+)==", text, re.MULTILINE)}
    others = sorted(closure(direct, lock) - direct)
    return text + INDIRECT + "".join(f"      - {name}=={lock[name]}\n" for name in others)


def main(folder: Path = ROOT / "envs") -> None:
    """Write every file."""
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(with_indirect(text, locked()), encoding="utf-8")


if __name__ == "__main__":
    main()
