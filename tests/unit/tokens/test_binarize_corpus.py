import numpy as np

import binarize_corpus
from seedwise.tokens.indexed import read_texts, write_batches


def test_both_parts_are_written(tmp_path):
    (tmp_path / "dict.txt").write_text("a 1\nb 1\n")
    kind = np.dtype(np.uint16)
    write_batches(tmp_path / "train", [(np.array([4, 5, 5]), np.array([2, 1]))], kind)
    write_batches(tmp_path / "valid", [(np.array([5, 4, 3]), np.array([3]))], kind)
    binarize_corpus.main(
        train=tmp_path / "train",
        valid=tmp_path / "valid",
        dictionary=tmp_path / "dict.txt",
        output=tmp_path / "binarized",
    )
    texts = [read_texts(tmp_path / "binarized" / split) for split in ("train", "valid")]
    assert [[t.tolist() for t in part] for part in texts] == [[[4, 5, 2], [5, 2]], [[5, 4, 3, 2]]]
    assert (tmp_path / "binarized" / "dict.txt").read_text() == "a 1\nb 1\n"
