import numpy as np
import pytest

from seedwise.tokens.indexed import lists, read_texts, write_batches


def test_texts_come_back_as_they_were_written(tmp_path):
    texts = [[5, 4, 2], [], [70000]]
    batch = np.array([5, 4, 2, 70000]), np.array([3, 0, 1])
    assert write_batches(tmp_path / "train", [batch], np.dtype(np.uint32)) == 3
    read = read_texts(tmp_path / "train")
    assert [text.tolist() for text in read] == texts
    assert all(text.dtype == np.uint32 for text in read)


def test_no_texts_make_empty_files(tmp_path):
    write_batches(tmp_path / "train", [], np.dtype(np.uint16))
    assert read_texts(tmp_path / "train") == []


def test_lists_hold_every_item_in_order(monkeypatch):
    monkeypatch.setattr("seedwise.tokens.indexed.TEXTS_PER_BATCH", 3)
    assert list(lists("abcdefg")) == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert list(lists("abc")) == [["a", "b", "c"]]
    assert list(lists([])) == []


@pytest.mark.parametrize("content", [b"not an index of any kind..........", b"short"])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "a.idx").write_bytes(content)
    (tmp_path / "a.bin").write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.idx is not an index"):
        read_texts(tmp_path / "a")
