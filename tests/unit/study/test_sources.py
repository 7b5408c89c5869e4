import json
import multiprocessing
from pathlib import Path

import pytest

from seedwise.errors import UserError
from seedwise.study import sources

SHA = "0" * 64
WEB = {"url": "https://example.org/index.php/s/x/download/cls.books.zip"}
PACKAGE = {"package": "vaderSentiment==3.3.2", "sha256": SHA}
HUB = {"hub": "owner/Name", "revision": "main", "type": "dataset"}


def test_paths():
    assert sources.source_path({"path": "./a/../b.zip"}) == "b.zip"
    assert sources.source_path({"path": "~/b.zip"}) == str(Path.home() / "b.zip")
    folder, name = sources.source_path(WEB).rsplit("/", 1)
    assert folder.startswith("resources/cls-books-zip-") and name == "cls.books.zip"
    assert sources.source_path(PACKAGE).endswith("/vadersentiment-3-3-2.sdist")
    assert sources.source_path(HUB).startswith("resources/owner-name-")
    assert sources.source_path(HUB).endswith("/snapshot")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://x.org/a%20b%2Fc.zip?download=1#f", "c.zip"),
        ("https://x.org/", "download"),
        ("https://x.org/..", "download"),
        ("https://x.org/.hidden;rm -rf", "hidden-rm--rf"),
    ],
)
def test_file_names_are_harmless(url, name):
    assert sources.source_filename({"url": url}) == name


def test_two_sources_never_share_a_place():
    different = [
        WEB,
        WEB | {"sha256": SHA},
        {"url": "https://example.org/other/cls.books.zip"},
        PACKAGE,
        PACKAGE | {"distribution": "wheel"},
        HUB,
        HUB | {"revision": "v2"},
        HUB | {"include": ["*.json"]},
    ]
    assert len({sources.source_path(source) for source in different}) == len(different)
    assert sources.source_path(dict(reversed(HUB.items()))) == sources.source_path(HUB)


def test_sources_are_found_wherever_they_stand():
    config = {
        "datasets": {"a": {"source": WEB, "unlabelled": {"source": HUB}}, "b": {"source": WEB}},
        "models": {"m": {"fairseq_checkpoint": {"source": PACKAGE, "folder": "x"}}},
        "lora": {"c": {"source": {"path": "p"}}},
    }
    assert dict(sources.find_sources(config)) == {
        "datasets.a.source": WEB,
        "datasets.a.unlabelled.source": HUB,
        "datasets.b.source": WEB,
        "models.m.fairseq_checkpoint.source": PACKAGE,
        "lora.c.source": {"path": "p"},
    }
    assert list(sources.downloads(config, snapshots=True).values()) == [HUB]
    assert list(sources.downloads(config, snapshots=False).values()) == [WEB, PACKAGE]


def test_only_what_the_study_does_not_pin_is_locked():
    assert sources.lock_key(WEB) == WEB["url"]
    assert sources.lock_key(HUB) == "dataset owner/Name@main"
    for source in (WEB | {"sha256": SHA}, PACKAGE, {"path": "p"}, HUB | {"revision": "a" * 40}):
        assert sources.lock_key(source) is None


def test_lock_records_the_first_use_and_keeps_to_it(tmp_path):
    lock = tmp_path / "sources.lock.json"
    sources.record_in_lock(WEB, SHA, lock)
    sources.record_in_lock(WEB, SHA, lock)
    assert json.loads(lock.read_text()) == {WEB["url"]: SHA}
    with pytest.raises(UserError, match=r"is now 1{64}, but .*lock.json recorded 0{64} on first"):
        sources.record_in_lock(WEB, "1" * 64, lock)
    assert json.loads(lock.read_text()) == {WEB["url"]: SHA}


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', "\udcff"])
def test_a_damaged_lock_file_is_refused(content, tmp_path):
    lock = tmp_path / "sources.lock.json"
    lock.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"sources.lock.json: "):
        sources.read_lock(lock)


def _record(lock, number):
    sources.record_in_lock({"url": f"https://example.org/{number}"}, f"{number:064x}", lock)


def test_concurrent_writers_lose_nothing(tmp_path):
    lock = tmp_path / "sources.lock.json"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_record, args=(lock, number)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(json.loads(lock.read_text())) == 8


def test_an_earlier_download_must_agree_with_the_lock_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = sources.record_path(Path(sources.source_path(WEB)))
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"seen": SHA}))
    config = {"datasets": {"a": {"source": WEB}}}
    sources.check_downloaded(config)
    sources.record_in_lock(WEB, SHA)
    sources.check_downloaded(config)
    Path("sources.lock.json").write_text(json.dumps({WEB["url"]: "1" * 64}))
    with pytest.raises(UserError, match=r"resources/cls-books-zip-\w+: https://.*is now 0{64}"):
        sources.check_downloaded(config)


def test_verify_source(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sources.verify_source({"path": str(path), "sha256": empty}, "k") == empty
    with pytest.raises(UserError, match=rf"k.sha256: .*data has SHA-256 {empty}, expected 0000"):
        sources.verify_source({"path": str(path), "sha256": SHA}, "k")
    with pytest.raises(UserError, match=r"k.path: .*nothing does not exist"):
        sources.verify_source({"path": f"{path}/nothing"}, "k")
    assert sources.verify_source({"path": str(tmp_path)}, "k") == ""
    with pytest.raises(UserError, match=r"k.sha256: .* is a folder"):
        sources.verify_source({"path": str(tmp_path), "sha256": SHA}, "k")
