"""A small study through `profiles/slurm` on a real SLURM, disturbed as clusters disturb."""

import contextlib
import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.slurm.cluster import PROGRAMS, Cluster, finish, missing, slurm, wait_for
from support.slurm.declared_limits import declared_limits
from support.smoke_study import snakemake, with_logs, write_study

REASON = missing(*PROGRAMS)
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

INTERVAL = 30  # not a multiple of an epoch, at whose end no checkpoint of its own is written
RUNS = [
    f"results/smoke/runs/{engine}-pretrained/seed-{seed}"
    for engine in ("fairseq", "transformers")
    for seed in (0, 1)
]
CHANGED = ("100M", "400M", "3200M")  # memory that a call below asks for
TABLES = ("aggregate_runs", "compare_experiments", "summarise_lora")
TRAINING = {
    "pretrain_model",
    "finetune_fairseq",
    "finetune_transformers",
    "search_fairseq",
    "pretrain_bloom",
    "finetune_lora",
}
# What does not tell when or how fast it was made; all else does, or is made of these.
COMPARED = {
    "predictions.csv",
    "history.csv",
    "model.pt",
    "model.safetensors",
    "adapter_model.safetensors",
    "generations.jsonl",
    "summary.csv",
    "comparisons.csv",
}


def change(config):
    """Make some trainings long enough to be disturbed."""
    config["models"]["tiny"]["pretrain"] |= {"updates": 300, "checkpoint_updates": INTERVAL}
    config["finetune"] |= {"epochs": 12, "checkpoint_updates": INTERVAL}
    config["experiments"]["fairseq-pretrained"]["finetune"] = {"epochs": 30}
    # With a search: what it chose is known to Snakemake only when its candidates have ended.
    config["experiments"]["fairseq-random"] |= {
        "finetune": {"epochs": 1},
        "search": {"over": {"learning_rate": [1.0e-3, 3.0e-3]}},
    }


def job_of(cluster: Cluster, rule: str, *words: str) -> dict[str, str]:
    """Return SLURM's newest record of a rule's job, once it runs."""

    def running() -> dict[str, str] | None:
        found = [
            job
            for job in cluster.jobs()
            if job["Comment"].startswith(f"rule_{rule}_")
            and all(word in job["Comment"] for word in words)
        ]
        return found[-1] if found and found[-1]["JobState"] == "RUNNING" else None

    return wait_for(running, 400, f"{rule} {words} runs")


def checkpoint_of(folder: Path) -> int:
    """Return the updates of the newest checkpoint inside an epoch, once there is one."""

    def updates() -> int:
        found = [*folder.glob("checkpoints/*/checkpoint_*_*.pt")]  # fairseq's
        found += folder.glob("checkpoints/*/checkpoint-*/checksums.json")  # transformers'
        numbers = [re.findall(r"checkpoint[-_\d]*[-_](\d+)", str(path))[-1] for path in found]
        return max(map(int, numbers), default=0)

    return wait_for(updates, 400, f"a checkpoint in {folder}")


@pytest.fixture(scope="module")
def start_undisturbed(tmp_path_factory):
    """The same study with the default profile; at the same time, to save time."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_study(folder, change)
    with ThreadPoolExecutor() as pool:
        yield folder, pool.submit(snakemake, folder, *TABLES)


@pytest.fixture(scope="module")
def undisturbed(start_undisturbed):
    folder, called = start_undisturbed
    code, output = called.result()
    assert code == 0, with_logs(folder, output)
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, start_undisturbed):
    with slurm(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The study through SLURM from its beginning."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, change)
    return folder


@pytest.fixture(scope="module")
def survived(cluster, folder):
    """A node failed during the pre-training, which SLURM then started anew."""
    pretrained = folder / "results/smoke/pretrained/tiny"
    process = cluster.snakemake(folder, "--retries", "0", "results/smoke/pretrained/tiny/model.pt")
    job = job_of(cluster, "pretrain_model")
    updates = checkpoint_of(pretrained)
    cluster.run("scontrol", "update", "NodeName=node", "State=DOWN", "Reason=test")
    wait_for(lambda: "Requeuing" in cluster.log(), what="the node is down")
    with contextlib.suppress(AssertionError):  # it may be back already, since it answers
        cluster.run("scontrol", "update", "NodeName=node", "State=RESUME")
    code, output = finish(process)
    assert code == 0, with_logs(folder, output)
    return job["JobId"], updates


@pytest.fixture(scope="module")
def disturbed(cluster, folder, survived):
    """What Snakemake said while jobs were cancelled, requeued and killed at their limits."""
    options = "--retries 0 --set-resources finetune_transformers:mem_mb=100"
    options += " finetune_fairseq:node_scratch='$TMPDIR' --"
    runs = [f"{run}/predictions.csv" for run in RUNS]
    process = cluster.snakemake(folder, *options.split(), *runs)
    jobs, updates = {}, {}
    for seed, command in (("0", "scancel"), ("1", "scontrol requeue")):
        jobs[seed] = job_of(cluster, "finetune_fairseq", f"_{seed}")["JobId"]
        updates[seed] = checkpoint_of(folder / RUNS[int(seed)])
        cluster.run(*command.split(), jobs[seed])
    job = job_of(cluster, "finetune_fairseq", "_1")
    assert job["Restarts"] == "1" and job["JobId"] == jobs["1"]
    updates["1"] = checkpoint_of(folder / RUNS[1])  # it saved when it was told to end
    updates["1"] = wait_for(
        lambda: (new := checkpoint_of(folder / RUNS[1])) > updates["1"] and new, 400
    )
    log = folder / "logs/smoke/finetune_fairseq/fairseq-pretrained/seed-1.log"
    assert "checkpoints are written to /" in log.read_text()
    # It does nothing any more until its time is over.
    for line in cluster.run("scontrol", "listpids", jobs["1"]).splitlines()[1:]:
        if line.split()[2] == "0":
            os.kill(int(line.split()[0]), signal.SIGSTOP)
    cluster.run("scontrol", "update", f"JobId={jobs['1']}", "EndTime=now")
    code, output = finish(process)
    assert code == 1, output
    return output, jobs, updates


@pytest.fixture(scope="module")
def outgrown(cluster, folder, disturbed):
    """What Snakemake said of a training that needs the memory of its second try."""
    process = cluster.snakemake(
        folder,
        "--set-resources",
        "finetune_transformers:mem_mb=400 * attempt ** 3",
        "--",
        f"{RUNS[3]}/predictions.csv",
    )
    code, output = finish(process)
    assert code == 0, with_logs(folder, output)
    return output


@pytest.fixture(scope="module")
def completed(cluster, folder, outgrown):
    """What Snakemake said in the last call, which submits a stopped training once more itself.

    All jobs that are left are of a study without GPUs, on a node that has none.
    """
    cluster.environment["SBATCH_PARTITION"] = "cpu"
    process = cluster.snakemake(folder)
    job = job_of(cluster, "finetune_transformers", "_0")
    updates = checkpoint_of(folder / RUNS[2])
    # As the profile has it done before the time limit: to the training, not to the whole job.
    cluster.run("scancel", "--signal=TERM", job["JobId"])
    code, output = finish(process)
    # Beside its errors, what the jobs themselves said, whichever failed.
    assert code == 0, with_logs(folder, output)
    return output, updates


def test_everything_is_green_in_the_end(completed, folder):
    output, _ = completed
    assert re.search(r"\((100%)\) done", output)
    assert (folder / "results/smoke/report.pdf").is_file()


def test_results_are_those_of_an_undisturbed_run_on_one_machine(completed, folder, undisturbed):
    def contents(study: Path) -> dict[str, bytes]:
        files = [path for path in study.glob("results/smoke/**/*") if path.name in COMPARED]
        return {str(path.relative_to(study)): path.read_bytes() for path in files}

    through_slurm, on_one_machine = contents(folder), contents(undisturbed)
    assert {Path(name).name for name in through_slurm} == COMPARED
    assert through_slurm.keys() == on_one_machine.keys()
    assert [name for name in through_slurm if through_slurm[name] != on_one_machine[name]] == []


def test_jobs_were_granted_what_their_rules_ask_for(completed, cluster, disturbed):
    seen, tries = set(), set()
    for job in cluster.jobs():
        rule = re.match(r"rule_([a-z_]+?)_(?:wildcards_|$)", job["Comment"] + "_")[1]
        memory, minutes, threads = declared_limits()[rule]
        days, _, clock = job["TimeLimit"].rpartition("-")
        hours, mins, _ = clock.split(":")
        # The study computes on the processor, but for a pre-training that leaves it open.
        granted = job.get("JOB_GRES", "(null)")
        assert granted == ("gpu:1" if rule == "pretrain_model" else "(null)")
        if job["JobId"] == disturbed[1]["1"] or job["MinMemoryNode"] in CHANGED:
            continue  # its limit was changed on purpose
        granted = int(days or 0) * 1440 + int(hours) * 60 + int(mins)
        attempt = granted // minutes
        assert granted == attempt * minutes
        # And what the size of its inputs adds, little in a study as small.
        asked = int(job["MinMemoryNode"].removesuffix("M")) / attempt
        assert memory <= asked < memory + 100
        assert job["CPUs/Task"] == threads
        seen.add(rule)
        tries.add((rule, attempt))
    assert seen >= TRAINING | {"convert_model", "compare_experiments"}
    # What was told to end before its limit got twice as much.
    assert {rule for rule, attempt in tries if attempt > 1} == {"finetune_transformers"}


def test_more_memory_mends_what_was_killed_for_it(outgrown, cluster):
    assert "more than its memory limit of 400 MB" in outgrown
    assert outgrown.count("Trying to restart") == 1
    last = [job for job in cluster.jobs() if job["MinMemoryNode"] == CHANGED[-1]]
    assert [job["JobState"] for job in last] == ["COMPLETED"]


def test_a_node_without_gpus_serves_a_study_on_the_processor(completed, cluster):
    there = [job for job in cluster.jobs() if job["Partition"] == "cpu"]
    assert {job["NodeList"] for job in there} == {"bare"}
    assert {job["JobState"] for job in there} <= {"COMPLETED", "FAILED"}  # one was told to end
    rules = " ".join(job["Comment"] for job in there)
    for rule in TRAINING - {"pretrain_model", "finetune_fairseq"}:
        assert rule in rules


def resumed_at(log: Path) -> int:
    """Return the updates after which a training went on."""
    return int(re.findall(r"going on from .*(?:checkpoint-|after )(\d+)", log.read_text())[-1])


def test_a_training_outlives_its_node(survived, cluster, folder):
    job, updates = survived
    records = {record["JobId"]: record for record in cluster.jobs()}
    assert (records[job]["JobState"], records[job]["Restarts"]) == ("COMPLETED", "1")
    assert resumed_at(folder / "logs/smoke/pretrain_model/tiny.log") >= updates


def test_the_next_call_goes_on_from_the_last_checkpoint(completed, disturbed, folder):
    _, _, updates = disturbed
    logs = folder / "logs/smoke"
    for seed, reached in updates.items():
        log = logs / f"finetune_fairseq/fairseq-pretrained/seed-{seed}.log"
        assert resumed_at(log) >= reached > 0
    _, reached = completed
    log = logs / "finetune_transformers/transformers-pretrained/seed-0.log"
    assert resumed_at(log) >= reached > 0


def test_a_training_told_to_end_before_its_limit_is_submitted_once_more(completed):
    output, _ = completed
    (message,) = re.findall(r"message: (finetune_.*)", output)
    assert "transformers-pretrained, seed 0" in message
    assert "told to end (SIGTERM), as happens shortly before its time limit of 480" in message
    assert "Trying to restart" in output


def test_errors_name_rule_seed_job_limit_and_log(disturbed):
    output, jobs, _ = disturbed
    messages = re.findall(r"message: (finetune_.*)", output)
    assert len(messages) == 4, output
    by_job = {re.search(r"SLURM job (\d+)", message)[1]: message for message in messages}
    assert "seed 0: SLURM job" in by_job[jobs["0"]] and "was cancelled" in by_job[jobs["0"]]
    assert "seed 1: SLURM job" in by_job[jobs["1"]]
    assert "killed at its time limit of 480 minutes" in by_job[jobs["1"]]
    for message in messages:
        assert "logs/smoke/finetune_" in message and "logs/slurm/" in message
        if "finetune_transformers" in message:
            assert "more than its memory limit of 100 MB" in message
