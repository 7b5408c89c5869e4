import filecmp

import numpy as np
import pytest

from seedwise.tokens import binarized, indexed
from seedwise.tokens.indexed import read_batches, read_texts
from seedwise_fairseq import launch

WORDS = {"a": 4, "b": 5, "c": 6}
TEXTS = ["b a", "", "a a c unseen b", "c", ""]


def batches(texts, size=2):
    for start in range(0, len(texts), size):
        ids = [[WORDS.get(word, 3) for word in text.split()] for text in texts[start:][:size]]
        tokens = np.array([number for text in ids for number in text], dtype=np.int64)
        yield tokens, np.array([len(text) for text in ids])


def dictionary(folder, filler=0):
    path = folder / "pieces.txt"
    path.write_text("".join(f"{word} 1\n" for word in [*WORDS, *map(str, range(filler))]))
    return path


@pytest.mark.parametrize("filler", [0, 65_492, 65_493])
def test_files_are_those_of_fairseq_preprocess_whatever_the_dictionary(tmp_path, filler):
    pieces = dictionary(tmp_path, filler)
    (tmp_path / "words").write_text("".join(f"{text}\n" for text in TEXTS))
    options = {"only-source": True, "srcdict": pieces, "destdir": tmp_path / "theirs"}
    launch.run("preprocess", options=options | {"workers": 1, "trainpref": tmp_path / "words"})
    binarized.binarize({"train": batches(TEXTS)}, pieces, tmp_path / "ours")
    names = ["dict.txt", "train.bin", "train.idx"]
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == names
    assert filecmp.cmpfiles(tmp_path / "ours", tmp_path / "theirs", names, shallow=False) == (
        names,
        [],
        [],
    )
    width = 2 if filler < 65_493 else 4  # bytes of an id
    assert (tmp_path / "ours" / "train.bin").stat().st_size == 13 * width


def test_an_error_leaves_the_earlier_files(tmp_path):
    def torn():
        yield next(batches(TEXTS))
        raise RuntimeError("gone")

    pieces = dictionary(tmp_path)
    binarized.binarize({"train": batches(TEXTS)}, pieces, tmp_path / "data")
    before = (tmp_path / "data/train.bin").read_bytes()
    with pytest.raises(RuntimeError, match="gone"):
        binarized.binarize({"train": torn()}, pieces, tmp_path / "data")
    assert (tmp_path / "data/train.bin").read_bytes() == before
    assert len(list((tmp_path / "data").iterdir())) == 3


def test_texts_are_read_in_batches(tmp_path, monkeypatch):
    binarized.binarize({"train": batches(TEXTS)}, dictionary(tmp_path), tmp_path)
    whole = [text.tolist() for text in read_texts(tmp_path / "train")]
    assert whole == [[5, 4, 2], [2], [4, 4, 6, 3, 5, 2], [6, 2], [2]]
    monkeypatch.setattr(indexed, "TEXTS_PER_BATCH", 2)
    parts = list(read_batches(tmp_path / "train"))
    assert [len(sizes) for _, sizes in parts] == [2, 2, 1]
    assert np.concatenate([tokens for tokens, _ in parts]).tolist() == [
        n for text in whole for n in text
    ]
    indexed.write_batches(tmp_path / "again", parts, np.dtype(np.uint16))
    for suffix in (".bin", ".idx"):
        paths = [(tmp_path / name).with_suffix(suffix) for name in ("train", "again")]
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_labels_follow_the_symbols(tmp_path):
    (tmp_path / "train.label").write_text("1\n0\n12\n")
    ((tokens, sizes),) = binarized.label_batches(tmp_path / "train.label")
    assert tokens.tolist() == [5, 4, 16] and sizes.tolist() == [1, 1, 1]
