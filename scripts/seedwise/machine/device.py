"""Where and in which number format to compute."""

import ctypes
import os

import torch

from seedwise.environment import processor_name
from seedwise.errors import UserError
from seedwise.machine import gpus

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK_BYTES = 1 << 30


def keep_freed_memory() -> bool:
    """Make glibc keep freed blocks for the next update; return whether it is glibc.

    It would give those of megabytes back to the system, which fills them with zeros, page by
    page, whenever they are asked for again.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    options = (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)
    return mallopt is not None and all(mallopt(o, _LARGEST_BLOCK_BYTES) for o in options)


def prepare(settings: dict) -> str:
    """Prepare to train: fix the number of threads, keep freed memory.

    Returns the device, ``cpu`` or ``cuda``, of ``settings``.

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
    if device == "cpu" and settings["precision"] == "float16":
        raise UserError("precision: 'float16' needs a GPU; on a processor use float32 or bfloat16")
    return device


def name(device: str) -> str:
    """Return the name of the GPU or processor."""
    return torch.cuda.get_device_name() if device == "cuda" else processor_name()
