"""Snakemake that looks every second whether a job has ended.

The SLURM plugin waits ten seconds longer each time it looks in vain, which spares a cluster but
makes up most of a test.
"""

import asyncio
from typing import Any

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def _sleep(_: Any) -> None:
    await asyncio.sleep(1)


if __name__ == "__main__":
    RemoteExecutor.sleep = _sleep
    main()
