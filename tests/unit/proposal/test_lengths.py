import logging

import numpy as np
import pytest
from transformers import AutoTokenizer

from seedwise.data.texts import parts
from seedwise.models.conversion import build_tokenizer
from seedwise.proposal import lengths
from seedwise.proposal.named_encoders import MINILM, find_encoder
from support.small_texts import PAIRS, TEXTS, train_sentencepiece
from support.tiny.encoders import write_encoder


@pytest.mark.parametrize("texts", [TEXTS, PAIRS], ids=["texts", "pairs"])
def test_counted_by_a_model_of_ones_own(tmp_path, texts):
    model = train_sentencepiece(tmp_path)
    found = lengths.by_sentencepiece(model.read_bytes(), texts)
    ids = build_tokenizer(model, tmp_path / "dict.txt", 1000)(*parts(texts))["input_ids"]
    assert found.counted and found.tokens.tolist() == list(map(len, ids))


@pytest.mark.parametrize("texts", [TEXTS, PAIRS], ids=["texts", "pairs"])
def test_counted_by_the_tokenizer_of_a_folder(tmp_path, texts):
    folder = write_encoder(tmp_path / "bert", "bert")
    found = lengths.by_encoder(find_encoder(str(folder)), texts)
    ids = AutoTokenizer.from_pretrained(folder)(*parts(texts))["input_ids"]
    assert found.counted and found.tokens.tolist() == list(map(len, ids))
    shares = (found.tokens > 8).mean()
    assert found.said(8).startswith(f"{shares:.1%} of the training texts have more (median ")


def test_estimated_where_the_tokenizer_is_not_at_hand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = lengths.by_encoder(MINILM, ["one two", "one two three four"])
    np.testing.assert_allclose(found.tokens, [1.6 * 2 + 2, 1.6 * 4 + 2])
    assert found.said(32) == "by their words, the texts have some 6 (median) to 8"


def test_long_texts_are_counted_in_silence(tmp_path, caplog):
    folder = write_encoder(tmp_path / "bert", "bert")
    with caplog.at_level(logging.WARNING):
        found = lengths.by_encoder(find_encoder(str(folder)), ["a film " * 500])
    assert found.tokens[0] > 500 and not caplog.messages
