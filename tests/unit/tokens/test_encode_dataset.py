import json

import pytest
import sentencepiece

from seedwise.files import read_json
from seedwise.tokens.indexed import read_texts
from seedwise.tokens.vocabulary import UNK_ID, read_pieces
from support.tiny_chain import ARCHITECTURE, HOSTILE, write_chain

LONGEST = ARCHITECTURE["max_positions"] - 2


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


def lines(path):
    return path.read_text(encoding="utf-8").split("\n")[:-1]


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_each_text_becomes_its_pieces_cut_to_the_positions(chain, split):
    processor = sentencepiece.SentencePieceProcessor(
        model_file=str(chain.tokens / "sentencepiece.bpe.model")
    )
    ids = read_pieces(chain.tokens / "dict.txt")
    texts = [json.loads(line)["text"] for line in lines(chain.data / f"{split}.jsonl")]
    tokens = [text.tolist() for text in read_texts(chain.tokens / split)]
    whole = [processor.encode(text, out_type=str) for text in texts]
    assert tokens == [[ids.get(piece, UNK_ID) for piece in text[:LONGEST]] for text in whole]
    assert max(map(len, tokens)) == LONGEST


def test_labels_are_numbered_in_the_order_of_the_audit(chain):
    labels = [json.loads(line)["label"] for line in lines(chain.data / "test.jsonl")]
    numbers = lines(chain.tokens / "test.label")
    assert numbers == ["01"[label == "positive"] for label in labels]
    assert set(numbers) == {"0", "1"}


def test_hostile_texts_keep_their_places(chain):
    texts = read_texts(chain.tokens / "test")[-len(HOSTILE) :]
    assert [len(text) > 0 for text in texts] == [bool(text.strip("\u200b")) for text in HOSTILE]


@pytest.mark.parametrize("split", ["train", "test"])
def test_what_was_cut_is_counted(chain, split):
    processor = sentencepiece.SentencePieceProcessor(
        model_file=str(chain.tokens / "sentencepiece.bpe.model")
    )
    texts = [json.loads(line)["text"] for line in lines(chain.data / f"{split}.jsonl")]
    sizes = [len(processor.encode(text)) for text in texts]
    assert read_json(chain.tokens / f"{split}.audit.json") == {
        "texts": len(texts),
        "cut": sum(size > LONGEST for size in sizes),
        "empty": sizes.count(0),
        "max_positions": ARCHITECTURE["max_positions"],
    }
