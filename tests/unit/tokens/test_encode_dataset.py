import json

import pytest
import sentencepiece

from seedwise.files import read_json
from seedwise.tokens.indexed import read_texts
from seedwise.tokens.vocabulary import EOS_ID, UNK_ID, read_pieces
from support.tiny.chain import ARCHITECTURE, HOSTILE, write_chain

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
    tokens = [text.tolist() for text in read_texts(chain.binarized / "input0" / split)]
    whole = [processor.encode(text, out_type=str) for text in texts]
    assert tokens == [
        [*(ids.get(piece, UNK_ID) for piece in text[:LONGEST]), EOS_ID] for text in whole
    ]
    assert max(map(len, tokens)) == LONGEST + 1


def test_hostile_texts_keep_their_places(chain):
    texts = read_texts(chain.binarized / "input0" / "test")[-len(HOSTILE) :]
    assert [len(text) > 1 for text in texts] == [bool(text.strip("\u200b")) for text in HOSTILE]


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
        "pieces": sum(sizes),
        "lost": sum(max(0, size - LONGEST) for size in sizes),
        "max_positions": ARCHITECTURE["max_positions"],
    }
