import pytest

from seedwise.errors import UserError
from seedwise.tokens import vocabulary
from seedwise_fairseq.build import Dictionary  # through the shim

PIECES = ["▁the", "s", "▁", "#", "é"]


def write(path, lines):
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


@pytest.fixture
def dictionary(tmp_path):
    return write(tmp_path / "dict.txt", [f"{piece} 1".encode() for piece in PIECES])


def test_ids_are_those_of_fairseq(dictionary):
    theirs = Dictionary.load(str(dictionary))
    theirs.add_symbol(vocabulary.MASK)
    ours = vocabulary.read_dictionary(dictionary)
    assert {piece: theirs.index(piece) for piece in ours} == ours
    assert len(ours) == len(PIECES) + 1
    assert len(theirs) == len(PIECES) + vocabulary.ADDED_SYMBOLS
    assert [theirs.bos(), theirs.pad(), theirs.eos(), theirs.unk()] == [
        vocabulary.BOS_ID,
        vocabulary.PAD_ID,
        vocabulary.EOS_ID,
        vocabulary.UNK_ID,
    ]
    assert tuple(theirs.symbols[:4]) == vocabulary.FIRST_SYMBOLS


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"\xff 1", "dict.txt, line 2: not UTF-8"),
        (b"piece", "dict.txt, line 2: 'piece' is not a piece, a space and a count"),
        (b"piece x", "dict.txt, line 2: 'piece x' is not a piece, a space and a count"),
        (b"a 2", "dict.txt, line 2: fairseq's dictionary holds 'a' already"),
        (b"<pad> 1", "dict.txt, line 2: fairseq's dictionary holds '<pad>' already"),
    ],
)
def test_a_broken_dictionary_is_one_message(tmp_path, line, said):
    path = write(tmp_path / "dict.txt", [b"a 1", line])
    with pytest.raises(UserError) as caught:
        vocabulary.read_dictionary(path)
    assert str(caught.value).endswith(said)
