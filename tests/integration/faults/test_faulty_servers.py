"""What servers do to downloads: another attempt or one message, and then the whole file."""

import hashlib
import os
import random
import signal
from pathlib import Path

import pytest

import download_source
from seedwise.data.downloads import download_url
from support import processes
from support.local_server import local_server

BODY = random.Random(1).randbytes(300_000)
SHA = hashlib.sha256(BODY).hexdigest()
FILE = "resources/data.zip"
PAGE = b"<!DOCTYPE html><title>Please log in</title>"


@pytest.fixture
def server():
    with local_server() as running:
        running.files["/data.zip"] = BODY
        yield running


@pytest.fixture
def fetch(server, tmp_path):
    """A function that downloads as the rule does; it returns the exit code and the log."""

    def main(**pinned):
        os.chdir(tmp_path)
        download_source.main(
            source={"url": f"{server.url}/data.zip"} | pinned,
            file=Path(FILE),
            record=Path(f"{FILE}.source.json"),
        )

    def fetch(**pinned):
        return processes.run(lambda: main(**pinned), tmp_path / "log", impatient)

    fetch.main = main
    return fetch


def impatient():
    download_url.__kwdefaults__.update(attempts=2, back_off=0.01, timeout=0.5)


def refuse(server):
    server.faults = [404]


def be_overloaded(server):
    server.faults = [503, 503]


def say_nothing(server):
    server.faults = ["nothing", "nothing"]


def stall(server):
    server.faults, server.resumable = ["stall", "stall"], False


def cut_short(server):
    server.faults, server.resumable = ["drop", "drop"], False


def show_a_page(server):
    server.files["/data.zip"] = PAGE


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (refuse, "the server answered 404 Not Found"),
        (be_overloaded, "the server answered 503 Service Unavailable, 2 times; fetch the file"),
        (say_nothing, "(Remote end closed connection without response), 2 times; fetch the file"),
        (stall, "the connection broke (timed out), 2 times; fetch the file yourself and give"),
        (cut_short, "the connection ended after 150,000 of 300,000 bytes, 2 times; fetch the file"),
        (show_a_page, "answered with a web page, perhaps to log in, not a file; fetch the file"),
    ],
)
def test_a_server_that_gives_no_file(server, fetch, tmp_path, fault, said):
    fault(server)
    code, log = fetch()
    assert code == 1
    (error,) = processes.errors(log)
    assert error.startswith(f"{server.url}/data.zip: ") and said in error
    assert not (tmp_path / FILE).exists()
    server.files["/data.zip"], server.faults = BODY, []
    assert fetch()[0] == 0
    assert (tmp_path / FILE).read_bytes() == BODY


@pytest.mark.parametrize("fault", ["drop", "stall", 503])
def test_a_fault_that_another_attempt_mends(server, fetch, tmp_path, fault):
    server.faults = [fault]
    code, log = fetch()
    assert code == 0 and "trying again in 0.01 s" in log
    assert (tmp_path / FILE).read_bytes() == BODY
    assert server.requests[1][1] == (None if fault == 503 else "bytes=150000-")


def test_a_wrong_checksum(server, fetch, tmp_path):
    code, log = fetch(sha256="0" * 64)
    assert code == 1
    assert processes.errors(log) == [
        f"{server.url}/data.zip: has SHA-256 {SHA}, expected {'0' * 64}"
    ]
    assert not (tmp_path / FILE).exists()
    assert fetch(sha256=SHA)[0] == 0
    assert (tmp_path / FILE).read_bytes() == BODY


def test_another_file_than_at_first(server, fetch, tmp_path):
    assert fetch()[0] == 0
    (tmp_path / FILE).unlink()
    server.files["/data.zip"] = BODY[::-1]
    code, log = fetch()
    assert code == 1
    (error,) = processes.errors(log)
    assert f"but sources.lock.json recorded {SHA} on first use" in error
    assert not (tmp_path / FILE).exists()
    server.files["/data.zip"] = BODY
    assert fetch()[0] == 0
    assert (tmp_path / FILE).read_bytes() == BODY


def test_a_download_that_is_killed_goes_on_where_it_stood(server, fetch, tmp_path):
    server.faults = ["stall"]
    part = tmp_path / "resources/.data.zip.part"

    def half_is_there():
        return part.exists() and part.stat().st_size == len(BODY) // 2

    with processes.started(fetch.main, tmp_path / "log", half_is_there) as child:
        os.kill(child, signal.SIGKILL)
        assert processes.wait(child) == -9
    assert not (tmp_path / FILE).exists()
    assert fetch()[0] == 0
    assert (tmp_path / FILE).read_bytes() == BODY
    assert server.requests[-1][1] == "bytes=150000-"
