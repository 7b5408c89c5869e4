import numpy as np
import pytest
from transformers import AutoTokenizer

from seedwise.data.texts import parts
from seedwise.errors import UserError
from seedwise.files import read_json, write_json
from seedwise.tokens import indexed
from seedwise.tokens.pieces import PublishedEncoder
from seedwise.tokens.published import ROLES, PublishedTokenizer
from seedwise.tokens.vocabulary import EOS_ID, read_dictionary
from support.small_texts import PAIRS, TEXTS
from support.tiny.chain import HOSTILE
from support.tiny.encoders import ENCODERS, ROWS

KINDS = ("bert", "camembert", "roberta", "xlm-roberta")
LONGEST = 20


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory):
    """A tokenizer as rule import_transformers writes it."""
    published = tmp_path_factory.mktemp("published")
    ENCODERS[request.param][1](published)
    folder = tmp_path_factory.mktemp("tokens")
    tokenizer = AutoTokenizer.from_pretrained(
        published, model_max_length=LONGEST, split_special_tokens=True
    )
    tokenizer.save_pretrained(folder)
    text = PublishedTokenizer.read(folder).dictionary(ROWS)
    (folder / "dict.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (4096, 1), (7, 2)])
def test_ids_are_transformers_own_in_fairseqs_order(folder, monkeypatch, batch, threads):
    monkeypatch.setattr(indexed, "TEXTS_PER_BATCH", batch)
    texts = [*TEXTS, *HOSTILE, "[CLS] [PAD] [MASK]", "Ein überlanges Wort 漢字 " * 9]
    published = PublishedTokenizer.read(folder)
    encoder = PublishedEncoder(published, folder / "dict.txt", threads)
    assert encoder.max_positions == LONGEST
    ids = AutoTokenizer.from_pretrained(folder)(texts, truncation=True)["input_ids"]
    order = published.fairseq_order(ROWS)
    found = [
        [0, *text]
        for tokens, sizes in encoder.batches(texts, LONGEST - 2)
        for text in np.split(tokens, np.cumsum(sizes)[:-1])
    ]
    assert [[order[number] for number in text] for text in found] == ids
    assert all(text[-1] == EOS_ID for text in found)
    assert encoder.counts["texts"] == len(texts) and encoder.counts["cut"] > 0


def files(folder):
    return PublishedTokenizer.read(folder), folder / "dict.txt"


@pytest.mark.parametrize("longest", [LONGEST, LONGEST - 1])
def test_pairs_are_cut_as_transformers_cuts_them(folder, longest):
    if "token_type_ids" in AutoTokenizer.from_pretrained(folder)("a"):
        with pytest.raises(UserError, match="token type, which fairseq's RoBERTa lacks"):
            next(PublishedEncoder(*files(folder)).batches(PAIRS, longest - 2))
        return
    encoder = PublishedEncoder(*files(folder))
    tokenizer = AutoTokenizer.from_pretrained(folder, model_max_length=longest)
    ids = tokenizer(*parts(PAIRS), truncation=True)["input_ids"]
    assert max(map(len, ids)) == longest
    order = PublishedTokenizer.read(folder).fairseq_order(ROWS)
    found = [
        [0, *text]
        for tokens, sizes in encoder.batches(PAIRS, longest - 2)
        for text in np.split(tokens, np.cumsum(sizes)[:-1])
    ]
    assert [[order[number] for number in text] for text in found] == ids
    assert encoder.counts["cut"] > 0


def test_the_dictionary_names_each_row_once(folder):
    published = PublishedTokenizer.read(folder)
    ids = read_dictionary(folder / "dict.txt")
    assert max(ids.values()) == ROWS - 1
    order = published.fairseq_order(ROWS)
    assert sorted(order) == list(range(ROWS))
    names = {number: piece for piece, number in ids.items()}
    pieces = published.tokenizer.get_vocab_size()
    for number, theirs in enumerate(order[4:-1], start=4):
        piece = published.tokenizer.id_to_token(theirs)
        assert names[number] == (piece if theirs < pieces else f"unnamed{theirs}")


def test_pieces_that_fairseq_would_take_apart_get_names_of_their_own(folder, tmp_path):
    published = PublishedTokenizer.read(folder)

    class Odd:
        pieces = ("x", "a b", "<s>", "", "\u0085", "<mask>", "unnamed1", None)
        id_to_token = staticmethod(lambda number: Odd.pieces[number - 5])

    lines = PublishedTokenizer(Odd(), (0, 1, 2, 3, 4), 9).dictionary(13).splitlines()
    names = [line.removesuffix(" 1") for line in lines]
    assert names[0] == "x" and names[6] == "unnamed1"
    assert names[1:6] == [f"unnamed{number}" for number in (6, 7, 8, 9, 10)]
    assert names[7] == "unnamed12"
    assert published.special == tuple(dict.fromkeys(published.special))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_without_a_piece_is_named(folder, tmp_path, role):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    settings = read_json(tmp_path / "tokenizer_config.json")
    write_json(tmp_path / "tokenizer_config.json", settings | {role: None})
    said = rf"tokenizer_config\.json: {role} is None; the engine fairseq needs five different"
    with pytest.raises(UserError, match=said):
        PublishedTokenizer.read(tmp_path)


def test_a_tokenizer_in_python_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"tokenizer\.json: missing; with the engine fairseq"):
        PublishedTokenizer.read(tmp_path)
