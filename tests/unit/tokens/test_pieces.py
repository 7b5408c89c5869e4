import itertools

import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from seedwise.data.texts import parts
from seedwise.models.conversion import build_tokenizer
from seedwise.tokens import indexed
from seedwise.tokens.pieces import SentencePieceEncoder, pair_lengths
from seedwise.tokens.vocabulary import BOS_ID, EOS_ID, UNK_ID, read_pieces
from support.small_texts import PAIRS, TEXTS, train_sentencepiece


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return train_sentencepiece(tmp_path_factory.mktemp("tokens"))


@pytest.fixture(scope="module")
def dictionary(model):
    return model.parent / "dict.txt"


def encode(encoder, texts, longest=1000, **options):
    texts = [
        text.tolist()
        for tokens, sizes in encoder.batches(texts, longest, **options)
        for text in np.split(tokens, np.cumsum(sizes)[:-1])
    ]
    assert all(text[-1] == EOS_ID for text in texts)
    return [text[:-1] for text in texts]


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (7, 1), (4096, 1), (7, 2)])
def test_ids_do_not_depend_on_batches_and_threads(model, dictionary, monkeypatch, batch, threads):
    monkeypatch.setattr(indexed, "TEXTS_PER_BATCH", batch)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    encoder = SentencePieceEncoder(model, dictionary, threads)
    ids = read_pieces(dictionary)
    assert encode(encoder, TEXTS) == [
        [ids.get(piece, UNK_ID) for piece in processor.encode(text, out_type=str)] for text in TEXTS
    ]
    pieces = sum(map(len, encode(encoder, TEXTS)))
    assert encoder.counts == {
        "texts": 2 * len(TEXTS),
        "cut": 0,
        "empty": 0,
        "pieces": 2 * pieces,
        "lost": 0,
    }
    assert encoder.size == len(ids) + 4


def test_cut_and_empty_texts_are_counted(model, dictionary):
    (whole,) = encode(SentencePieceEncoder(model, dictionary), ["a film of a film"])
    encoder = SentencePieceEncoder(model, dictionary)
    lengths = [len(ids) for ids in encode(encoder, ["", "a film of a film", "a", " "], longest=3)]
    assert lengths == [0, 3, 1, 0]
    assert encoder.counts == {"texts": 4, "cut": 1, "empty": 2, "pieces": len(whole) + 1} | {
        "lost": len(whole) - 3
    }


@pytest.mark.parametrize("longest", range(6, 14))
def test_pairs_are_one_sequence_cut_as_transformers_cuts_it(model, dictionary, longest):
    encoder = SentencePieceEncoder(model, dictionary)
    found = encode(encoder, PAIRS, longest - 2)
    ids = build_tokenizer(model, dictionary, longest)(*parts(PAIRS), truncation=True)["input_ids"]
    assert [[BOS_ID, *text, EOS_ID] for text in found] == ids
    assert max(map(len, ids)) == longest
    whole = sum(len(text) - 2 for text in encode(encoder, PAIRS))
    assert encoder.counts["texts"] == 2 * len(PAIRS) and encoder.counts["pieces"] == 2 * whole
    assert encoder.counts["lost"] == whole - sum(len(text) - 2 for text in found)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.booleans())
def test_the_longer_text_of_a_pair_loses_first(first, second, room, odd_to_longer):
    kept = pair_lengths(first, second, room, odd_to_longer=odd_to_longer)
    assert sum(kept) == min(room, first + second)
    assert kept[0] <= first and kept[1] <= second
    for (own, left), (_, other) in itertools.permutations(zip((first, second), kept, strict=True)):
        assert own == left or left >= other - 1


def test_the_rest_of_a_long_text_goes_on_as_the_next(model, dictionary):
    encoder = SentencePieceEncoder(model, dictionary)
    (whole,) = encode(encoder, ["a film of a film"])
    rest = encode(encoder, ["a film of a film", "", "a"], longest=2, keep_rest=True)
    assert [number for ids in rest[:-2] for number in ids] == whole
    assert max(map(len, rest)) == 2 and rest[-2] == []


def test_the_dictionary_may_lack_pieces_and_name_unknown_words(model, dictionary, tmp_path):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    lines = dictionary.read_text(encoding="utf-8").splitlines()
    other = tmp_path / "dict.txt"
    kept = [line for line in lines if line != "▁th 1"]
    other.write_text("".join(f"{line}\n" for line in [*kept, "\u4e2d 3"]), encoding="utf-8")
    texts = ["a film", "the \u4e2d the \u6587", "", "the", "\u4e2d\u4e2d a \u4e2d", ""]
    pieces = processor.encode(texts, out_type=str)
    assert {"▁th", "\u4e2d", "\u6587"} <= set(pieces[1])
    ids = read_pieces(other)
    numbers = encode(SentencePieceEncoder(model, other), texts)
    assert numbers == [[ids.get(piece, UNK_ID) for piece in words] for words in pieces]
    assert ids["\u4e2d"] in numbers[1] and numbers[1].count(UNK_ID) == 3


def test_a_piece_of_white_space_is_unknown(model, dictionary):
    encoder = SentencePieceEncoder(model, dictionary)
    assert encoder._number("\u0085") == encoder._number("b\u2028") == UNK_ID
    assert encoder._number("▁a") > UNK_ID
