"""When a training leaves a checkpoint: every few minutes, and at a signal, which ends it in order.

SIGTERM and SIGINT end it after its update, of which it leaves a checkpoint.

Several processes of one training end together, see `seedwise.machine.distributed.before_update`.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

logger = logging.getLogger(__name__)

SECONDS_TO_SAVE = 90 if "SLURM_JOB_ID" in os.environ else 8
"""A training that has left no checkpoint by then ends without one.

A person waits for the end; SLURM, by `profiles/slurm`, kills two minutes after its signal.
"""

SECONDS_TO_STOP = 5
"""A stopped job ends after this time even where some library swallows the exception."""

_asked: int | None = None
_save: Callable[[bool], None] | None = None
_seconds = 0.0  # between two checkpoints; 0: none by the clock
_last = 0.0


def _handle(number: int, _: Any) -> None:
    global _asked
    if _asked is not None:
        return
    _asked = number
    logger.warning(
        "stopped by %s; the checkpoints are kept, and the next call goes on from the last of them",
        signal.Signals(number).name,
    )
    if _save is None:
        stop_if_asked()
    signal.signal(signal.SIGALRM, lambda *_: stop_if_asked())
    signal.alarm(SECONDS_TO_SAVE)
    _save(True)


def is_due() -> bool:
    """Tell whether it is time for a checkpoint, and if so, wait as long for the next."""
    global _last
    due = bool(_seconds) and time.monotonic() - _last >= _seconds
    if due:
        _last = time.monotonic()
    return due


def request_checkpoint(wanted: bool) -> None:
    """Ask for a checkpoint after the update at hand, where the training said how, or for none."""
    if _save is not None:
        _save(wanted)
        if _asked is not None:  # a signal may have come before the line above
            _save(True)


def stop_if_asked() -> None:
    """End this process if a signal asked for it; the exit code is a shell's, 128 and its number."""
    if _asked is not None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS_TO_STOP)
        raise SystemExit(128 + _asked)


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """End this process in order on SIGTERM or SIGINT, and say how to go on.

    Outside the main thread, where Python allows no signal handlers, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def saving_first(save: Callable[[bool], None], minutes: float = 0.0) -> Iterator[None]:
    """Let a training leave a checkpoint every few minutes, and when a signal asks it to end.

    Args:
        save: says whether a checkpoint is wanted after the update at hand; after a signal the
            training then ends before the next one.
        minutes: between two checkpoints; 0: only at a signal, and when the training itself does.
    """
    global _save, _seconds, _last
    _save, _seconds, _last = save, 60 * minutes, time.monotonic()
    try:
        yield
    finally:
        _save = None
    stop_if_asked()
