"""Seedwise taken in by another workflow, as the documentation says."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from support import ROOT
from support.smoke_study import job_counts, write_study

DOCUMENTED = re.findall(
    r"```snakemake\n(.*?)```", (ROOT / "docs/extending.md").read_text(encoding="utf-8"), re.DOTALL
)


def alone(config):
    """Leave the linear experiment."""
    del config["lora"]
    config["experiments"] = {"linear": config["experiments"]["linear"]}


@pytest.fixture
def folder(tmp_path):
    """Another workflow, ten lines of its own, beside a clone of Seedwise."""
    (snakefile,) = DOCUMENTED
    assert len([line for line in snakefile.splitlines() if line.strip()]) <= 12
    (tmp_path / "Snakefile").write_text(snakefile, encoding="utf-8")
    (tmp_path / "seedwise").symlink_to(ROOT)
    write_study(tmp_path, alone).rename(tmp_path / "study.yaml")
    return tmp_path


def snakemake(folder, *arguments, **environment):
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    environment |= {"PATH": os.defpath, "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_another_workflow_goes_on_from_the_tables(folder):
    code, output = snakemake(folder)
    assert code == 0, output
    results = folder / "results" / "smoke"
    assert (results / "report.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "best.txt").read_text().startswith("linear,linear,none,reviews,1,")
    # Logs and benchmarks are where they are without the other workflow, whatever its names.
    assert (folder / "logs/smoke/train_linear/linear/seed-0.log").is_file()
    assert (results / "benchmarks/train_linear/linear/seed-0.tsv").is_file()
    assert "train_linear" in (results / "tables/costs.csv").read_text()
    code, output = snakemake(folder)
    assert code == 0 and "Nothing to be done" in output
    code, output = snakemake(folder, "seedwise_render_html")
    assert code == 0, output
    assert "best.txt" not in (results / "report.html").read_text(encoding="utf-8")


def test_a_module_by_its_address(folder):
    (folder / "seedwise").unlink()
    repository = folder / "repository"
    for part in ("Snakefile", "rules", "scripts", "envs", "reports"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        repository.mkdir(exist_ok=True)
        copy(ROOT / part, repository / part)
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    path = folder / "Snakefile"
    address = 'github("someone/seedwise", path="Snakefile", tag="v1")'
    path.write_text(path.read_text().replace('"seedwise/Snakefile"', address), encoding="utf-8")
    here = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/someone/seedwise",
    }
    code, output = snakemake(folder, **here)
    assert code == 0, output
    assert (folder / "best.txt").read_text().startswith("linear,linear,none,reviews,1,")
    code, output = snakemake(folder, **here)
    assert code == 0 and "Nothing to be done" in output


def test_a_mistake_in_the_study_is_one_message(folder):
    path = folder / "study.yaml"
    path.write_text(path.read_text().replace("seeds:", "sedes:"), encoding="utf-8")
    code, output = snakemake(folder, "--dry-run")
    assert code == 1 and "the top level: unknown key 'sedes'" in output


def test_rules_without_the_scripts_say_what_is_missing(folder):
    (folder / "seedwise").unlink()
    shutil.copytree(ROOT / "rules", folder / "seedwise" / "rules")
    shutil.copy(ROOT / "Snakefile", folder / "seedwise" / "Snakefile")
    code, output = snakemake(folder, "--dry-run")
    assert code == 1 and "Seedwise is more than its rules: clone it" in output
    assert job_counts(output) == {}
