import hashlib
import json
import sys
from pathlib import Path

import pytest

import download_source
from seedwise.errors import UserError
from seedwise.study.sources import record_path, source_path
from support.local_server import local_server

BODY = b"some archive"
SHA = hashlib.sha256(BODY).hexdigest()
PACKAGE = {
    "package": "vaderSentiment==3.3.2",
    "sha256": "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
}


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with local_server() as running:
        running.files["/a.zip"] = BODY
        yield running


def fetch(source):
    file = Path(source_path(source))
    download_source.main(source=source, file=file, record=record_path(file))
    return file


def test_an_unpinned_download_is_recorded_and_enforced(server):
    source = {"url": f"{server.url}/a.zip"}
    file = fetch(source)
    assert file.read_bytes() == BODY
    assert json.loads(record_path(file).read_text()) == {
        "source": source,
        "seen": SHA,
        "bytes": len(BODY),
    }
    assert json.loads(Path("sources.lock.json").read_text()) == {source["url"]: SHA}
    file.unlink()
    record_path(file).unlink()
    server.files["/a.zip"] = b"another archive"
    with pytest.raises(UserError, match=rf"sources.lock.json recorded {SHA} on first use"):
        fetch(source)
    assert not file.exists() and not record_path(file).exists()


def test_what_another_process_has_fetched_meanwhile_is_taken(server):
    source = {"url": f"{server.url}/a.zip"}
    assert fetch(source) == fetch(source)
    assert len(server.requests) == 1


def test_a_pinned_download_needs_no_lock(server):
    fetch({"url": f"{server.url}/a.zip", "sha256": SHA})
    assert not Path("sources.lock.json").exists()


def fake_pip(tmp_path, monkeypatch, output, code):
    """Put a Python in place of ours whose pip says ``output``."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{output}'\nexit {code}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            f"ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n  Expected sha256 x\n Got  {SHA}",
            rf"package vaderSentiment==3.3.2: has SHA-256 {SHA}, expected 5d7c06",
        ),
        (
            "ERROR: No matching distribution found for vaderSentiment==3.3.2",
            r"package vaderSentiment==3.3.2: not in your package index, or it cannot be reached",
        ),
        ("ERROR: Disk is full", r"pip could not download it \(Disk is full\)"),
    ],
)
def test_faults_of_pip(tmp_path, monkeypatch, output, message):
    monkeypatch.chdir(tmp_path)
    fake_pip(tmp_path, monkeypatch, output, 1)
    with pytest.raises(UserError, match=message):
        fetch(PACKAGE)
    assert not Path(source_path(PACKAGE)).exists()


def test_pip_reports_a_checksum_that_differs(tmp_path, monkeypatch):
    """The real pip, a local index: what it says is what we read."""
    import tarfile

    monkeypatch.chdir(tmp_path)
    with tarfile.open("tiny-1.0.tar.gz", "w:gz") as archive:
        (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.add("PKG-INFO", "tiny-1.0/PKG-INFO")
    got = hashlib.sha256(Path("tiny-1.0.tar.gz").read_bytes()).hexdigest()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(UserError, match=rf"package tiny==1.0: has SHA-256 {got}, expected 0000"):
        fetch({"package": "tiny==1.0", "sha256": "0" * 64})
    with pytest.raises(UserError, match=r"package tiny==2.0: not in your package index"):
        fetch({"package": "tiny==2.0", "sha256": "0" * 64})


def test_a_wheel_from_a_local_index(tmp_path, monkeypatch):
    import zipfile

    monkeypatch.chdir(tmp_path)
    wheel = Path("tiny-1.0-py3-none-any.whl")
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("data/a.txt", "text")
        archive.writestr(
            "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        )
        archive.writestr(
            "tiny-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    sha = hashlib.sha256(wheel.read_bytes()).hexdigest()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    file = fetch({"package": "tiny==1.0", "sha256": sha, "distribution": "wheel"})
    assert file.name == "tiny-1-0.wheel" and file.read_bytes() == wheel.read_bytes()
