import numpy as np
import pytest

from seedwise.tokens import indexed
from seedwise.tokens.indexed import (
    count_texts,
    fitting_type,
    lists,
    read_batches,
    read_texts,
    write_batches,
)
from seedwise_fairseq import launch

WORDS = {"a": 4, "b": 5, "c": 6}
TEXTS = ["b a", "", "a a c unseen b", "c", ""]


def batches(texts, size=2):
    """Yield the texts as fairseq numbers them, `</s>` behind each."""
    for start in range(0, len(texts), size):
        ids = [[*(WORDS.get(w, 3) for w in text.split()), 2] for text in texts[start:][:size]]
        tokens = np.array([number for text in ids for number in text], dtype=np.int64)
        yield tokens, np.array([len(text) for text in ids])


@pytest.mark.parametrize("filler", [0, 65_492, 65_493])
def test_files_are_those_of_fairseq_preprocess_whatever_the_dictionary(tmp_path, filler):
    words = [*WORDS, *map(str, range(filler))]
    (tmp_path / "dict.txt").write_text("".join(f"{word} 1\n" for word in words))
    (tmp_path / "words").write_text("".join(f"{text}\n" for text in TEXTS))
    options = {
        "only-source": True,
        "srcdict": tmp_path / "dict.txt",
        "destdir": tmp_path / "theirs",
    }
    launch.run("preprocess", options=options | {"workers": 1, "trainpref": tmp_path / "words"})
    write_batches(tmp_path / "train", batches(TEXTS), fitting_type(len(words) + 4))
    for name in ("train.bin", "train.idx"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes()
    width = 2 if filler < 65_493 else 4  # bytes of an id
    assert (tmp_path / "train.bin").stat().st_size == 13 * width


def test_an_error_leaves_the_earlier_files(tmp_path):
    def torn():
        yield next(batches(TEXTS))
        raise RuntimeError("gone")

    kind = np.dtype(np.uint16)
    write_batches(tmp_path / "train", batches(TEXTS), kind)
    before = (tmp_path / "train.bin").read_bytes()
    with pytest.raises(RuntimeError, match="gone"):
        write_batches(tmp_path / "train", torn(), kind)
    assert (tmp_path / "train.bin").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_texts_are_read_in_batches(tmp_path, monkeypatch):
    assert write_batches(tmp_path / "train", batches(TEXTS), np.dtype(np.uint16)) == 5
    whole = [text.tolist() for text in read_texts(tmp_path / "train")]
    assert whole == [[5, 4, 2], [2], [4, 4, 6, 3, 5, 2], [6, 2], [2]]
    assert count_texts(tmp_path / "train") == 5
    monkeypatch.setattr(indexed, "TEXTS_PER_BATCH", 2)
    parts = list(read_batches(tmp_path / "train"))
    assert [len(sizes) for _, sizes in parts] == [2, 2, 1]
    assert np.concatenate([tokens for tokens, _ in parts]).tolist() == [
        n for text in whole for n in text
    ]
    write_batches(tmp_path / "again", parts, np.dtype(np.uint16))
    for suffix in (".bin", ".idx"):
        paths = [(tmp_path / name).with_suffix(suffix) for name in ("train", "again")]
        assert paths[0].read_bytes() == paths[1].read_bytes()


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
