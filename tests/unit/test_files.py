import errno
import hashlib
import os

import pytest

from seedwise import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "file"
    with files.atomic(path) as partial:
        partial.write_text("x")
        assert not path.exists()
        assert partial.parent == path.parent  # the same file system, so that renaming is atomic
    assert path.read_text() == "x"
    assert names(path.parent) == ["file"]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.atomic(path) as partial:
        partial.write_text("torn")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_full_disk_names_the_file(tmp_path):
    with (
        pytest.raises(OSError, match=r"No space left on device.*file"),
        files.atomic(tmp_path / "file"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(OSError, match=r"^in words$"), files.atomic(tmp_path / "file"):
        raise OSError("in words")


def test_a_folder_replaces_a_folder(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    with files.atomic(path) as partial:
        partial.mkdir()
        (partial / "new").touch()
    assert names(path) == ["new"]
    with pytest.raises(RuntimeError), files.atomic(path) as partial:
        partial.mkdir()
        raise RuntimeError
    assert names(tmp_path) == ["folder"] and names(path) == ["new"]


def test_json_and_text_come_back_as_they_were(tmp_path):
    value = {"é": [1, 2.5, None], "line": "a\u2028b"}
    files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == value
    assert "é" in (tmp_path / "a.json").read_text(encoding="utf-8")
    files.write_text(tmp_path / "a.txt", "a\r\nb\n")
    assert (tmp_path / "a.txt").read_bytes() == b"a\r\nb\n"


def test_records_may_hold_any_line_separator(tmp_path):
    records = [{"text": "a\u2028b\u0085c\rd\ne"}, {"text": ""}, {"text": "\x1c\x00"}]
    files.write_jsonl(tmp_path / "a.jsonl", iter(records))
    assert list(files.read_jsonl(tmp_path / "a.jsonl")) == records
    assert (tmp_path / "a.jsonl").read_bytes().count(b"\n") == 3


def test_nothing_is_left_when_records_end_in_an_error(tmp_path):
    def records():
        yield {"a": 1}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        files.write_jsonl(tmp_path / "a.jsonl", records())
    assert not names(tmp_path)


def test_hash_of_files_is_that_of_their_contents_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_BLOCK_BYTES", 2)
    (tmp_path / "a").write_bytes(b"abcde")
    (tmp_path / "b").write_bytes(b"fg")
    expected = hashlib.sha256(b"abcdefg").hexdigest()
    assert files.sha256_of_files([tmp_path / "a", tmp_path / "b"]) == expected
    assert files.sha256_of_files([tmp_path / "b", tmp_path / "a"]) != expected


def test_hash_of_json_does_not_depend_on_the_order_of_keys():
    assert files.sha256_of_json({"a": 1, "b": [2]}) == files.sha256_of_json({"b": [2], "a": 1})
    assert files.sha256_of_json({"a": 1}) != files.sha256_of_json({"a": 1.5})
    assert files.sha256_of_json([1, 2]) != files.sha256_of_json([2, 1])
