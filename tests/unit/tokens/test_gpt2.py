import pytest
from transformers import AutoTokenizer

from seedwise.errors import UserError
from seedwise.tokens import gpt2
from seedwise.tokens.published import PublishedTokenizer
from seedwise.tokens.vocabulary import read_dictionary
from seedwise_fairseq.build import Dictionary  # through the shim
from support.small_texts import TEXTS
from support.tiny.chain import HOSTILE
from support.tiny.gpt2 import ROWS, write_gpt2


@pytest.fixture
def folder(tmp_path):
    return write_gpt2(tmp_path / "published")


def fairseqs_ids(folder, texts):
    """Return what fairseq makes of texts with the published files: RoBERTa's own way."""
    from fairseq.data.encoders.gpt2_bpe_utils import get_encoder

    encoder = get_encoder(str(folder / "encoder.json"), str(folder / "vocab.bpe"))
    dictionary = Dictionary.load(str(folder / "dict.txt"))
    lines = (" ".join(map(str, encoder.encode(text))) for text in texts)
    return [[0, *dictionary.encode_line(line, add_if_not_exist=False).tolist()] for line in lines]


def test_ids_are_those_of_fairseqs_own_encoder(folder):
    texts = [
        *TEXTS,
        *HOSTILE,
        "no space, a space",
        "  two\n\nlines\t",
        "it's 42 é 漢字 <|endoftext|>",
    ]
    expected = fairseqs_ids(folder, texts)
    gpt2.write_tokenizer(folder, max_positions=500)
    assert AutoTokenizer.from_pretrained(folder)(texts)["input_ids"] == expected


def test_the_dictionary_keeps_its_order_and_gets_the_pieces(folder):
    before = read_dictionary(folder / "dict.txt")
    numbers = gpt2.read_json(folder / "encoder.json")
    gpt2.write_tokenizer(folder, max_positions=30)
    after = read_dictionary(folder / "dict.txt")
    assert len(after) == len(before) == ROWS - 4
    assert all(after[piece] == before[str(number)] for piece, number in numbers.items())
    assert after["madeupword0001"] == before["madeupword0001"]
    published = PublishedTokenizer.read(folder)
    assert published.fairseq_order(ROWS) == list(range(ROWS))
    assert published.max_positions == 30
    assert AutoTokenizer.from_pretrained(folder).get_vocab()["<mask>"] == ROWS - 1


def test_a_dictionary_that_lacks_numbers_is_refused(folder):
    path = folder / "dict.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith(("13 ", "7 "))) + "\n")
    said = r"dict\.txt: lacks 2 of the 300 numbers in encoder\.json, 7 among them"
    with pytest.raises(UserError, match=said):
        gpt2.write_tokenizer(folder, max_positions=30)


def test_merges_of_another_encoder_are_refused(folder):
    with (folder / "vocab.bpe").open("a") as stream:
        stream.write("zz qq\n")
    with pytest.raises(UserError, match=r"vocab\.bpe: does not fit encoder\.json: .*zz"):
        gpt2.write_tokenizer(folder, max_positions=30)
