"""The archive of a study: opened elsewhere, verified, and refused where it was changed."""

import errno
import json
import os
import runpy
import shutil
import subprocess
import zipfile

import pytest
from rocrate.rocrate import ROCrate

import verify_archive
from seedwise.errors import UserError
from seedwise.report import archived
from support import ROOT
from support.smoke_study import snakemake, write_study

ARCHIVE = "results/smoke/archive.zip"


def small(config):
    """Leave a linear model with a search, and one of transformers."""
    del config["lora"]
    linear = config["experiments"]["linear"]
    linear["linear"] = {"search": {"over": {"C": [0.1, 1, 10]}, "budget": 2}}
    config["experiments"] = {"linear": linear}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, small)
    code, output = snakemake(folder, "archive_study", cores=2)
    assert code == 0, output
    return folder / ARCHIVE


def changed(archive, path, change):
    """Write the archive as ``change`` makes it of names and contents; None leaves a file out."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return path


def test_every_table_is_made_again_on_another_checkout(archive, tmp_path):
    clone = tmp_path / "clone"
    for part in ("scripts", "rules", "reports", "envs", "profiles"):
        shutil.copytree(ROOT / part, clone / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("Snakefile", "requirements.lock"):
        shutil.copy(ROOT / part, clone / part)
    command = [ROOT / ".venv/bin/python", clone / "scripts/verify_archive.py", archive]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if ".csv: " in line]
    assert {line.partition(": ")[2] for line in lines} == {"identical"}
    tables = {line.partition(".")[0] for line in lines}
    assert {"summary", "runs", "search", "calibration", "mistakes", "costs"} <= tables
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clone"]
    assert "note:" not in done.stdout


def test_it_says_what_it_holds_and_what_came_of_what(archive, tmp_path):
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
        names = set(packed.namelist())
    crate = ROCrate(tmp_path)
    assert crate.mainEntity.id == "seedwise/Snakefile"
    assert "Workflow" in str(crate.mainEntity.type)
    (action,) = (entity for entity in crate.get_entities() if entity.type == "CreateAction")
    given = {entity.id for entity in action["object"]}
    made = {entity.id for entity in action["result"]}
    assert "results/smoke/config.yaml" in given
    assert "results/smoke/runs/linear/seed-0/predictions.csv" in given
    assert {"results/smoke/report.pdf", "results/smoke/report.html"} <= made
    assert "results/smoke/runs/linear/seed-0/model/model.safetensors" in made
    assert "results/smoke/tables/summary.csv" in made and not given & made - given
    assert given | made <= names
    assert {"seedwise/requirements.lock", "results/smoke/data/reviews/audit.json"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith(("/", "."))]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("runs/linear/seed-0/predictions.csv", b"id\n", "its SHA-256 is [0-9a-f]{64}, not"),
        ("runs/linear/seed-0/model/config.json", None, "config.json: missing"),
        ("archive.json", None, "archive.json: missing"),
    ],
)
def test_a_changed_or_missing_file_is_named(archive, tmp_path, name, content, message):
    path = f"results/smoke/{name}"
    other = changed(archive, tmp_path / "a.zip", lambda own, old: content if own == path else old)
    with pytest.raises(UserError, match=f"{path}: .*" if content else message) as found:
        verify_archive.main(other)
    assert found.match(message)


def test_a_table_that_does_not_follow_from_the_predictions_is_told(archive, tmp_path, capfd):
    """Somebody changed a table, and its checksum with it."""
    place = "results/smoke/tables/summary.csv"
    with zipfile.ZipFile(archive) as packed:
        better = packed.read(place).replace(b"linear,linear", b"linear,better", 1)
    from hashlib import sha256

    def change(name, content):
        if name == "ro-crate-metadata.json":
            crate = json.loads(content)
            for entity in crate["@graph"]:
                if entity["@id"] == place:
                    entity["sha256"] = sha256(better).hexdigest()
            return json.dumps(crate).encode()
        return better if name == place else content

    assert verify_archive.main(changed(archive, tmp_path / "a.zip", change)) is False
    said = capfd.readouterr().out
    assert "summary.csv: line 2 was 'linear,better" in said and "runs.csv: identical" in said


def test_what_is_no_archive_is_one_message(archive, tmp_path):
    for content, message in (
        (b"PK", "damaged, or no archive"),
        (archive.read_bytes()[:5000], "damaged, or no archive"),
    ):
        path = tmp_path / "a.zip"
        path.write_bytes(content)
        with pytest.raises(UserError, match=message):
            verify_archive.main(path)
    with pytest.raises(UserError, match="no such file"):
        verify_archive.main(tmp_path / "none.zip")
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("../out.txt", "x")
    with pytest.raises(UserError, match="which leads out of it"):
        verify_archive.main(path)
    # Damage inside, where the list of files is whole.
    content = bytearray(archive.read_bytes())
    content[2000:2400] = bytes(400)
    path.write_bytes(bytes(content))
    with pytest.raises(UserError, match=r"damaged, or no archive|its SHA-256 is"):
        verify_archive.main(path)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.txt", "x")
    with pytest.raises(UserError, match="not the archive of a study"):
        verify_archive.main(path)


def test_no_word_in_an_archive_leads_out_of_its_folder(tmp_path):
    """The tables of the study that it names are removed before they are made again."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("results/own/archive.json", json.dumps({"study": str(tmp_path)}))
    with archived.opened(tmp_path / "a.zip") as packed:
        assert archived.about(packed)["study"] == "own"


def test_a_full_disk_is_one_message(archive, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(zipfile.ZipFile, "extract", full)
    monkeypatch.setattr("sys.argv", ["verify_archive.py", str(archive)])
    with pytest.raises(SystemExit, match=r"^No space left on device; make room, .*TMPDIR"):
        runpy.run_path(verify_archive.__file__, run_name="__main__")
