"""The conventions of CONTRIBUTING.md, and versions that several files state."""

import ast
import importlib.metadata
import re
import sys

import pytest
import yaml
from smoke_study import ROOT

from seedwise.code import source_files

SCRIPTS = ROOT / "scripts"
RULE_FILES = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
SECTIONS = {"log", "benchmark", "conda", "threads", "resources", "message", "params", "output"}
OWN = {"seedwise", "seedwise_fairseq"}
DISTRIBUTIONS = importlib.metadata.packages_distributions()


def read_rules():
    """Return the sections of every rule by its name, each as its text without indentation."""
    rules = {}
    for file in RULE_FILES:
        text = file.read_text(encoding="utf-8")
        for name, body in re.findall(r"^ *rule (\w+):\n((?:    .*\n|\n)*)", text, re.MULTILINE):
            parts = re.split(r"^    (\w+):", body, flags=re.MULTILINE)[1:]
            rules[name] = dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))
    return rules


RULES = read_rules()
# Commands for people, which no rule runs.
COMMANDS = {"describe_config", "predict", "propose_study", "show_progress", "verify_study"}
JOBS = {name: rule for name, rule in RULES.items() if "output" in rule}


def normal(name):
    """Return a distribution's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines):
    """Return the versions in ``name==version`` lines, comments left out."""
    found = re.findall(r"^ *(?:- )?([\w.-]+)==([\w.]+)", "\n".join(lines), re.MULTILINE)
    return {normal(name): version for name, version in found}


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
    names -= OWN | set(sys.stdlib_module_names) | {path.stem for path in SCRIPTS.glob("*.py")}
    return {normal(DISTRIBUTIONS[name][0]) for name in names}


def test_rules_were_found():
    assert {"download_source", "finetune_fairseq", "finetune_lora", "render_html"} <= set(JOBS)
    assert set(RULES) - set(JOBS) == {"all", "export", "study", "tensorboard"}


@pytest.mark.parametrize("name", JOBS)
def test_rule_script_log_and_benchmark_share_a_name(name):
    rule = JOBS[name]
    assert rule["script"] == f'"../scripts/{name}.py"'
    assert (SCRIPTS / f"{name}.py").is_file()
    assert re.match(rf'"<logs>/{name}[/.]', rule["log"])
    assert re.match(rf'"<benchmarks>/{name}[/.]', rule["benchmark"])
    assert set(re.findall(r'code_sha256\("(\w+)"\)', str(rule))) <= {name}


@pytest.mark.parametrize("name", JOBS)
def test_rule_is_complete(name):
    rule = JOBS[name]
    assert set(rule) >= SECTIONS
    assert "run" not in rule and "shell" not in rule
    assert "mem_mb=" in rule["resources"] and "runtime=" in rule["resources"]
    assert rule["conda"].strip('"').removeprefix("../envs/") in ENVIRONMENTS


def test_every_script_is_a_rule_or_a_command_and_is_tested():
    scripts = {path.stem for path in SCRIPTS.glob("*.py")}
    assert scripts == set(JOBS) | COMMANDS
    tests = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))
    imported = set(re.findall(r"^ *(?:import|from) (\w+)", tests, re.MULTILINE))
    assert not scripts - imported


def test_files_stay_short():
    lengths = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for path in [*RULE_FILES, *SCRIPTS.rglob("*.py"), *ROOT.glob("tests/**/*.py")]
    }
    limits = {".smk": 200, ".py": 400, "": 60}
    assert not [path for path, length in lengths.items() if length > limits[path.suffix]]


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_script_runs_without_snakemake_but_for_its_last_lines(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    main = tree.body[-1]
    assert isinstance(main, ast.If) and ast.unparse(main.test) == "__name__ == '__main__'"
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assert all(node.lineno > main.lineno for node in names if node.id == "snakemake")


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_environment_files_agree_with_the_lock(name):
    content = yaml.safe_load(ENVIRONMENTS[name].read_text(encoding="utf-8"))
    assert content["name"] == f"seedwise-{name.removesuffix('.yaml')}"
    assert content["channels"] == ["conda-forge", "nodefaults"]
    assert "python=3.11" in content["dependencies"] and "pip=24.0" in content["dependencies"]
    pinned = environment_pins(name)
    assert pinned and pinned == {package: LOCK[package] for package in pinned}
    (with_pip,) = (entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict))
    assert len(pinned) == len(with_pip)


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
    installed = {
        normal(d.name): d.version.split("+")[0] for d in importlib.metadata.distributions()
    }
    assert {name: installed.get(name) for name in LOCK} == LOCK
