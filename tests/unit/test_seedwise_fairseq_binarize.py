import pytest

from seedwise.indexed import read_texts
from seedwise_fairseq.binarize import binarize


@pytest.fixture
def dictionary(tmp_path):
    path = tmp_path / "pieces.txt"
    path.write_text("z 1\nb 1\na 1\n")
    return path


def test_the_given_order_is_kept_whatever_is_frequent(tmp_path, dictionary):
    (tmp_path / "train.pieces").write_text("a a a b z\n")
    (tmp_path / "valid.pieces").write_text("z\n")
    splits = {split: tmp_path / f"{split}.pieces" for split in ("train", "valid")}
    binarize(splits, dictionary, tmp_path / "data")
    assert [t.tolist() for t in read_texts(tmp_path / "data/train")] == [[6, 6, 6, 5, 4, 2]]
    assert (tmp_path / "data/dict.txt").read_text() == "z 1\nb 1\na 1\n"
    names = {path.name for path in (tmp_path / "data").iterdir()}
    assert names == {"dict.txt", "train.bin", "train.idx", "valid.bin", "valid.idx"}


def test_an_error_leaves_the_earlier_files(tmp_path, dictionary):
    (tmp_path / "train.pieces").write_text("a\n")
    binarize({"train": tmp_path / "train.pieces"}, dictionary, tmp_path / "data")
    before = (tmp_path / "data/train.bin").read_bytes()
    with pytest.raises(FileNotFoundError):
        binarize({"train": tmp_path / "missing.pieces"}, dictionary, tmp_path / "data")
    assert (tmp_path / "data/train.bin").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"pieces.txt", "train.pieces", "data"}
