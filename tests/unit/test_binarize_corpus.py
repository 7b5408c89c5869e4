import binarize_corpus
from seedwise.indexed import read_texts


def test_both_parts_are_written(tmp_path):
    (tmp_path / "dict.txt").write_text("a 1\nb 1\n")
    (tmp_path / "train.pieces").write_text("a b\nb\n")
    (tmp_path / "valid.pieces").write_text("b a c\n")
    binarize_corpus.main(
        train=tmp_path / "train.pieces",
        valid=tmp_path / "valid.pieces",
        dictionary=tmp_path / "dict.txt",
        output=tmp_path / "binarized",
    )
    texts = [read_texts(tmp_path / "binarized" / split) for split in ("train", "valid")]
    assert [[t.tolist() for t in part] for part in texts] == [[[4, 5, 2], [5, 2]], [[5, 4, 3, 2]]]
    assert (tmp_path / "binarized" / "dict.txt").read_text() == "a 1\nb 1\n"
