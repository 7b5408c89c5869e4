import json

import pytest
import sentencepiece
from tiny_chain import ARCHITECTURE, HOSTILE, write_chain

LONGEST = ARCHITECTURE["max_positions"] - 2


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


def lines(path):
    return path.read_text(encoding="utf-8").split("\n")[:-1]


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_each_text_has_a_line_of_pieces_cut_to_the_positions(chain, split):
    processor = sentencepiece.SentencePieceProcessor(
        model_file=str(chain.tokens / "sentencepiece.bpe.model")
    )
    texts = [json.loads(line)["text"] for line in lines(chain.data / f"{split}.jsonl")]
    pieces = [line.split(" ") if line else [] for line in lines(chain.tokens / f"{split}.pieces")]
    whole = [processor.encode(text, out_type=str) for text in texts]
    unknown = [["<unk>" if piece == "\x85" else piece for piece in text] for text in whole]
    assert pieces == [text[:LONGEST] for text in unknown]
    assert max(map(len, pieces)) == LONGEST


def test_labels_are_numbered_in_the_order_of_the_audit(chain):
    labels = [json.loads(line)["label"] for line in lines(chain.data / "test.jsonl")]
    numbers = lines(chain.tokens / "test.label")
    assert numbers == ["01"[label == "positive"] for label in labels]
    assert set(numbers) == {"0", "1"}


def test_hostile_texts_stay_one_line_each(chain):
    for line in lines(chain.tokens / "test.pieces")[-len(HOSTILE) :]:
        # fairseq separates tokens at any white space.
        assert line.split() == (line.split(" ") if line else [])
