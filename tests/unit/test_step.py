import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

import seedwise.step as step_module
from seedwise.environment import cpu_seconds, peak_rss_mib
from seedwise.errors import UserError
from seedwise.step import check_unchanged, step

TABLE = Path("results/demo/tables/runs.csv")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    TABLE.parent.mkdir(parents=True)
    return tmp_path


def rule(inputs=(), outputs=()):
    return SimpleNamespace(input=list(inputs), output=list(outputs), log=["log"], resources={})


def write():
    with step(rule(outputs=[str(TABLE)])):
        TABLE.write_text("a,b\n")


def test_a_step_reads_what_another_wrote():
    write()
    with step(rule(inputs=[str(TABLE)])):
        assert TABLE.read_text() == "a,b\n"


def test_a_changed_file_is_refused(capsys):
    write()
    TABLE.write_text("a,c\n")
    with pytest.raises(SystemExit, match="1"), step(rule(inputs=[str(TABLE)])):
        pytest.fail("it was read")
    assert f"{TABLE}: changed since the study wrote it" in Path("log").read_text()


def test_a_file_made_anew_is_trusted():
    write()
    TABLE.write_text("a,c\n")
    write()
    check_unchanged(TABLE)


def test_a_failed_step_vouches_for_nothing():
    write()
    with pytest.raises(SystemExit), step(rule(outputs=[str(TABLE)])):
        TABLE.write_text("half")
        raise UserError("no")
    assert not list(Path("results").rglob("*.txt"))


def test_a_folder_has_one_checksum():
    model = TABLE.parent / "model"
    with step(rule(outputs=[str(model)])):
        model.mkdir()
        (model / "config.json").write_text("{}")
    check_unchanged(model)
    (model / "more.json").write_text("{}")
    with pytest.raises(UserError, match="model: changed"):
        check_unchanged(model)


def test_files_elsewhere_are_not_ours():
    Path("mine.csv").write_text("x")
    with step(rule(inputs=["mine.csv"], outputs=["resources/file"])):
        pass
    check_unchanged(Path("mine.csv").resolve())
    assert not list(Path("results").rglob("*.txt"))


def test_the_records_are_those_of_sha256sum():
    write()
    (record,) = Path("results/demo/.sha256").rglob("*.txt")
    done = subprocess.run(["sha256sum", "--check", record], capture_output=True, text=True)
    assert done.stdout == f"{TABLE}: OK\n"


def test_what_it_cost_stands_beside_snakemakes_benchmark():
    script = SimpleNamespace(
        input=[], output=[], log=["logs/demo/a_rule/of-this.log"], resources={}
    )
    Path(script.log[0]).parent.mkdir(parents=True)
    before = cpu_seconds()
    with step(script):
        while cpu_seconds() - before < 0.2:
            pass
    costs = json.loads(Path("results/demo/benchmarks/a_rule/of-this.json").read_text())
    assert costs["cpu_seconds"] == pytest.approx(cpu_seconds(), abs=0.1)
    assert costs["cpu_seconds"] - before > 0.1
    assert costs["peak_mib"] == pytest.approx(peak_rss_mib(), abs=10)


def test_what_another_node_has_just_written_may_look_older_for_a_while(monkeypatch):
    """Its file is seen before its checksum; so long a job waits, but not for ever."""
    write()
    TABLE.write_text("a,c\n")
    (record,) = Path("results").rglob("*.txt")
    seconds = iter(range(100))
    monkeypatch.setattr(step_module, "SECONDS_OF_LATENCY", 10)
    monkeypatch.setattr(step_module.time, "monotonic", lambda: next(seconds))
    looks = []

    def look_again(_):
        looks.append(1)
        if len(looks) == 5:
            record.write_text(f"{step_module._checksum(TABLE)}  {TABLE}\n")

    monkeypatch.setattr(step_module.time, "sleep", look_again)
    check_unchanged(TABLE)
    assert len(looks) == 5
    TABLE.write_text("a,d\n")
    with pytest.raises(UserError, match="changed since the study wrote it"):
        check_unchanged(TABLE)
    assert len(looks) == 14
