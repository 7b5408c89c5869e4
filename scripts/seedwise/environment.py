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
"""Results may be averaged only where all of these agree."""


def hashes(script: str, settings: dict[str, Any], inputs: Iterable[Path]) -> dict[str, str]:
    """Return the `HASHES` of what ``script`` makes of ``settings`` and the files ``inputs``."""
    values = sha256_of_json(settings), sha256_of_files(inputs), code_sha256(script)
    return dict(zip(HASHES, values, strict=True))


def conditions(settings: dict[str, Any], device: str, *packages: str) -> dict[str, Any]:
    """Return how a training ran: memory, the device's name, ``settings``, packages' versions.

    ``settings`` are those that `seedwise.machine.device.prepare` returns.
    """
    return {
        "peak_rss_mib": round(peak_rss_mib(), 1),
        "device": device,
        "precision": settings["precision"],
        "threads": settings["threads"],
        "versions": versions(*packages),
    }


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
