import pytest

from seedwise.errors import UserError
from seedwise.study.labels import (
    Units,
    are_rated,
    check_labels,
    has_scores,
    label_names,
    label_values,
    rated_label,
    value_column,
)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "table", "labels": [1, "1"]}, "d.labels: a label stands there twice"),
        (
            {"format": "review-label", "labels": {"0": {"below": 3}, "1": {"above": 3}}},
            "d.labels: ranges need a rating",
        ),
        (
            {"format": "table", "labels": {"a": {"below": float("nan")}, "b": {"above": 3}}},
            "d.labels.a: no rating is in this range",
        ),
        ({"format": "webis-cls", "labels": [0, 1]}, "d.labels: webis-cls has ratings"),
        (
            {"format": "table", "labels": {"a": {"below": 1}, "b": 2}},
            "d.labels.b: no range, where other labels have one",
        ),
        (
            {"format": "table", "labels": {"a": 0, "b": "0"}},
            "d.labels: two labels have the same value",
        ),
        ({"format": "webis-cls", "labels": {"a": 0, "b": 1}}, "d.labels: webis-cls has ratings"),
        (
            {"format": "table", "labels": {"a": {"below": 1}, "b": {"from": 0}}},
            "d.labels: the ranges of 'a' and 'b' overlap",
        ),
        (
            {"format": "table", "labels": {"a": {"to": 1}, "b": {"from": 1}}},
            "d.labels: the ranges of 'a' and 'b' overlap",
        ),
        (
            {"format": "table", "labels": {"a": {"from": 2, "to": 1}, "b": {"above": 3}}},
            "d.labels.a: no rating is in this range",
        ),
    ],
)
def test_contradictions(settings, message):
    with pytest.raises(UserError, match=message):
        check_labels(settings, "d")


@pytest.mark.parametrize(
    "ranges",
    [
        {"a": {"below": 1}, "b": {"from": 1}},
        {"a": {"to": 1}, "b": {"above": 1}},
        {"a": {"below": 0}, "b": {"from": 0, "to": 0}, "c": {"above": 0}},
    ],
)
def test_touching_ranges_do_not_overlap(ranges):
    check_labels({"format": "table", "labels": ranges}, "d")
    assert rated_label(ranges, -1e9) == "a" and rated_label(ranges, 1e9) == list(ranges)[-1]


def test_where_labels_stand_and_what_they_are_called():
    assert label_names({"labels": [0, 1]}) == label_names({"labels": {"0": {}, "1": {}}})
    assert value_column({"labels": [0, 1]}) == "label"
    assert value_column({"labels": ["no", "yes"], "label": "answer"}) == "answer"
    assert value_column({"labels": {"a": {}, "b": {}}, "label": "answer"}) == "rating"


def test_labels_by_the_value_that_stands_for_them():
    settings = {"format": "table", "labels": {"entailment": 0, "neutral": 1}, "label": "gold"}
    check_labels(settings, "d")
    assert label_names(settings) == ["entailment", "neutral"] and not are_rated(settings)
    assert label_values(settings) == {"0": "entailment", "1": "neutral"}
    assert value_column(settings) == "gold"


def test_scores_have_one_output_and_units():
    settings = {"range": [0, 5], "format": "table", "label": "similarity"}
    assert has_scores(settings) and label_names(settings) == ["score"]
    assert value_column(settings) == "similarity"
    assert value_column({"range": [1, 5], "format": "webis-cls"}) == "rating"
    check_labels(settings, "d")
    for limits in ([5, 0], [1, 1], [0, float("inf")], [float("nan"), 1]):
        with pytest.raises(UserError, match=r"d\.range: no scores from .* the lowest is first"):
            check_labels(settings | {"range": limits}, "d")
    audit = {"range": [0, 5], "mean_score": {"score": 2.0}}
    units = Units.of(audit)
    assert units.learned([2.0, 4.5]) == [0.0, 0.5]
    assert units.layer(2.0, 0.1) == (10.0, 2.5)  # weight and bias: 0.1 learned is 2.5
    assert Units.of({"labels": ["a", "b"]}) is None
