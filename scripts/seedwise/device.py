"""Where and in which number format to compute."""

import torch

from seedwise.errors import UserError
from seedwise.machine import processor_name


def prepare(settings: dict) -> str:
    """Fix the number of threads and return the device, ``cpu`` or ``cuda``, of ``settings``.

    ``settings`` has the keys ``device``, ``precision`` and ``threads`` of a study.

    Raises:
        UserError: the device or the precision is not available here.
    """
    torch.set_num_threads(settings["threads"])
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
