"""The faults are in `faults/`; docs/trust.md lists each of them, and the tests it names exist."""

import os
import re
import subprocess
import sys
from collections import Counter

from support import ROOT

PAGE = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")


def test_every_fault_is_listed_with_its_number_of_cases():
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/integration/faults"]
    command += ["-o", "addopts=-p no:hydra_pytest", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    there = Counter(re.findall(r"faults/(\w+\.py::\w+)", done.stdout))
    listed = {test: int(n) for n, test in re.findall(r"\| (\d+) \| `(\w+\.py::\w+)` \|", PAGE)}
    assert listed == dict(there)
    assert f"{sum(there.values())} cases" in PAGE


def test_every_file_that_is_named_is_there():
    named = re.findall(r"`(tests/[\w/]+\.py)`", PAGE)
    assert named and all((ROOT / name).is_file() for name in named)
