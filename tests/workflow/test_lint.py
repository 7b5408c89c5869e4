"""Style of Python, of the rules and of the workflow, as `make lint` checks it."""

import subprocess
import sys
from pathlib import Path

from support import ROOT


def test_make_lint_finds_nothing():
    tools = Path(sys.executable).parent
    # --assume-old: these tests run in an environment; make must not build another.
    command = ["make", "--assume-old=.venv/.installed", "lint", f"BIN={tools}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
