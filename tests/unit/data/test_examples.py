from collections import Counter

import pytest

from seedwise.data.examples import label_rows
from seedwise.data.readers import Row
from seedwise.errors import UserError

RATED = {"labels": {"bad": {"below": -0.5}, "middling": {"from": 0, "to": 1}, "good": {"above": 1}}}


def label(value, settings):
    (example,) = label_rows([Row(7, "t\0ext", value)], "d.csv", "train", settings, Counter())
    return example.label


def test_ids_say_where_a_text_stood():
    settings = {"labels": [0, 1]}
    (example,) = label_rows([Row(7, "text", "1")], "d", "train", settings, Counter())
    assert (example.id, example.text, example.label) == ("train:7", "text", "1")


@pytest.mark.parametrize("value", ["2", "", " 1", "positive"])
def test_labels_outside_the_set_are_refused(value):
    with pytest.raises(UserError, match=rf"d.csv, line 7: label '{value}' is not one of 0, 1"):
        label(value, {"labels": ["0", "1"]})


def test_a_value_stands_for_a_label():
    settings = {"labels": {"bad": 0, "good": "yes"}}
    assert [label(value, settings) for value in ("0", "yes")] == ["bad", "good"]
    with pytest.raises(UserError, match=r"d\.csv, line 7: label .good. is not one of 0, yes"):
        label("good", settings)


@pytest.mark.parametrize(
    ("rating", "expected"),
    [
        ("-0.6", "bad"),
        ("-0.5", None),
        ("-0.1", None),
        ("0", "middling"),
        ("1.0", "middling"),
        ("1e3", "good"),
    ],
)
def test_ratings_become_labels(rating, expected):
    assert label(rating, RATED) == expected


@pytest.mark.parametrize("rating", ["", "five", "nan", "inf"])
def test_ratings_that_are_no_numbers_are_refused(rating):
    with pytest.raises(UserError, match=rf"d.csv, line 7: rating '{rating}' is not a number"):
        label(rating, RATED)


def test_scores_are_numbers_in_their_range():
    settings = {"range": [-1, 5]}
    assert [label(value, settings) for value in ("-1", "4.5", "5", " 1e0 ")] == [-1, 4.5, 5, 1]
    for value, message in (
        ("5.1", r"score 5\.1 is outside of `range`, -1 to 5"),
        ("nan", "score 'nan' is not a number$"),
        ("inf", "score 'inf' is not a number$"),
        ("", "score '' is not a number$"),
        ("4,5", "score '4,5' is not a number; its decimal comma is to be a point"),
    ):
        with pytest.raises(UserError, match=rf"d\.csv, line 7: {message}"):
            label(value, settings)
