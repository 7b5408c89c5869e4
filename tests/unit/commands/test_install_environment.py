"""The environment: what it is refused for, what uv is told, and that nothing half remains."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from install_environment import ROOT, check_compiler, essence, settings_for_uv
from seedwise.errors import UserError


def make(folder, *words, **variables):
    """Call make for an environment with this Python, and return its code and what it says."""
    done = subprocess.run(
        ["make", "env", f"VENV={folder}", f"PYTHON={sys.executable}", *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(Path(folder).parent), **variables},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def fake_python(folder, version):
    """Put an interpreter that says it is of ``version`` into ``folder``, and return it."""
    python = folder / "python"
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] || exit 9\n'
        f'exec {sys.executable} -c "import sys; sys.version_info = ({version}); $2"\n'
    )
    python.chmod(0o755)
    return python


def test_other_pythons_are_refused_in_one_line(tmp_path):
    for version, said in (("3, 9", "3.9"), ("3, 99", "3.99")):
        python = fake_python(tmp_path, version)
        code, output = make(tmp_path / "env", f"PYTHON={python}")
        first, *rest = output.splitlines()
        assert code and first.startswith("error: Seedwise runs on Python 3.14 3.13 3.12 3.11, not")
        assert f"is {said};" in first and "PYTHON=" in first
        assert len(rest) == 1 and rest[0].startswith("make:")
    assert not (tmp_path / "env").exists()


def test_without_a_compiler_nothing_is_downloaded(tmp_path):
    code, output = make(tmp_path / "env", CXX="no-such-compiler -O2")
    assert code and "error: fairseq is compiled" in output and "install gcc and g++" in output
    assert "'no-such-compiler -O2' (CXX)" in output and "Traceback" not in output
    assert not (tmp_path / "env").exists()


def test_without_headers(monkeypatch, tmp_path):
    check_compiler()
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(UserError, match=r"Python\.h is not there; .* install python3\.\d+-dev"):
        check_compiler()


def test_without_a_network_it_is_one_message_and_no_environment(tmp_path):
    nowhere = "http://127.0.0.1:9/simple"
    code, output = make(
        tmp_path / "env",
        PIP_INDEX_URL=nowhere,
        PIP_EXTRA_INDEX_URL=nowhere,
        PIP_CONFIG_FILE="/dev/null",
    )
    assert code and "pip tries" in output and "Traceback" not in output
    (error,) = [line for line in output.splitlines() if line.startswith("error:")]
    assert "the package index is not to be reached" in error and "install_environment.log" in error
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_stopped_halfway_the_next_call_begins_anew(tmp_path, number):
    """The next call waits for what a killed one has left at work, and makes all anew."""
    folder = tmp_path / "env"
    words = [sys.executable, str(ROOT / "scripts/install_environment.py"), str(folder)]
    started = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    while not (folder / "bin").is_dir():
        time.sleep(0.01)
    started.send_signal(number)
    assert started.wait() == (-number if number == signal.SIGKILL else 128 + number)
    assert (folder / "bin").is_dir() == (number == signal.SIGKILL)
    again = subprocess.run(
        words, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1"}
    )
    assert again.returncode == 1 and "not to be reached" in again.stderr
    assert not folder.exists()


def test_uv_is_told_what_pip_is_told():
    said = (
        ":env:.find-links='/wheels'\nglobal.cert='/certs.crt'\nglobal.find-links='/old'\n"
        "global.extra-index-url='\\nhttp://one/simple\\nhttp://two/simple'\nglobal.timeout='9'\n"
    )
    assert settings_for_uv(said, {"SSL_CERT_FILE": "/own"}) == {
        "UV_FIND_LINKS": "/wheels",
        "UV_INDEX": "http://one/simple http://two/simple",
    }


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("WARNING: retrying\nERROR: No matching\nfor this", "ERROR: No matching"),
        ("ERROR: none (from versions: none)", "the package index is not to be reached"),
        ("  × Failed to build\n  ╰─▶ error: gcc failed", "error: gcc failed"),
        ("error: no\n  Caused by: No space left on device", "Caused by: No space left on device"),
        ("", "it said nothing"),
        ("  × No solution", "No solution"),
    ],
)  # fmt: skip
def test_what_an_installer_says_is_wrong(said, expected):
    assert essence(said) == expected
