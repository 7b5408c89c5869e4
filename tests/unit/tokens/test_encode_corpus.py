import numpy as np
import pytest
import sentencepiece

import encode_corpus
from seedwise.tokens.indexed import read_texts
from seedwise.tokens.vocabulary import EOS_ID
from support.small_texts import TEXTS, train_sentencepiece


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return train_sentencepiece(tmp_path_factory.mktemp("tokens"))


@pytest.fixture(scope="module")
def numbers(model):
    """What SentencePiece makes of a text, numbered by its dictionary."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    # fairseq has one symbol more before the first piece; both call 0 and 3 unknown.
    return lambda text: [number + 1 if number else 3 for number in processor.encode(text)]


def encode(model, folder, lines, block_tokens):
    (folder / "train.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    encode_corpus.main(
        texts=folder / "train.txt",
        sentencepiece=model,
        dictionary=model.parent / "dict.txt",
        block_tokens=block_tokens,
        threads=1,
        tokens=folder / "train",
    )
    texts = [text.tolist() for text in read_texts(folder / "train")]
    assert all(text[-1] == EOS_ID for text in texts)
    return [text[:-1] for text in texts]


def test_short_texts_stay_whole(model, numbers, tmp_path):
    assert encode(model, tmp_path, TEXTS, block_tokens=256) == [numbers(text) for text in TEXTS]


def test_a_long_text_goes_on_in_the_next_and_loses_nothing(model, numbers, tmp_path):
    long, short = " ".join(TEXTS), TEXTS[0]
    texts = encode(model, tmp_path, [long, short], block_tokens=8)
    assert np.concatenate(texts).tolist() == numbers(long) + numbers(short)
    assert max(map(len, texts)) == 6  # 8 with <s> and </s>
    assert len(texts) == -(-len(numbers(long)) // 6) + -(-len(numbers(short)) // 6)
