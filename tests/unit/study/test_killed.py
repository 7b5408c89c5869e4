import logging

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from seedwise.study.killed import ExplainKilledJobs, reason

RESOURCES = {"mem_mb": 8000, "runtime": 480}
# As SLURM 22.05 writes them into a job's output; the last one as with control groups.
OUTPUTS = {
    "slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 07:47:53 DUE TO TIME LIMIT ***": (
        "killed at its time limit of 480 minutes"
    ),
    "slurmstepd: error: *** STEP 12.0 ON n1 CANCELLED AT 07:47:23 ***": (
        "told to end (SIGTERM), as happens shortly before its time limit of 480 minutes"
    ),
    "slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 07:47:23 ***\n"
    "slurmstepd: error: *** STEP 12.0 ON n1 CANCELLED AT 07:47:23 ***": "cancelled",
    "slurmstepd: error: StepId=12.0 exceeded memory limit (452206592 > 209715200), being killed\n"
    "slurmstepd: error: *** STEP 12.0 ON n1 CANCELLED AT 07:46:57 ***": (
        "more than its memory limit of 8000 MB"
    ),
    "slurmstepd: error: Detected 1 oom_kill event in StepId=12.0.": (
        "more than its memory limit of 8000 MB"
    ),
    "SLURM-job '12' failed, SLURM status is: 'TIMEOUT'.": "killed at its time limit of 480 minutes",
    "SLURM-job '12' failed, SLURM status is: 'OUT_OF_MEMORY'.": "memory limit of 8000 MB",
}


@pytest.mark.parametrize("text", OUTPUTS)
def test_what_slurm_writes_is_a_limit_in_words(text):
    assert OUTPUTS[text] in reason(text, RESOURCES, "finetune_fairseq")


def test_a_job_that_failed_by_itself_is_left_to_its_log():
    assert reason("UserError: no such column\nexit code 1", RESOURCES, "finetune_fairseq") is None


@pytest.fixture
def messages():
    """A logger with the filter, and the messages of the errors that pass it."""
    logger = logging.getLogger("test_killed")
    logger.setLevel(logging.INFO)
    found = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(getattr(record, "rule_msg", None))
    ours = ExplainKilledJobs()
    logger.addFilter(ours)
    logger.addHandler(handler)
    yield logger, found
    logger.removeFilter(ours)
    logger.removeHandler(handler)


def announce(logger):
    wildcards = {"experiment": "small", "seed": "3"}
    about = {"event": LogEvent.JOB_INFO, "jobid": 7, "wildcards": wildcards}
    logger.info("", extra=about | {"resources": RESOURCES, "rule_msg": None})


def fail(logger, log, aux):
    about = {"event": LogEvent.JOB_ERROR, "jobid": 7, "rule_name": "finetune_fairseq"}
    logger.error("", extra=about | {"rule_msg": "failed", "log": [str(log)], "aux": aux})


def test_the_message_names_rule_seed_job_limit_and_log(messages, tmp_path):
    logger, found = messages
    log = tmp_path / "12.log"
    log.write_text(next(iter(OUTPUTS)))
    announce(logger)
    fail(logger, log, {"external_jobid": "12"})
    for part in ("finetune_fairseq", "seed 3", "SLURM job 12", "480 minutes", str(log)):
        assert part in found[-1]


def test_jobs_outside_slurm_and_other_errors_keep_their_message(messages, tmp_path):
    logger, found = messages
    log = tmp_path / "12.log"
    log.write_text(next(iter(OUTPUTS)))
    announce(logger)
    fail(logger, log, {})
    assert found[-1] == "failed"
    fail(logger, tmp_path / "missing.log", {"external_jobid": "12"})
    assert found[-1] == "failed"
