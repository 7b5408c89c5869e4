import io
import os
import subprocess
import sys
import time

import pytest
from rich.console import Console

import show_progress
from seedwise.errors import UserError
from seedwise.files import write_text
from seedwise.machine.progress import Progress, Reporter, duration, last_progress, parse

HALF = Progress(2, 5, 340, 1625, 0.431, 0.812, 80)
PRETRAINING = Progress(None, None, 1200, 1200, 3.25, None, 0)


@pytest.mark.parametrize("progress", [HALF, PRETRAINING, Progress(1, 3, 1, 9, 2.0, 0.0, 7265)])
def test_a_line_reads_back_as_what_it_says(progress):
    assert parse(f"2026-01-01 00:00:00,000 INFO seedwise.machine.progress {progress}") == progress
    assert parse("2026-01-01 INFO fairseq.trainer update 3 of 9") is None


def test_line_is_legible():
    assert str(HALF) == (
        "progress: epoch 2/5, update 340/1625, loss 0.431, accuracy 81.2 %, 1:20 left"
    )
    assert duration(3661) == "1:01:01"


def test_reporter_says_it_every_few_seconds_and_at_the_end(monkeypatch, caplog):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    caplog.set_level("INFO")
    reporter = Reporter(updates=40, epochs=4)
    for update in range(11, 41):  # a resumed training
        if reporter.due(update):
            reporter.report(update, 0.5, 0.75)
        now[0] += 1.0
    said = [parse(message) for message in caplog.messages]
    assert [one.update for one in said] == [16, 21, 26, 31, 36, 40]
    assert [one.epoch for one in said] == [2, 3, 3, 4, 4, 4]
    assert said[0].seconds_left == 24  # one second an update
    assert said[-1].seconds_left == 0


def write_logs(folder):
    lines = [f"INFO {Progress(1, 5, 9, 1625, 0.9, 0.5, 99)}", f"INFO {HALF}", "INFO something else"]
    write_text(folder / "finetune_fairseq/a/seed-0.log", "\n".join(lines))
    write_text(folder / "pretrain_model/small.log", f"INFO {PRETRAINING}\n")
    write_text(folder / "prepare_dataset/reviews.log", "no training\n")


def test_jobs_of_a_study_once(tmp_path):
    write_logs(tmp_path / "logs/demo")
    write_text(tmp_path / "config.yaml", "study: demo\n")
    command = [sys.executable, show_progress.__file__, "--once"]
    environment = os.environ | {"COLUMNS": "100"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if "/" in line]
    assert len(rows) == 2
    for part in ("fairseq/a/seed-0", "2/5", "340/1,625", "0.431", "81.2 %", "1:20 left"):
        assert part in rows[0]
    assert "done" in rows[1]


def test_lines_for_a_file_when_something_changes(tmp_path):
    write_logs(tmp_path / "logs/demo")
    write_text(tmp_path / "config.yaml", "study: demo\n")
    command = [sys.executable, "-u", show_progress.__file__, "--seconds", "0.1"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        first = [process.stdout.readline() for _ in range(2)]
        later = Progress(5, 5, 1625, 1625, 0.1, 0.99, 0)
        write_text(tmp_path / "logs/demo/finetune_fairseq/a/seed-0.log", f"INFO {later}\n")
        assert "update 1625/1625" in process.stdout.readline()
    finally:
        process.terminate()
        process.wait()
    assert "finetune_fairseq/a/seed-0: progress: epoch 2/5" in first[0]


def test_a_long_log_is_read_from_its_end(tmp_path):
    path = tmp_path / "a.log"
    path.write_text(f"{PRETRAINING}\n" + "é" * 100_000 + f"\n{HALF}\n", encoding="utf-8")
    assert last_progress(path) == HALF


def test_silent_jobs_and_narrow_terminals(tmp_path):
    jobs = {"finetune_fairseq/fairseq-pretrained/seed-0": (HALF, 300.0)}
    stream = io.StringIO()
    Console(file=stream, width=60).print(show_progress.table(jobs, "Study x"))
    assert "silent for 5:00" in stream.getvalue()


def test_no_such_study(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        show_progress.study_name(tmp_path / "nothing.yaml")
