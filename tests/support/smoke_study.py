"""The smoke study in a working directory of its own, run by the real Snakemake."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from support import ROOT

CONFIG = ROOT / "configs" / "smoke.yaml"


def write_study(folder: Path, change: Callable[[Any], None] = lambda config: None) -> Path:
    """Write the study's texts and its configuration, changed in place; return the latter."""
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    change(config)
    shutil.copytree(ROOT / "tests/data/smoke", folder / "tests/data/smoke", dirs_exist_ok=True)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path


def snakemake(
    folder: Path, *arguments: str | Path, cores: int = 1, root: Path = ROOT, **variables: str
) -> tuple[int, str]:
    """Run Snakemake on `study.yaml` in ``folder``; return its exit code and all it says.

    ``root`` is the checkout with the rules, ``variables`` join the environment.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", root / "Snakefile"]
    command += ["--configfile", folder / "study.yaml", "--cores", str(cores)]
    # No `python` of an active .venv, no profile of whoever runs the tests; but the OpenBLAS
    # kernels that this machine asks for, which decide the last bits of a sum.
    environment = {"PATH": os.defpath} | {
        key: value
        for key, value in os.environ.items()
        if key in ("HOME", "LANG", "TMPDIR") or key.startswith("OPENBLAS_")
    }
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def job_counts(output: str) -> dict[str, int]:
    """Return how often each rule is to run, from Snakemake's table; `all` is left out."""
    counts = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)}
    return {rule: n for rule, n in counts.items() if rule not in ("all", "total")}


def with_logs(folder: Path, output: str) -> str:
    """Return what Snakemake said and, below it, how the logs end that its errors name."""
    named = re.findall(r"^ +log: (.+?)(?: \(check|$)", output, re.MULTILINE)
    parts = [output]
    for name in dict.fromkeys(name for names in named for name in names.split(", ")):
        path = folder / name
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            parts.append("\n".join([f"{name}:", *lines[-15:]]))
    return "\n\n".join(parts)
