"""A script's main in a process of its own, which a test may end at a chosen moment.

The process is a fork of the test's, so that torch need not be imported anew.
"""

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import tqdm

from seedwise.log import log_to

Main = Callable[[], Any]


def start(main: Main, log: Path, sabotage: Main = lambda: None) -> int:
    """Start ``main`` as a rule would, with its log, after ``sabotage``; return its process id."""
    log.parent.mkdir(parents=True, exist_ok=True)
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        # tqdm's own lock is shared between processes: one killed with it would block all others.
        tqdm.tqdm.set_lock(threading.RLock())
        sabotage()
        with log_to(log):
            main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def wait(child: int) -> int:
    """Return the exit code, or minus the signal that ended the process."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(main: Main, log: Path, sabotage: Main = lambda: None) -> tuple[int, str]:
    """Run ``main`` to its end; return its exit code and its log."""
    code = wait(start(main, log, sabotage))
    return code, log.read_text(encoding="utf-8")


def errors(log: str) -> list[str]:
    """Return what a log says is wrong; there must be no traceback."""
    assert "Traceback" not in log, log
    return [line.split(" ERROR seedwise ")[1] for line in log.splitlines() if " ERROR " in line]


@contextmanager
def started(main: Main, log: Path, ready: Callable[[], Any]) -> Iterator[int]:
    """Yield a process that has come as far as ``ready``; kill it in the end."""
    child = start(main, log)
    try:
        deadline = time.monotonic() + 60
        while not ready():
            assert os.waitpid(child, os.WNOHANG) == (0, 0), log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.005)
        yield child
    finally:
        try:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        except (ProcessLookupError, ChildProcessError):
            pass  # the test has waited for it


def die(*_: Any, **__: Any) -> NoReturn:
    """Do as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def at_call(number: int, function: Callable[..., Any], instead: Callable[..., Any]) -> Any:
    """Return ``function``, whose ``number``-th call (from 1) is to ``instead``."""
    calls = 0

    def count(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        return (instead if calls == number else function)(*arguments, **named)

    return count
