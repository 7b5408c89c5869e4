import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from seedwise.errors import UserError
from seedwise.step import check_unchanged, step

TABLE = Path("results/demo/tables/runs.csv")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    TABLE.parent.mkdir(parents=True)
    return tmp_path


def rule(inputs=(), outputs=()):
    return SimpleNamespace(input=list(inputs), output=list(outputs), log=["log"])


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
