import numpy as np
import pytest

from seedwise.indexed import read_texts
from seedwise_fairseq.binarize import binarize

TEXTS = ["b a", "", "a a c unseen b", "c"]


def test_texts_are_read_as_fairseq_wrote_them(tmp_path):
    dictionary = tmp_path / "dict.txt"
    dictionary.write_text("a 1\nb 1\nc 1\n")
    (tmp_path / "train.pieces").write_text("".join(f"{text}\n" for text in TEXTS))
    binarize({"train": tmp_path / "train.pieces"}, dictionary, tmp_path / "binarized")
    texts = read_texts(tmp_path / "binarized" / "train")
    # 4, 5, 6 are a, b, c; 3 is <unk>; 2 is </s>.
    assert [text.tolist() for text in texts] == [[5, 4, 2], [2], [4, 4, 6, 3, 5, 2], [6, 2]]
    assert all(np.issubdtype(text.dtype, np.integer) for text in texts)


def test_another_file_is_refused(tmp_path):
    (tmp_path / "a.idx").write_bytes(b"not an index of any kind..........")
    (tmp_path / "a.bin").write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.idx is not an index"):
        read_texts(tmp_path / "a")
