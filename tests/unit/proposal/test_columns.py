import pandas as pd
import pytest

from seedwise.errors import UserError
from seedwise.proposal.columns import label_doubts, score_column, split_of, text_doubts


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("data/train-00000-of-00001.parquet", "train"),
        ("imdb_test.csv", "test"),
        ("dev.jsonl", "valid"),
        ("latest.csv", None),
        ("contest.csv", None),
    ],
)
def test_split_by_a_word_of_the_name(name, split):
    assert split_of(name) == split


FEW = ["Not a good film at all.", "A very good film, all in all."] * 40


def table(label, **others):
    return pd.DataFrame({"text": FEW[: len(label)], "label": label} | others)


def doubts(rows, texts, label):
    return text_doubts(rows, texts, label) + label_doubts(rows, label)


def test_a_table_without_doubts():
    notes = [f"note {n}" for n in range(80)]
    assert doubts(table(["good", "bad"] * 40, id=notes), ["text"], "label") == []


def test_a_second_column_of_texts_is_told():
    premises = [f"The film number {n} is quite a good one." for n in range(80)]
    (doubt,) = doubts(table(["yes", "no"] * 40, premise=premises), ["text"], "label")
    assert "column 'premise' holds texts, too" in doubt and "--text premise" in doubt


def test_labels_alike_and_labels_of_nearly_all():
    (doubt,) = doubts(table(["good", "Good "] * 40), ["text"], "label")
    assert "labels 'Good ' and 'good' differ in case or blanks alone" in doubt
    (doubt,) = doubts(table(["good"] * 78 + ["bad"] * 2), ["text"], "label")
    assert "label 'good' is that of 97.5% of the texts" in doubt


@pytest.mark.parametrize("separator", ["|", ";", ", "])
def test_several_labels_in_a_cell_are_refused(separator):
    labels = ["a", f"a{separator}c", "b", f"b{separator}c"] * 20
    with pytest.raises(UserError, match=r"several labels in a cell, as .*a study of each"):
        doubts(table(labels), ["text"], "label")


def test_a_column_without_any_label_is_refused():
    """Lists, as the hub has several labels of a text, are empty cells here."""
    with pytest.raises(UserError, match=r"'label' holds no label, but nothing or lists"):
        doubts(table([""] * 80), ["text"], "label")


def test_a_comma_in_a_name_makes_no_labels():
    assert doubts(table(["Paris, Texas", "Rome"] * 40), ["text"], "label") == []


def test_scores_are_known_by_their_name_or_as_the_only_numbers():
    rows = table(["1.5", ""] * 40, size=["3", "4"] * 40, note=["x", "y"] * 40)
    assert score_column(rows.rename(columns={"size": "similarity"}), ["text"]) == "similarity"
    assert score_column(rows[["text", "label", "note"]], ["text"]) == "label"
    two = rows.rename(columns={"label": "a"})
    with pytest.raises(UserError, match="2 columns hold numbers that may be scores: 'a', 'size'"):
        score_column(two, ["text"])
    with pytest.raises(UserError, match="0 columns hold numbers that may be scores; name one"):
        score_column(rows[["text", "note"]], ["text"])
