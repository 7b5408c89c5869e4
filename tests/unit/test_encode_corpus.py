import pytest
import sentencepiece
from small_texts import TEXTS, train_sentencepiece

import encode_corpus


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return train_sentencepiece(tmp_path_factory.mktemp("tokens"))


def encode(model, folder, lines, block_tokens):
    (folder / "train.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    pieces = folder / "train.pieces"
    encode_corpus.main(
        texts=folder / "train.txt", sentencepiece=model, block_tokens=block_tokens, pieces=pieces
    )
    return [line.split(" ") for line in pieces.read_text(encoding="utf-8").split("\n")[:-1]]


def test_short_texts_have_a_line_each(model, tmp_path):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    lines = encode(model, tmp_path, TEXTS, block_tokens=256)
    assert lines == processor.encode(TEXTS, out_type=str)


def test_a_long_text_goes_on_in_the_next_line_and_loses_nothing(model, tmp_path):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    long = " ".join(TEXTS)
    lines = encode(model, tmp_path, [long, TEXTS[0]], block_tokens=8)
    short = processor.encode(TEXTS[0], out_type=str)
    pieces = [piece for line in lines for piece in line]
    assert pieces == processor.encode(long, out_type=str) + short
    assert max(map(len, lines)) == 6  # 8 with <s> and </s>
    assert len(lines) == -(-len(processor.encode(long)) // 6) + -(-len(short) // 6)
