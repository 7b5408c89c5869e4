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
    for handler in set(root.handlers) - set(handlers):
        handler.close()  # or its file would be found open in whatever test comes then
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


def chained(inner, outer):
    try:
        try:
            raise inner
        except Exception as error:
            raise outer from error
    except Exception as error:
        return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device", "/x/a"), "/x/a: No space left on device; make ro"),
        (
            OSError(28, "No space left on device", "/x/a", None, "/y/b"),
            "/y/b: No space left on device; make room, then call again",
        ),
        (OSError(30, "Read-only file system", "a"), "a: Read-only file system; make the folder"),
        (PermissionError(13, "Permission denied", "a"), "a: Permission denied; make it readable"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "No space left on dev"),
        (
            chained(OSError(28, "No space left on device"), RuntimeError("unexpected pos")),
            "No space left on device; make room, then call again",
        ),
    ],
)
def test_a_fault_of_the_machine_is_one_message(tmp_path, error, said):
    with pytest.raises(SystemExit), seedwise.log.log_to(tmp_path / "log"):
        raise error
    text = (tmp_path / "log").read_text()
    assert f"ERROR seedwise {said}" in text
    assert "Traceback" not in text and text.count("\n") == 1


def test_a_mistake_of_ours_keeps_its_traceback(tmp_path):
    with pytest.raises(SystemExit), seedwise.log.log_to(tmp_path / "log"):
        raise FileNotFoundError(2, "No such file or directory", "a")
    assert "Traceback" in (tmp_path / "log").read_text()


def test_ctrl_c_is_one_message(tmp_path):
    with pytest.raises(SystemExit) as end, seedwise.log.log_to(tmp_path / "log"):
        raise KeyboardInterrupt
    assert end.value.code == 130
    assert "stopped; the next call does this step again" in (tmp_path / "log").read_text()
