"""`snakemake -n` with nothing installed but Snakemake and what it requires."""

import importlib.metadata
import os
import resource
import subprocess
import sys

from packaging.requirements import Requirement

from support import ROOT
from support.local_server import local_server
from support.smoke_study import job_counts, snakemake, write_study

# Not in Snakemake's requirements; the workflow's steps need them, its planning must not.
STEPS_NEED = {"torch", "fairseq", "transformers", "sentencepiece", "pandas", "scipy", "filelock"}
REVIEWS = ROOT / "tests/data/smoke/reviews.csv"
PROGRAM = "import sys; sys.path.append(sys.argv.pop(1)); from snakemake.cli import main; main()"


def required(name, found):
    """Add the distribution ``name`` and all that it requires to ``found``."""
    distribution = importlib.metadata.distribution(name)
    if distribution.name in found:
        return
    found[distribution.name] = distribution
    for line in distribution.requires or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            required(requirement.name, found)


def test_dry_run_needs_snakemake_alone(tmp_path):
    distributions = {}
    required("snakemake", distributions)
    assert not STEPS_NEED & set(distributions)
    packages = tmp_path / "packages"
    packages.mkdir()
    for distribution in distributions.values():
        for name in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            link = packages / name
            if not link.exists():
                link.symlink_to(distribution.locate_file(name))
    write_study(tmp_path)
    # -I and -S: neither this environment's packages nor the user's.
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, packages, "--dry-run", "--cores", "1"]
    command += ["--snakefile", ROOT / "Snakefile", "--configfile", "study.yaml"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PATH": os.defpath}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    counts = job_counts(done.stdout + done.stderr)
    assert counts["finetune_fairseq"] == 4 and counts["finetune_transformers"] == 2


def test_a_study_of_a_thousand_runs_is_planned_in_seconds(tmp_path):
    def enlarge(config):
        config["seeds"] = list(range(250))
        experiments = config["experiments"]
        experiments["transformers-random"] = experiments["fairseq-random"] | {
            "engine": "transformers"
        }
        del config["lora"]

    write_study(tmp_path, enlarge)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code, output = snakemake(tmp_path, "--dry-run", "--quiet", "rules")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert code == 0, output
    counts = job_counts(output)
    assert counts["finetune_fairseq"] == counts["finetune_transformers"] == 500
    # Six seconds on an idle machine; processor time, because tests may share theirs.
    assert after.ru_utime - before.ru_utime < 20


def test_waiting_jobs_are_planned_when_one_ends_and_not_each_second(tmp_path):
    with local_server() as server:
        server.faults = ["stall", "stall"]

        def change(config):
            reviews = config["datasets"].pop("reviews")
            del reviews["unlabelled"]
            for name in ("reviews", "others"):
                server.files[f"/{name}.csv"] = REVIEWS.read_bytes()
                source = {"url": f"{server.url}/{name}.csv"}
                config["datasets"][name] = reviews | {"source": source}

        write_study(tmp_path, change)
        code, output = snakemake(tmp_path, "--until", "download_source", "--verbose")
        assert code == 0, output
    assert job_counts(output)["download_source"] == 2
    assert output.count("Ready jobs: ") == 2
