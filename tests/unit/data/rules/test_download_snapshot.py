import json
import subprocess
import sys

import pytest

from support import ROOT
from support.local_server import local_server

COMMIT = "a" * 40
FILES = {"config.json": b'{"model_type": "bloom"}', "data/train.csv": b"text,label\na,1\n"}
SCRIPTS = ROOT / "scripts"
CALL = """
import sys, json, logging
from pathlib import Path
sys.path += [sys.argv[1], sys.argv[1] + "/data"]
from download_snapshot import fetch_snapshot
from seedwise.errors import UserError
from seedwise.study.sources import source_path, record_path
source = json.loads(sys.argv[2])
folder = Path(source_path(source))
try:
    fetch_snapshot(source=source, folder=folder, record=record_path(folder))
    print(folder)
except UserError as error:
    sys.exit(f"UserError: {error}")
"""


@pytest.fixture
def hub(tmp_path):
    with local_server() as running:
        running.serve_repository("owner/name", "dataset", COMMIT, FILES)
        yield running


def fetch(tmp_path, url, source):
    # Another process: huggingface_hub reads HF_ENDPOINT when it is imported.
    env = {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    call = [sys.executable, "-c", CALL, str(SCRIPTS), json.dumps(source)]
    return subprocess.run(call, cwd=tmp_path, env=env, capture_output=True, text=True)


SOURCE = {"hub": "owner/name", "revision": "main", "type": "dataset"}


def test_a_branch_is_resolved_recorded_and_kept_to(tmp_path, hub):
    done = fetch(tmp_path, hub.url, SOURCE)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / done.stdout.strip()
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert found == FILES
    lock = json.loads((tmp_path / "sources.lock.json").read_text())
    assert lock == {"dataset owner/name@main": COMMIT}
    moved = {"id": "owner/name", "sha": "b" * 40, "siblings": []}
    hub.files["/api/datasets/owner/name/revision/main"] = json.dumps(moved).encode()
    done = fetch(tmp_path, hub.url, SOURCE)
    assert done.stderr.startswith("UserError: dataset owner/name@main: is now bbbb")


def test_some_files_of_a_commit(tmp_path, hub):
    source = SOURCE | {"revision": COMMIT, "include": ["*.json"]}
    done = fetch(tmp_path, hub.url, source)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / done.stdout.strip()
    assert [path.name for path in folder.rglob("*")] == ["config.json"]
    assert not (tmp_path / "sources.lock.json").exists()
    done = fetch(tmp_path, hub.url, source | {"include": ["*.bin"]})
    assert "no file matches ['*.bin']" in done.stderr


def test_what_is_not_there(tmp_path, hub):
    done = fetch(tmp_path, hub.url, SOURCE | {"hub": "owner/other"})
    assert done.stderr.startswith("UserError: hub owner/other at main: ")
    assert "404" in done.stderr
    with local_server() as gone:
        url = gone.url
    done = fetch(tmp_path, url, SOURCE)
    assert done.stderr.startswith("UserError: hub owner/name at main: ")
