import logging
import subprocess
import sys
from pathlib import Path

import pytest

import seedwise.log
from seedwise.errors import UserError

SCRIPTS = Path(seedwise.log.__file__).parents[1]


@pytest.fixture(autouse=True)
def restored():
    """`log_to` takes over the root logger, which is pytest's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level


def test_everything_goes_to_the_file_and_warnings_to_standard_error(tmp_path, capsys):
    with seedwise.log.log_to(tmp_path / "a.log"):
        logging.getLogger("a.b").info("an info")
        logging.getLogger("a.b").warning("a warning")
    text = (tmp_path / "a.log").read_text()
    assert "INFO a.b an info" in text and "WARNING a.b a warning" in text
    error = capsys.readouterr().err
    assert "a warning" in error and "an info" not in error


def test_a_users_mistake_is_its_message(tmp_path):
    with pytest.raises(SystemExit) as ended, seedwise.log.log_to(tmp_path / "a.log"):
        raise UserError("seeds: 1 stands there more than once")
    assert ended.value.code == 1
    text = (tmp_path / "a.log").read_text()
    assert text.endswith("ERROR seedwise seeds: 1 stands there more than once\n")
    assert "Traceback" not in text


def test_any_other_error_comes_with_its_traceback(tmp_path):
    with pytest.raises(SystemExit) as ended, seedwise.log.log_to(tmp_path / "a.log"):
        raise ValueError("a bug")
    assert ended.value.code == 1
    text = (tmp_path / "a.log").read_text()
    assert "Traceback" in text and text.endswith("ValueError: a bug\n")


def test_the_process_ends_with_code_1(tmp_path):
    program = (
        "from seedwise.log import log_to\nfrom seedwise.errors import UserError\n"
        f"with log_to({str(tmp_path / 'a.log')!r}):\n    raise UserError('not so')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("not so") == 1 and "Traceback" not in done.stderr
