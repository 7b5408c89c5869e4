"""SIGTERM and SIGINT end a training in order: after its update, of which it leaves a checkpoint.

Several processes of one training end after the same update, which they agree on through memory that
they share, see `before_update`.
"""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch.distributed

logger = logging.getLogger(__name__)

SECONDS_TO_SAVE = 90 if "SLURM_JOB_ID" in os.environ else 8
"""A training that has left no checkpoint by then ends without one.

A person waits for the end; SLURM, by `profiles/slurm`, kills two minutes after its signal.
"""

SECONDS_TO_STOP = 5
"""A stopped job ends after this time even where some library swallows the exception."""

_asked: int | None = None
_save: Callable[[], None] | None = None
_shared: Any = None  # the signal, and the update to end after, of a training in several processes


@contextmanager
def shared() -> Iterator[None]:
    """Prepare for forks of this process that call `join`."""
    global _shared
    _shared = multiprocessing.Array("q", [0, 0])
    try:
        yield
    finally:
        _shared = None


def join() -> None:
    """Be one of several processes of a training, which end after the same update."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _pass_on)


def _pass_on(number: int, _: Any) -> None:
    asked = _shared.get_obj()  # without its lock, which the code that we interrupt may hold
    if not asked[0]:
        asked[0] = number
    # It ends the process wherever that is, waiting for another one for example.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS_TO_SAVE)


def before_update(update: int) -> None:
    """Save after this update, or end before it, as all processes of the training do.

    Who is the first to see the signal, before update n, has all save after n + 1: none can begin
    that one before all have begun n, since each waits for the gradients of all.

    Args:
        update: its number, from 1.
    """
    if _shared is None:
        stop_if_asked()
        return
    with _shared.get_lock():
        number, last = _shared
        if number and not last:
            _shared[1] = last = update + 1
    if update == last and _save:
        _save()
    elif 0 < last < update:
        if torch.distributed.is_initialized():
            torch.distributed.barrier()  # who writes the checkpoint has written it
        raise SystemExit(128 + number)


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
    _save()


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
def saving_first(save: Callable[[], None]) -> Iterator[None]:
    """Let a training leave a checkpoint when a signal asks it to end.

    Args:
        save: asks for a checkpoint after the update at hand; the next call of `before_update`
            ends the training then.
    """
    global _save
    _save = save
    try:
        yield
    finally:
        _save = None
    stop_if_asked()
