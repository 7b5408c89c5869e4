import pytest
import sentencepiece
from small_texts import TEXTS, train_sentencepiece

from seedwise import pieces


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return train_sentencepiece(tmp_path_factory.mktemp("tokens"))


def test_batches_hold_every_text_in_order(monkeypatch):
    monkeypatch.setattr(pieces, "TEXTS_PER_BATCH", 3)
    assert list(pieces.batches("abcdefg")) == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert list(pieces.batches("abc")) == [["a", "b", "c"]]
    assert list(pieces.batches([])) == []


@pytest.mark.parametrize("batch", [1, 7, 1024])
def test_lines_do_not_depend_on_batches(model, tmp_path, monkeypatch, batch):
    monkeypatch.setattr(pieces, "TEXTS_PER_BATCH", batch)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    output = tmp_path / "folder" / "pieces"
    counts = pieces.write_pieces(TEXTS, model, output, longest=1000)
    assert counts == {"texts": len(TEXTS), "cut": 0, "empty": 0}
    expected = [" ".join(processor.encode(text, out_type=str)) for text in TEXTS]
    assert output.read_text(encoding="utf-8").split("\n")[:-1] == expected


def test_cut_and_empty_texts_are_counted(model, tmp_path):
    texts = ["", "a film of a film", "a", " "]
    counts = pieces.write_pieces(texts, model, tmp_path / "pieces", longest=3)
    assert counts == {"texts": 4, "cut": 1, "empty": 2}
    lines = (tmp_path / "pieces").read_text(encoding="utf-8").split("\n")
    assert len(lines) == 5 and len(lines[1].split()) == 3 and lines[0] == lines[3] == ""


def test_a_piece_of_white_space_is_unknown():
    assert pieces.line_of(["▁a", "\u0085", "b\u2028", "c"]) == "▁a <unk> <unk> c"
    assert pieces.line_of(["▁a", "b"]) == "▁a b"
    assert pieces.line_of([]) == ""


def test_nothing_is_left_of_a_broken_write(model, tmp_path):
    def texts():
        yield "a"
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        pieces.write_pieces(texts(), model, tmp_path / "pieces", longest=3)
    assert not list(tmp_path.iterdir())
