"""What a result depends on: code, configuration, data, versions, processor, memory."""

import importlib.metadata
import platform
import resource
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seedwise.code import code_sha256
from seedwise.files import sha256_of_files, sha256_of_json

HASHES = ("config_sha256", "data_sha256", "code_sha256")
"""What the study, its files and our code decide."""

SHARED = (*HASHES, "precision", "threads", "device_type", "versions")
"""Results may be averaged, and a training resumed, only where all of these agree."""

NODE_SCRATCH = "SEEDWISE_NODE_SCRATCH"
"""The variable that names the folder on a node's own disk, for every process of a training."""


def shared(
    script: str,
    settings: dict[str, Any],
    inputs: Iterable[Path],
    here: dict[str, Any],
    *packages: str,
) -> dict[str, Any]:
    """Return the values of `SHARED` of what a ``script`` trains.

    Args:
        script: its name.
        settings: what the study says of the training.
        inputs: the files that it reads.
        here: what `seedwise.machine.device.prepare` made of ``settings``.
        packages: those that train.
    """
    return {
        "precision": here["precision"],
        "threads": here["threads"],
        "versions": versions(*packages),
        "config_sha256": sha256_of_json(settings),
        "data_sha256": sha256_of_files(inputs),
        "code_sha256": code_sha256(script),
        "device_type": here["device"],
    }


def resume_key(seed: int, shared: dict[str, Any]) -> str:
    """Return the name of the checkpoints with which a training at this ``seed`` may go on."""
    return sha256_of_json({"seed": seed, **shared})


def conditions(device: str, shared: dict[str, Any]) -> dict[str, Any]:
    """Return how a training ran: its memory, the device's name, and what `shared` returned."""
    return {"peak_rss_mib": round(peak_rss_mib(), 1), "device": device, **shared}


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python and of the given installed packages."""
    found = {package: importlib.metadata.version(package) for package in packages}
    return {"python": platform.python_version()} | found


def peak_rss_mib() -> float:
    """Return the largest resident memory, in MiB, of this process or one that it has waited for."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status = Path("/proc/self/status")
    if status.exists():
        # Linux' getrusage begins at the size of the process that started this one.
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        own = int(fields["VmHWM"].removesuffix("kB"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def cpu_seconds() -> float:
    """Return the processor time of this process and of those it has waited for."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def processor_name() -> str:
    """Return the processor's model name, or its architecture where the system does not say."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()
