import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seedwise import environment


def test_versions_are_those_installed():
    assert environment.versions("numpy") == {
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    with pytest.raises(ModuleNotFoundError):
        environment.versions("no-such-package")


PROGRAM = """
from seedwise.environment import peak_rss_mib
before = peak_rss_mib()
block = b"x" * (100 * 2**20)
after = peak_rss_mib()
del block
print(before, after, peak_rss_mib())
"""


def test_peak_memory_is_this_processes_own_in_mebibytes_and_never_falls():
    own = b"x" * (150 * 2**20)  # of which the process started here must not speak
    folder = Path(environment.__file__).parents[1]
    words = subprocess.check_output([sys.executable, "-c", PROGRAM], cwd=folder, text=True)
    before, after, later = map(float, words.split())
    assert 1 < before < 100
    assert 95 < after - before < 110
    assert later > after - 5  # the block is gone; the counter lags a little
    assert environment.peak_rss_mib() > len(own) / 2**20


def test_processor_has_a_name():
    assert environment.processor_name().strip()


PARENT = """
import subprocess, sys
from seedwise.environment import cpu_seconds, peak_rss_mib
work = "block = bytes(range(256)) * (1 << 20); sum(block[: 1 << 25])"
before = cpu_seconds(), peak_rss_mib()
subprocess.run([sys.executable, "-c", work], check=True)
print(*before, cpu_seconds(), peak_rss_mib())
"""


def test_processor_time_and_memory_of_processes_that_were_waited_for():
    folder = Path(environment.__file__).parents[1]
    words = subprocess.check_output([sys.executable, "-c", PARENT], cwd=folder, text=True)
    seconds, mib, seconds_after, mib_after = map(float, words.split())
    assert mib < 100 and mib_after > 256
    assert seconds_after - seconds > 0.1
