import pytest
from small_texts import RECORDS
from tiny_chain import SPLITS, write_chain

import binarize_dataset
from seedwise.indexed import read_texts
from seedwise.vocabulary import EOS_ID, UNK_ID, read_dictionary
from seedwise_fairseq.build import Dictionary  # through the shim


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


def lines(path):
    return path.read_text(encoding="utf-8").split("\n")[:-1]


@pytest.mark.parametrize("split", SPLITS)
def test_tokens_are_the_numbers_of_the_pieces(chain, split):
    ids = read_dictionary(chain.tokens / "dict.txt")
    texts = read_texts(chain.binarized / "input0" / split)
    pieces = [line.split() for line in lines(chain.tokens / f"{split}.pieces")]
    assert len(texts) == len(pieces)
    for text, expected in zip(texts, pieces, strict=True):
        assert text.tolist() == [ids.get(piece, UNK_ID) for piece in expected] + [EOS_ID]


def test_labels_keep_their_numbers_where_the_second_is_the_majority(tmp_path):
    train = [record | {"label": "positive"} for record in RECORDS[:30]] + RECORDS[30:40]
    assert sum(record["label"] == "positive" for record in train) > 30
    records = {"train": train, "valid": RECORDS[40:60], "test": RECORDS[60:80]}
    chain = write_chain(tmp_path, records)
    dictionary = Dictionary.load(str(chain.binarized / "label" / "dict.txt"))
    assert dictionary.symbols[dictionary.nspecial :] == ["0", "1"]
    for split in SPLITS:
        numbers = [
            int(text[0]) - dictionary.nspecial
            for text in read_texts(chain.binarized / "label" / split)
        ]
        assert numbers == [int(record["label"] == "positive") for record in records[split]]


def test_label_dictionary_has_a_line_per_class():
    assert binarize_dataset.label_dictionary(3) == "0 1\n1 1\n2 1\n"
