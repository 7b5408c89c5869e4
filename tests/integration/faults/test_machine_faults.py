"""A full disk and a read-only folder: one message, nothing half-written, and on it goes."""

import os
import subprocess

import pytest

import aggregate_runs
import prepare_dataset
from seedwise.data.downloads import download_url
from support import processes, synthetic_study
from support.local_server import local_server
from support.trained import same_results


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own, and a function that mounts it anew with other options."""
    if os.geteuid():
        pytest.skip("only root may mount a disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"this system does not let root mount a disk: {done.stderr}")

    def remount(options):
        subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)

    yield folder, remount
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_full_disk_during_a_download(disk, tmp_path):
    folder, remount = disk
    with local_server() as server:
        server.files["/data.zip"] = body = os.urandom(300_000)

        def fetch():
            download_url(f"{server.url}/data.zip", folder / "data.zip")

        code, log = processes.run(fetch, tmp_path / "log")
        assert code == 1
        (said,) = processes.errors(log)
        assert said.startswith(f"{folder}: cannot write the download (")
        assert "No space left on device" in said
        assert not (folder / "data.zip").exists()
        remount("size=1m")
        assert processes.run(fetch, tmp_path / "log")[0] == 0
        assert (folder / "data.zip").read_bytes() == body
        assert server.requests[-1][1].startswith("bytes=")


@pytest.mark.parametrize(("name", "size"), [("fairseq", "1400k"), ("transformers", "1m")])
def test_full_disk_during_a_checkpoint(trainings, undisturbed, disk, tmp_path, name, size):
    folder, remount = disk
    remount(f"size={size}")
    training = trainings[name]
    code, log = processes.run(lambda: training.main(folder), tmp_path / "log")
    assert code == 1
    (said,) = processes.errors(log)
    assert "full; make room, then call again" in said or "No space left on device; make" in said
    assert not (folder / "metrics.json").exists()
    remount("size=100m")
    code, log = processes.run(lambda: training.main(folder), tmp_path / "log")
    assert code == 0, log
    assert "going on from" in log
    same_results(training.files, folder, undisturbed[name])


def test_full_disk_during_a_table(disk, tmp_path):
    folder, _ = disk
    study = tmp_path / "study"
    synthetic_study.write_study(study)
    metrics = sorted(study.glob("runs/*/*/metrics.json"))

    def aggregate(place=folder):
        aggregate_runs.main(
            metrics=metrics,
            audits={},
            published={},
            candidates={},
            varied={},
            runs_output=place / "runs.csv",
            summary_output=place / "summary.csv",
        )

    (folder / "filler").write_bytes(bytes(64 << 10))
    code, log = processes.run(aggregate, tmp_path / "log")
    assert code == 1
    assert processes.errors(log) == [
        f"{folder}/runs.csv: No space left on device; make room, then call again"
    ]
    assert [path.name for path in folder.iterdir()] == ["filler"]
    (folder / "filler").unlink()
    assert processes.run(aggregate, tmp_path / "log")[0] == 0
    assert processes.run(lambda: aggregate(study), tmp_path / "log")[0] == 0
    for name in ("runs.csv", "summary.csv"):
        assert (folder / name).read_bytes() == (study / name).read_bytes()


def test_a_read_only_results_folder(trainings, undisturbed, disk, tmp_path):
    folder, remount = disk
    remount("size=100m")
    remount("ro")
    training = trainings["transformers"]
    code, log = processes.run(lambda: training.main(folder), tmp_path / "log")
    assert code == 1
    (said,) = processes.errors(log)
    assert said.startswith(f"{folder}/checkpoints: Read-only file system; make the folder wri")
    remount("rw")
    assert processes.run(lambda: training.main(folder), tmp_path / "log")[0] == 0
    same_results(training.files, folder, undisturbed["transformers"])


def test_a_folder_that_turns_read_only_before_the_results_are_written(disk, tmp_path):
    folder, remount = disk
    (tmp_path / "data.csv").write_text("text,label\n" + "a text,0\nanother,1\n" * 3)
    settings = {
        "source": {"path": str(tmp_path / "data.csv")},
        "format": "table",
        "labels": ["0", "1"],
        "files": dict.fromkeys(("train", "valid", "test"), "data.csv"),
    }
    outputs = {
        part: folder / f"{part}.jsonl" for part in ("train", "valid", "test", "unlabelled", "audit")
    }

    def prepare():
        prepare_dataset.main(name="reviews", settings=settings, outputs=outputs)

    remount("ro")
    code, log = processes.run(prepare, tmp_path / "log")
    assert code == 1
    (said,) = processes.errors(log)
    assert "Read-only file system; make the folder writable, then call again" in said
    assert not list(folder.iterdir())
    remount("rw")
    assert processes.run(prepare, tmp_path / "log")[0] == 0
    assert len(list(folder.iterdir())) == 5
