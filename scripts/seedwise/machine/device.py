"""Where and in which number format to compute."""

import ctypes
import os
import time
from typing import Any

import torch

from seedwise.environment import processor_name
from seedwise.errors import UserError
from seedwise.machine import gpus

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK_BYTES = 1 << 30

_PRODUCT = 256
_WORTH = 1.2
"""How many times as fast as float32 bfloat16 must be: a processor that multiplies it natively
reaches two to five, any other less than one."""


def keep_freed_memory() -> bool:
    """Make glibc keep freed blocks for the next update; return whether it is glibc.

    It would give those of megabytes back to the system, which fills them with zeros, page by
    page, whenever they are asked for again.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    options = (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)
    return mallopt is not None and all(mallopt(o, _LARGEST_BLOCK_BYTES) for o in options)


def _seconds(*kinds: torch.dtype) -> list[float]:
    """Return how long a product of two matrices takes in each of the ``kinds``.

    It is the fastest of some, made in turn on one thread, whose own time counts: whatever else the
    machine does, each job of a study must find the same.
    """
    matrices = [torch.ones(_PRODUCT, _PRODUCT, dtype=kind) for kind in kinds]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds = []
    for _ in range(6):  # the first makes the kernels
        for matrix in matrices:
            started = time.thread_time()
            matrix @ matrix
            seconds.append(time.thread_time() - started)
    torch.set_num_threads(threads)
    return [min(seconds[place :: len(kinds)]) for place in range(len(kinds))]


def multiplies_bfloat16() -> bool:
    """Tell whether this processor multiplies matrices in bfloat16 by instructions made for it.

    It is timed, which takes milliseconds: one without them does it by slow others, and what
    processors and libraries say of themselves leaves out what a user has switched off.
    """
    float32, bfloat16 = _seconds(torch.float32, torch.bfloat16)
    return float32 > _WORTH * bfloat16


def _precision(wanted: str, device: str) -> str:
    """Return the number format in which to multiply where ``wanted`` is that of a study."""
    if wanted != "auto":
        return wanted
    if device == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = multiplies_bfloat16()
    return "bfloat16" if native else "float32"


def prepare(settings: dict[str, Any]) -> dict[str, Any]:
    """Prepare to train: fix the number of threads, keep freed memory.

    Returns the ``settings`` with what `auto` stands for here: their ``device`` is ``cpu`` or
    ``cuda``, their ``precision`` a number format.

    On GPUs, as many as the run has processes are this process's own until it ends. ``settings``
    has the keys ``device``, ``precision``, ``threads`` and perhaps ``processes`` of a study.

    Raises:
        UserError: the device or the precision is not available here.
    """
    keep_freed_memory()
    torch.set_num_threads(settings["threads"])
    if settings["device"] != "cpu" and gpus.visible():
        gpus.claim(settings.get("processes", 1))
    # So that looking does not start CUDA, which the processes of a distributed run start later.
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
    available = torch.cuda.is_available()
    device = settings["device"]
    if device == "auto":
        device = "cuda" if available else "cpu"
    if device == "cuda" and not available:
        raise UserError("device: 'cuda' asked for, but this machine has no GPU that torch can use")
    if device == "cuda":
        # The same seed, the same bits: without, sums of attention and embeddings come in any order
        # (https://docs.pytorch.org/docs/stable/notes/randomness.html).
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    if device == "cpu" and settings["precision"] == "float16":
        raise UserError("precision: 'float16' needs a GPU; on a processor use float32 or bfloat16")
    return settings | {"device": device, "precision": _precision(settings["precision"], device)}


def name(device: str) -> str:
    """Return the name of the GPU or processor."""
    return torch.cuda.get_device_name() if device == "cuda" else processor_name()
