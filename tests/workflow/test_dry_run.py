"""`snakemake -n` with nothing installed but Snakemake and what it requires."""

import importlib.metadata
import os
import resource
import subprocess
import sys

from packaging.requirements import Requirement

from support import ROOT
from support.smoke_study import job_counts, snakemake, write_study

# Not in Snakemake's requirements; the workflow's steps need them, its planning must not.
STEPS_NEED = {"torch", "fairseq", "transformers", "sentencepiece", "pandas", "scipy", "filelock"}
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
