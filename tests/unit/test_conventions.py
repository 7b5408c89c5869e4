"""The conventions of CONTRIBUTING.md, and versions that several files state."""

import ast
import importlib.metadata
import re
import sys
from collections import Counter

import pytest
import yaml

from seedwise.code import source_files
from support import ROOT, environments

SCRIPTS = ROOT / "scripts"
RULE_FILES = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
STAGES = [
    "data", "tokens", "models", "training", "exports", "search", "lora", "results", "figures",
    "report",
]  # fmt: skip
SECTIONS = {"conda", "resources", "message", "output"}
OWN = {"seedwise", "seedwise_fairseq"}
DISTRIBUTIONS = importlib.metadata.packages_distributions()


def read_rules():
    """Return the sections of every rule by its name, each as its text without indentation."""
    rules = {}
    for file in RULE_FILES:
        text = file.read_text(encoding="utf-8")
        found = re.findall(r"^(?:rule|checkpoint) (\w+):\n((?:    .*\n|\n)*)", text, re.MULTILINE)
        for name, body in found:
            parts = re.split(r"^    (\w+):", body, flags=re.MULTILINE)[1:]
            rules[name] = dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))
    return rules


RULES = read_rules()
# Commands for people, which no rule runs.
COMMANDS = {
    "describe_config",
    "verify_archive",
    "draw_workflow",
    "install_environment",
    "predict",
    "propose_study",
    "show_progress",
    "verify_study",
}
JOBS = {name: rule for name, rule in RULES.items() if "output" in rule}


def pins(lines):
    """Return the versions in ``name==version`` lines, comments left out."""
    found = re.findall(r"^ *(?:- )?([\w.-]+)==([\w.]+)", "\n".join(lines), re.MULTILINE)
    return {environments.normal(name): version for name, version in found}


LOCK = pins((ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines())
ENVIRONMENTS = {path.name: path for path in (ROOT / "envs").glob("*.yaml")}


def environment_pins(name):
    """Return what an environment file pins, with pip or without."""
    content = yaml.safe_load(ENVIRONMENTS[name].read_text(encoding="utf-8"))
    flat = []
    for entry in content["dependencies"]:
        flat += entry["pip"] if isinstance(entry, dict) else [entry]
    return pins(flat)


def third_party_imports(script):
    """Return the distributions that a script and our modules behind it import, anywhere."""
    names = set()
    for source in source_files(script):
        for node in ast.walk(ast.parse(source.read_bytes())):
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    names -= OWN | set(sys.stdlib_module_names)
    return {environments.normal(DISTRIBUTIONS[name][0]) for name in names}


def test_rules_were_found():
    assert {"download_source", "finetune_fairseq", "finetune_lora", "render_html"} <= set(JOBS)
    assert set(RULES) - set(JOBS) == {"all", "export", "study", "tensorboard"}


@pytest.mark.parametrize("name", JOBS)
def test_a_rule_and_its_script_share_name_and_stage(name):
    (stage,) = (
        file.stem
        for file in RULE_FILES
        if re.search(rf"(rule|checkpoint) {name}:", file.read_text("utf-8"))
    )
    assert stage in STAGES
    assert JOBS[name]["script"] == f'"../scripts/{stage}/{name}.py"'
    assert (SCRIPTS / stage / f"{name}.py").is_file()


@pytest.mark.parametrize("name", JOBS)
def test_rule_is_complete(name):
    rule = JOBS[name]
    assert set(rule) >= SECTIONS
    assert "run" not in rule and "shell" not in rule
    assert "mem_mb=" in rule["resources"] and "runtime=" in rule["resources"]
    assert rule["conda"].strip('"').removeprefix("../envs/") in ENVIRONMENTS


def test_every_script_is_a_rule_or_a_command_and_is_tested():
    scripts = {path.stem for stage in STAGES for path in (SCRIPTS / stage).glob("*.py")}
    assert scripts == set(JOBS)
    assert {path.stem for path in SCRIPTS.glob("*.py")} == COMMANDS
    scripts |= COMMANDS
    tests = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))
    imported = set(re.findall(r"^ *(?:import|from) (\w+)", tests, re.MULTILINE))
    assert not scripts - imported


def test_files_stay_short_and_folders_small():
    files = [*RULE_FILES, *SCRIPTS.rglob("*.py"), *ROOT.glob("tests/**/*.py")]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert not [
        path for path, n in lengths.items() if n > (60 if path.name == "Snakefile" else 300)
    ]
    folders = Counter(path.parent for path in files if path.name != "__init__.py")
    assert not [folder for folder, modules in folders.items() if modules > 15]


SCRIPT_FILES = [path for path in SCRIPTS.rglob("*.py") if not OWN & set(path.parts)]


def runs_as_a_script(node):
    """Tell whether a statement is an `if` that holds where the file is run, not imported."""
    return isinstance(node, ast.If) and "__name__ == '__main__'" in ast.unparse(node.test)


@pytest.mark.parametrize("path", sorted(SCRIPT_FILES), ids=lambda path: path.stem)
def test_script_runs_without_snakemake_but_where_it_is_run(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.unparse(tree.body[-1]).startswith("if __name__ == '__main__':")
    imported = [node for node in tree.body if not runs_as_a_script(node)]
    names = [node for part in imported for node in ast.walk(part) if isinstance(node, ast.Name)]
    assert "snakemake" not in {node.id for node in names}


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_environment_files_agree_with_the_lock(name):
    content = yaml.safe_load(ENVIRONMENTS[name].read_text(encoding="utf-8"))
    assert content["name"] == f"seedwise-{name.removesuffix('.yaml')}"
    assert content["channels"] == ["conda-forge"]
    assert {f"python={environments.PYTHON}", "pip=24.0"} <= set(content["dependencies"][:-1])
    pinned = environment_pins(name)
    assert pinned and pinned == {package: LOCK[package] for package in pinned}
    (with_pip,) = (entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict))
    assert len(pinned) == len(with_pip)
    text = ENVIRONMENTS[name].read_text(encoding="utf-8")
    # `python -m support.environments` writes what the packages listed there ask for.
    assert text == environments.with_indirect(text, LOCK)


@pytest.mark.parametrize("name", JOBS)
def test_environment_of_a_rule_has_what_its_script_imports(name):
    environment = JOBS[name]["conda"].strip('"').removeprefix("../envs/")
    missing = third_party_imports(name) - set(environment_pins(environment))
    assert not missing


def test_versions_of_snakemake_agree():
    snakefile = (ROOT / "Snakefile").read_text(encoding="utf-8")
    (version,) = re.findall(r'min_version\("(.+)"\)', snakefile)
    direct = pins((ROOT / "requirements.in").read_text(encoding="utf-8").splitlines())
    assert version == direct["snakemake"] == LOCK["snakemake"]


def test_lock_holds_every_direct_dependency_and_is_installed():
    direct = pins((ROOT / "requirements.in").read_text(encoding="utf-8").splitlines())
    assert len(direct) > 20 and direct == {name: LOCK[name] for name in direct}
    assert "torchaudio" not in LOCK
    found = importlib.metadata.distributions()
    installed = {environments.normal(d.name): d.version.split("+")[0] for d in found}
    assert {name: installed.get(name) for name in LOCK} == LOCK
