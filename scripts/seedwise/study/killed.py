"""Says which limit a SLURM job broke: Snakemake's own message names neither limit nor seed.

Needs the standard library only, because the Snakefile imports it.
"""

import logging
import re
from pathlib import Path
from typing import Any

# What SLURM writes into a job's output, and the states that the plugin reports.
_MEMORY = re.compile(r"exceeded (job )?memory limit|oom[-_ ]kill|'OUT_OF_MEMORY'", re.IGNORECASE)
_TIME = re.compile(r"DUE TO TIME LIMIT|'TIMEOUT'")
_CANCELLED = re.compile(r"JOB \S+ ON \S+ CANCELLED|'CANCELLED'")
_SIGNALLED = re.compile(r"STEP \S+ ON \S+ CANCELLED")


def reason(text: str, resources: dict[str, Any], rule: str) -> str | None:
    """Return why SLURM ended a job, and its limit; ``None`` if it ended by itself.

    Args:
        text: the job's output, and what the plugin says of its state.
        resources: what the job asked for: ``mem_mb`` (MB) and ``runtime`` (minutes).
        rule: the name of its rule, for the advice.
    """
    if _MEMORY.search(text):
        return (
            f"killed because it used more than its memory limit of {resources['mem_mb']} MB; "
            f"allow more with --set-resources {rule}:mem_mb=..."
        )
    limit = f"its time limit of {resources['runtime']} minutes"
    again = "a training goes on from its last checkpoint when Snakemake is called again"
    advice = f"{again}; allow more with --set-resources {rule}:runtime=..."
    if _TIME.search(text):
        return f"killed at {limit}; {advice}"
    if _CANCELLED.search(text):
        return (
            "cancelled; a training goes on from its last checkpoint when Snakemake is called again"
        )
    if _SIGNALLED.search(text):
        return f"told to end (SIGTERM), as happens shortly before {limit}; {advice}"
    return None


class ExplainKilledJobs(logging.Filter):
    """For Snakemake's logger: puts the reason into the error message of a job that SLURM ended."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs: dict[int, logging.LogRecord] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Remember jobs as they are announced, and explain their errors; let all records pass."""
        event = getattr(getattr(record, "event", None), "value", None)
        if event == "job_info":
            self._jobs[record.jobid] = record
        elif event == "job_error" and record.jobid in self._jobs:
            slurm_id = record.aux.get("external_jobid")
            if slurm_id:
                self._explain(record, self._jobs[record.jobid], str(slurm_id))
        return True

    @staticmethod
    def _explain(record: logging.LogRecord, job: logging.LogRecord, slurm_id: str) -> None:
        said = [str(record.rule_msg)]
        said += [Path(path).read_text(errors="replace") for path in record.log if _is_file(path)]
        why = reason("\n".join(said), job.resources, record.rule_name)
        if why:
            wildcards = ", ".join(f"{name} {value}" for name, value in job.wildcards.items())
            record.rule_msg = (
                f"{record.rule_name}, {wildcards}: SLURM job {slurm_id} was {why} "
                f"(logs: {', '.join(record.log)})"
            )


def _is_file(path: str) -> bool:
    return Path(path).is_file()
