import hashlib
import random

import pytest

from seedwise.data.downloads import download_url
from seedwise.errors import UserError
from support.local_server import local_server

BODY = random.Random(0).randbytes(300_000)
SHA = hashlib.sha256(BODY).hexdigest()
QUICK = {"back_off": 0.01, "timeout": 0.5}


@pytest.fixture
def server():
    with local_server() as running:
        running.files["/data.zip"] = BODY
        yield running


@pytest.fixture
def target(tmp_path):
    return tmp_path / "resources" / "data.zip"


def leftovers(target):
    return [path.name for path in target.parent.iterdir() if path != target]


def test_download(server, target):
    assert download_url(f"{server.url}/data.zip", target, sha256=SHA, **QUICK) == SHA
    assert target.read_bytes() == BODY and not leftovers(target)


@pytest.mark.parametrize("resumable", [True, False])
@pytest.mark.parametrize("fault", ["drop", "stall", "nothing", 503, 429])
def test_passing_faults_are_overcome(server, target, fault, resumable):
    server.faults, server.resumable = [fault, fault], resumable
    assert download_url(f"{server.url}/data.zip", target, **QUICK) == SHA
    assert target.read_bytes() == BODY and not leftovers(target)
    ranges = [wanted for _, wanted in server.requests]
    if resumable and fault in ("drop", "stall"):
        assert ranges == [None, "bytes=150000-", "bytes=225000-"]
    else:
        assert ranges == [None, None, None]


def test_a_later_call_resumes(server, target):
    server.faults = ["drop"]
    with pytest.raises(UserError, match="ended after 150,000 of 300,000 bytes, 1 times"):
        download_url(f"{server.url}/data.zip", target, attempts=1, **QUICK)
    assert not target.exists()
    assert download_url(f"{server.url}/data.zip", target, **QUICK) == SHA
    assert server.requests[-1] == ("/data.zip", "bytes=150000-")


def test_a_file_that_changed_meanwhile_is_not_patched_together(server, target):
    server.faults = ["drop"]
    with pytest.raises(UserError):
        download_url(f"{server.url}/data.zip", target, attempts=1, **QUICK)
    server.files["/data.zip"] = BODY[::-1]
    download_url(f"{server.url}/data.zip", target, **QUICK)
    assert target.read_bytes() == BODY[::-1]


def test_a_part_that_is_whole_already_is_fetched_anew(server, target):
    server.faults = ["drop"]
    with pytest.raises(UserError):
        download_url(f"{server.url}/data.zip", target, attempts=1, **QUICK)
    (target.parent / ".data.zip.part").write_bytes(BODY)
    server.faults = [416]
    assert download_url(f"{server.url}/data.zip", target, **QUICK) == SHA


def test_truncated_for_good(server, target):
    server.faults, server.resumable = ["drop"] * 3, False
    with pytest.raises(UserError, match=r"ended after 150,000 of 300,000 bytes, 3 times; fetch"):
        download_url(f"{server.url}/data.zip", target, attempts=3, **QUICK)
    assert not target.exists()


def test_wrong_checksum_leaves_nothing(server, target):
    with pytest.raises(UserError, match=rf"data.zip: has SHA-256 {SHA}, expected 0000"):
        download_url(f"{server.url}/data.zip", target, sha256="0" * 64, **QUICK)
    assert not list(target.parent.iterdir())


@pytest.mark.parametrize("code", [404, 401, 403, 410])
def test_refusals_are_not_repeated(server, target, code):
    server.faults = [code]
    with pytest.raises(UserError, match=rf"data.zip: the server answered {code}"):
        download_url(f"{server.url}/data.zip", target, **QUICK)
    assert len(server.requests) == 1 and not list(target.parent.iterdir())


@pytest.mark.parametrize("page", [b"\n<!DOCTYPE html><title>Log in</title>", b"<html lang=fr>"])
def test_a_web_page_instead_of_a_file(server, target, page):
    server.files["/data.zip"] = page
    for pinned in (None, SHA):
        with pytest.raises(UserError, match=r"answered with a web page, perhaps to log in"):
            download_url(f"{server.url}/data.zip", target, sha256=pinned, **QUICK)
    assert not list(target.parent.iterdir())


def test_no_network(target):
    with local_server() as running:
        url = running.url
    with pytest.raises(UserError, match=r"cannot reach the server \(.*refused\), 2 times; fetch"):
        download_url(f"{url}/data.zip", target, attempts=2, **QUICK)
    with pytest.raises(UserError, match=r"cannot reach the server"):
        download_url("http://nowhere.invalid/data.zip", target, attempts=1, **QUICK)


def test_full_or_read_only_disk_names_the_folder(server, target, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", str(target))

    target.parent.mkdir()
    monkeypatch.setattr("seedwise.data.downloads.write_json", full)
    with pytest.raises(UserError, match=r"resources: cannot write .*No space left on device"):
        download_url(f"{server.url}/data.zip", target, **QUICK)
