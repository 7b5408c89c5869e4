"""One training in several processes, as torch.distributed, fairseq and transformers join them."""

import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import torch.distributed
import torch.multiprocessing

from seedwise.errors import UserError
from seedwise.machine import stopping

STOPPED = (128 + signal.SIGTERM, 128 + signal.SIGINT)
"""Exit codes of a process that a signal ended in order."""

SECONDS_TO_END = 2
"""Where one process has failed, the others get so long to end, and as long again after SIGTERM."""

# Of several processes: the signal to end, the update to end after, and one to save after.
_shared: Any = None


def run(processes: int, function: Callable[..., None], *arguments: Any, **named: Any) -> None:
    """Call ``function`` in so many processes, or in this one if that is 1.

    They find each other through the variables that `torchrun` sets, too; what they log goes where
    this process logs. None of them outlives this one, and if one fails, all end. SIGTERM and
    SIGINT are passed on to them, see `before_update`.

    Args:
        processes: their number; on GPUs, each has one of its own.
        function: called with the rest of the arguments.
        arguments: positional ones.
        named: named ones.

    Raises:
        UserError: one of them raised it.
    """
    if processes == 1:
        function(*arguments, **named)
        return
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    mistakes: Any = torch.multiprocessing.SimpleQueue()
    global _shared
    _shared = multiprocessing.Array("q", [0, 0, 0])
    # A fork has our imports, our log and, as long as it lives, our lock on the checkpoints.
    started: Any = torch.multiprocessing.start_processes(
        _work,
        args=(processes, port, mistakes, function, arguments, named),
        nprocs=processes,
        join=False,
        start_method="fork",
        daemon=True,  # they end with this process
    )
    try:
        with stopping.saving_first(lambda _: [p.terminate() for p in started.processes]):
            while not started.join(grace_period=SECONDS_TO_END):
                pass
    except torch.multiprocessing.ProcessExitedException as error:
        if not mistakes.empty():
            raise UserError(mistakes.get()) from None
        stopping.stop_if_asked()
        if error.exit_code in STOPPED:
            raise SystemExit(error.exit_code) from None
        raise
    finally:
        _shared = None


def before_update(update: int) -> None:
    """Save after this update where it is time to.

    Or end before it, if a signal asked any process of the training to.

    Several processes do so after the same update. Who is the first to see the signal, or the first
    process the time, before update n, has all save after n + 1: none can begin that one before all
    have begun n, since each waits for the gradients of all.

    Args:
        update: its number, from 1.
    """
    if _shared is None:
        stopping.stop_if_asked()
        stopping.request_checkpoint(stopping.is_due())
        return
    with _shared.get_lock():
        number, last, due = _shared
        if number and not last:
            _shared[1] = last = update + 1
        if due < update and is_first() and stopping.is_due():
            _shared[2] = due = update + 1
    if 0 < last < update:
        wait_for_all()  # who writes the checkpoint has written it
        raise SystemExit(128 + number)
    stopping.request_checkpoint(update in (last, due))


def _pass_on(number: int, _: Any) -> None:
    asked = _shared.get_obj()  # without its lock, which the code that we interrupt may hold
    if not asked[0]:
        asked[0] = number
    # It ends the process wherever that is, waiting for another one for example.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(stopping.SECONDS_TO_SAVE)


def rank() -> int:
    """Return this process's number in its training; 0 alone."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Tell whether this is the process that writes files and logs."""
    return rank() == 0


def gather(numbers: list[float]) -> list[list[float]]:
    """Return the numbers of each process of this training, in the order of their ranks."""
    if not torch.distributed.is_initialized():
        return [numbers]
    found: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(found, numbers)
    return found


def wait_for_all() -> None:
    """Return when all processes of this training have come here."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()


def _work(
    rank: int,
    processes: int,
    port: int,
    mistakes: Any,
    function: Callable[..., None],
    arguments: tuple[Any, ...],
    named: dict[str, Any],
) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _pass_on)
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(processes),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
    }
    try:
        function(*arguments, **named)
    except UserError as error:
        mistakes.put(str(error))
        sys.exit(1)
