"""Each code block of README and docs, run as it stands or as far as it can be without its study."""

import copy
import csv
import importlib
import io
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections import Counter

import pytest
import yaml

from draw_workflow import stages
from seedwise.study import datasets, validation
from support import ROOT
from support.documentation import PAGES, blocks, commands
from support.smoke_study import CONFIG, snakemake

SCRIPT = re.compile(r"(?:.*\| )?\.venv/bin/python scripts/(\w+)\.py ?(.*)")
PACKAGE = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["datasets"][
    "movie-reviews"
]["source"]["package"]


def test_blocks_were_found_and_have_a_language():
    assert len(PAGES) >= 5 and len(commands()) >= 20
    known = {"bash", "yaml", "python", "snakemake"}
    for page in PAGES:
        fences = re.findall(r"^```(\w*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(fences[::2]) <= known and set(fences[1::2]) <= {""}, page.name


@pytest.mark.parametrize(("page", "code"), blocks("bash"))
def test_bash_parses(page, code):
    code = code.replace("<this repository>", "repository")
    done = subprocess.run(["bash", "-n"], input=code, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", commands())
def test_command_is_one_that_the_project_knows(command):
    if command.startswith("git clone") or ".venv/bin/snakemake --rulegraph" in command:
        return  # the latter is run below
    if match := SCRIPT.fullmatch(command):
        script = importlib.import_module(match[1])
        words = shlex.split(match[2])
        assert script.arguments(words) if words else script.main
    elif command.startswith("make "):
        done = subprocess.run(["make", "-n", *shlex.split(command)[1:]], cwd=ROOT, text=True,
                              capture_output=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
    elif command.startswith(".venv/bin/pip download"):
        assert command.split()[-1] == PACKAGE
    elif command.startswith("export SBATCH_"):
        return
    elif "--profile profiles/slurm" in command:
        return  # in test_profiles.py
    elif "make_reviews.py" in command:
        return  # run below
    else:  # how the lock is made
        assert re.match(r"(python3.11 -m venv /tmp/lock|/tmp/lock/bin/pip|sed -i)", command)


def test_picture_of_the_steps_shows_every_rule_of_the_default_study(tmp_path):
    shutil.copy(ROOT / "config.yaml", tmp_path / "study.yaml")
    code, output = snakemake(tmp_path, "--rulegraph", "dot")
    rules = set(re.findall(r'label = "(\w+)"', output))
    assert code == 0 and {"finetune_lora", "download_source"} < rules
    picture = (ROOT / "docs/images/workflow.svg").read_text(encoding="utf-8")
    shown = set(re.findall(r">(\w+)</text>", picture))
    boxes = {stage for rule, stage in stages(ROOT / "rules").items() if rule in rules}
    assert shown == rules | boxes


@pytest.mark.parametrize(("page", "code"), blocks("yaml"))
def test_part_of_a_study_is_valid(page, code):
    part = yaml.safe_load(code)
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    config["datasets"]["my-reviews"] = copy.deepcopy(config["datasets"]["reviews"])
    config["models"]["small"] = copy.deepcopy(config["models"]["tiny"])
    sections = part if {"datasets", "models"} & set(part) else {"experiments": part}
    for section, entries in sections.items():
        config[section] |= entries
    validation.check_config(config, page)
    datasets.check_datasets(config)


@pytest.mark.parametrize(("page", "code"), blocks("python"))
def test_python_compiles(page, code):
    compile(code, page, "exec")


def test_tutorial_makes_its_table(tmp_path):
    """Run the script that the tutorial says to save, on a package made up like the real one."""
    (code,) = [code for _, code in blocks("python") if "make_reviews.py" in code]
    lines = "1_1\t-1.2\tit broke.\r\n1_2\t0.1\tit came, on time.\r\n1_3\t3.0\tgreat!\r\n"
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as archive:
        add(archive, "hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt", lines.encode())
    (tmp_path / "resources").mkdir()
    name = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
    with tarfile.open(tmp_path / "resources/vaderSentiment-3.3.2.tar.gz", "w:gz") as archive:
        add(archive, name, inner.getvalue())
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    with (tmp_path / "reviews.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert Counter(row["label"] for row in rows) == {"negative": 1, "neutral": 1, "positive": 1}
    assert rows[1]["text"] == "it came, on time."


def add(archive, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def test_links_between_the_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), (page, target)


def test_citation_names_the_licence_of_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["license"] == "MIT" and citation["cff-version"] == "1.2.0"
    assert citation["title"] and citation["authors"] and citation["message"]
