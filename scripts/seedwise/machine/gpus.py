"""Shares out the GPUs of a machine: no two jobs of one user compute on the same."""

import logging
import os
import re
import tempfile
import time
from pathlib import Path

import filelock
import torch

from seedwise.errors import UserError

logger = logging.getLogger(__name__)

WAIT_SECONDS = 1.0
"""Between two looks for a free GPU."""

_held: list[filelock.FileLock] = []
"""Until this process ends; the system releases them then, however it ends."""


def visible() -> list[str]:
    """Return the GPUs that this process may use: those of CUDA_VISIBLE_DEVICES, or all."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        # torch counts them without starting CUDA, which must not know of the others later.
        return [str(number) for number in range(torch.cuda.device_count())]
    return [name.strip() for name in listed.split(",") if name.strip()]


def _lock(device: str) -> filelock.FileLock:
    # In a SLURM job, device 0 is the first one of that job.
    job = os.environ.get("SLURM_JOB_ID", "machine")
    name = re.sub(r"[^\w-]", "-", f"seedwise-{os.getuid()}-{job}-gpu-{device}")
    return filelock.FileLock(Path(tempfile.gettempdir()) / f"{name}.lock")


def _take(count: int, devices: list[str]) -> list[str]:
    """Lock ``count`` free devices and return them; take none if there are fewer."""
    taken: dict[str, filelock.FileLock] = {}
    for device in devices:
        lock = _lock(device)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            continue
        taken[device] = lock
        if len(taken) == count:
            _held.extend(taken.values())
            return list(taken)
    for lock in taken.values():
        lock.release()
    return []


def claim(count: int = 1) -> list[str]:
    """Wait until ``count`` GPUs are free, and make this process see only these until it ends.

    Call it before CUDA starts. Where this process has its GPUs already, they remain.

    Raises:
        UserError: there are not so many, free or not.
    """
    devices = visible()
    if len(devices) < count:
        raise UserError(f"processes: {count} need a GPU each, but {len(devices)} are visible here")
    if len(_held) >= count:
        return devices
    waited = False
    while not (taken := _take(count, devices)):
        if not waited:
            logger.info("waiting: other jobs compute on GPU %s", ", ".join(devices))
        waited = True
        time.sleep(WAIT_SECONDS)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
    logger.info("computing on GPU %s", ", ".join(taken))
    return taken
