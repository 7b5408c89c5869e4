import random

import pytest

from seedwise.data.audit import audit_split, shared_texts, spread
from seedwise.data.examples import Example
from seedwise.data.splits import candidates, comparable, draw, shares
from seedwise.errors import UserError

POOL = [Example(f"all:{n}", f"text {n}", "ab"[n % 3 == 0]) for n in range(300)]
SIZES = {"train": 100, "valid": 20, "test": 60}


def test_comparable_sees_through_white_space_and_unicode_forms():
    assert comparable(" e\u0301te\u0301\u2028\tﬁn\u00a0") == comparable("été fin") == "été fin"
    assert comparable("Été") != comparable("été")


def test_drawn_splits_are_balanced_disjoint_and_fixed_by_the_seed():
    drawn = draw(POOL, SIZES, ["a", "b"], 0)
    assert {split: len(part) for split, part in drawn.items()} == SIZES
    for part in drawn.values():
        assert sum(e.label == "b" for e in part) == len(part) / 2
    ids = [e.id for part in drawn.values() for e in part]
    assert len(set(ids)) == len(ids)
    assert draw(POOL, SIZES, ["a", "b"], 0) == drawn
    assert draw(POOL, SIZES, ["a", "b"], 1) != drawn
    shuffled = random.Random(0).sample(POOL, len(POOL))
    assert draw(shuffled, SIZES, ["a", "b"], 0) == drawn
    assert [e.id for e in drawn["test"]][:3] == ["all:200", "all:88", "all:5"]


def test_a_text_added_later_moves_no_other():
    before = draw(POOL, SIZES, ["a", "b"], 0)
    after = draw([*POOL, Example("new", "a new text", "a")], SIZES, ["a", "b"], 0)
    moved = sum(e not in after[split] for split, part in before.items() for e in part)
    assert moved <= len(SIZES)


def test_unbalanced_splits_keep_the_shares_of_the_data():
    drawn = draw(POOL, {"valid": 30}, ["a", "b"], 0, balanced=False)
    assert sum(e.label == "b" for e in drawn["valid"]) == 10


@pytest.mark.parametrize(
    ("size", "counts", "balanced", "expected"),
    [
        (10, {"a": 99, "b": 50, "c": 50}, True, {"a": 4, "b": 3, "c": 3}),
        (10, {"a": 98, "b": 1, "c": 1}, False, {"a": 10, "b": 0, "c": 0}),
        (4, {"a": 3, "b": 5}, False, {"a": 2, "b": 2}),
    ],
)
def test_shares(size, counts, balanced, expected):
    assert shares(size, counts, balanced=balanced) == expected


def test_too_few_texts_says_how_many_there_are():
    with pytest.raises(
        UserError, match=r"x.splits: need 150 .*'b', but there are only 200 a, 100 b"
    ):
        draw(POOL, {"train": 300}, ["a", "b"], 0, key="x.splits")


def test_candidates_are_different_texts_with_one_label():
    pool = [
        Example("1", "same", "a"),
        Example("2", " same\n", "a"),
        Example("3", "torn", "a"),
        Example("4", "torn", "b"),
        Example("5", " ", "a"),
        Example("6", "given", "b"),
        Example("7", "free", "b"),
    ]
    drawable, aside = candidates(pool, {"given"})
    assert [e.id for e in drawable] == ["1", "7"]
    assert aside == {
        "copy of another text": 1,
        "same text with another label": 2,
        "empty text": 1,
        "also in a given split": 1,
    }


def test_audit():
    part = [
        Example("1", "one two", "a"),
        Example("2", "one  two", "a"),
        Example("3", "", "b"),
        Example("4", "\n", "b"),
        Example("5", "three 😀", "b"),
    ]
    assert audit_split(part, ["b", "a", "c"]) == {
        "texts": 5,
        "empty": 2,
        "duplicates": 1,
        "characters": {"min": 0, "median": 7, "mean": 4.6, "max": 8},
        "words": {"min": 0, "median": 2, "mean": 1.2, "max": 2},
        "labels": {"b": 3, "a": 2, "c": 0},
    }
    assert spread([]) is None
    other = [Example("9", "one two", "b"), Example("8", "", "a"), Example("7", "one\ttwo", "a")]
    assert shared_texts({"train": part, "test": other}) == [
        {"splits": ["train", "test"], "texts": 1, "examples": [["1", "9"]]}
    ]
