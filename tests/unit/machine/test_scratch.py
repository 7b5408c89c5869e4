import subprocess
import sys
import time

import pytest

from seedwise.errors import UserError
from seedwise.machine import scratch
from support import ROOT

SCRIPTS = ROOT / "scripts"
HOLDER = """
import sys, time
from pathlib import Path
from seedwise.machine.scratch import training_scratch
with training_scratch(Path(sys.argv[1]), "key") as folder:
    (folder / "checkpoint").touch()
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that trains there, past its first checkpoint."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], cwd=SCRIPTS)
    deadline = time.monotonic() + 20
    while not list(tmp_path.glob("checkpoints/*/checkpoint")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    yield process
    process.kill()
    process.wait()


def test_checkpoints_outlive_an_error_and_are_removed_after_success(tmp_path):
    with pytest.raises(RuntimeError), scratch.training_scratch(tmp_path, "key") as folder:
        (folder / "checkpoint").write_text("1")
        raise RuntimeError
    with scratch.training_scratch(tmp_path, "key") as folder:
        assert (folder / "checkpoint").read_text() == "1"
    assert not (tmp_path / "checkpoints").exists()


def test_checkpoints_of_other_settings_are_never_resumed(tmp_path):
    with pytest.raises(RuntimeError), scratch.training_scratch(tmp_path, "a" * 64) as folder:
        (folder / "checkpoint").touch()
        raise RuntimeError
    with scratch.training_scratch(tmp_path, "b" * 64) as folder:
        assert not list(folder.iterdir())
        assert list((tmp_path / "checkpoints").iterdir()) == [folder]


def test_a_second_writer_is_refused_while_the_first_lives(tmp_path, holder):
    with pytest.raises(UserError, match="another process trains this run at this moment"):  # noqa: SIM117
        with scratch.training_scratch(tmp_path, "key"):
            pass
    assert list(tmp_path.glob("checkpoints/*/checkpoint"))
    holder.kill()
    holder.wait()
    # Its lock died with it, its checkpoint did not.
    with scratch.training_scratch(tmp_path, "key") as folder:
        assert (folder / "checkpoint").exists()
