import pytest
import sentencepiece

from seedwise.errors import UserError
from seedwise.tokens import sentencepiece_model
from seedwise.tokens.vocabulary import ADDED_SYMBOLS, MASK, UNK_ID, read_dictionary
from support.small_texts import TEXTS, VOCAB_SIZE, train_sentencepiece

SETTINGS = {"type": "bpe", "character_coverage": 0.99, "sample_texts": 1000}


def test_dictionary_numbers_the_pieces_in_their_order_and_fills_the_embedding(tmp_path):
    model = train_sentencepiece(tmp_path)
    ids = read_dictionary(tmp_path / "dict.txt")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    pieces = processor.encode(" ".join(TEXTS), out_type=str)
    known = [piece for piece in pieces if piece in ids]
    # SentencePiece has three symbols before its first piece, fairseq four.
    assert [ids[piece] for piece in known] == [processor.piece_to_id(p) + 1 for p in known]
    assert len(known) > 0.95 * len(pieces)
    assert max(ids.values()) + 1 == VOCAB_SIZE == len(ids) + ADDED_SYMBOLS - 1
    assert ids[MASK] == VOCAB_SIZE - 1
    assert min(ids.values()) == UNK_ID + 1


def test_training_is_repeatable(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        train_sentencepiece(tmp_path / name)
    names = ("sentencepiece.bpe.model", "dict.txt")
    pairs = [[(tmp_path / folder / name).read_bytes() for folder in "ab"] for name in names]
    # The model records the path of its corpus, nothing else differs.
    assert pairs[1][0] == pairs[1][1]
    assert pairs[0][0].replace(b"/a/", b"/b/") == pairs[0][1]


def test_byte_pairs_are_another_choice(tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    model = sentencepiece_model.train([corpus], SETTINGS, 120)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert len(processor) + 2 == 120
    assert sentencepiece_model.dictionary(model).count("\n") == 120 - ADDED_SYMBOLS


def test_a_corpus_too_small_for_the_vocabulary_is_one_message(tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("a b c\n" * 20, encoding="utf-8")
    with pytest.raises(UserError, match=r"^architecture.vocab_size: .* 5000 rows") as caught:
        sentencepiece_model.train([corpus], SETTINGS | {"type": "unigram"}, 5000)
    assert "\n" not in str(caught.value)


def test_long_texts_are_learnt_and_shards_are_read_together(tmp_path):
    shards = [tmp_path / name for name in ("1.txt", "2.txt")]
    long = " ".join(TEXTS)
    assert len(long.encode()) > 4192  # what SentencePiece takes by default
    shards[0].write_text(f"{long}\n", encoding="utf-8")
    shards[1].write_text("zebra zebra zebra\n" * 50, encoding="utf-8")
    model = sentencepiece_model.train(shards, SETTINGS, 150)
    pieces = sentencepiece_model.dictionary(model).split("\n")
    assert "▁film 1" in pieces and "▁zebra 1" in pieces
