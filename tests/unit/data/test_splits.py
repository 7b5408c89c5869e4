import random
import re
from collections import Counter

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seedwise.data.audit import audit_split, shared_texts, spread
from seedwise.data.examples import Example
from seedwise.data.splits import candidates, comparable, draw, position, shares
from seedwise.data.texts import key_of
from seedwise.errors import UserError
from seedwise.study.labels import SCORE

POOL = [Example(f"all:{n}", f"text {n}", "ab"[n % 3 == 0]) for n in range(600)]
SIZES = {"train": 100, "valid": 20, "test": 60}
LABELS = ["a", "b"]


def drawing(pool=POOL, **settings):
    return draw(pool, {"labels": LABELS, "splits": SIZES} | settings, LABELS, "datasets.x")


def homes(drawn):
    """Return the split of each text that is in one."""
    return {e.text: split for split, part in drawn.items() for e in part}


def moved(before, after):
    """Return the texts that stand in one split before and in another after."""
    return {text for text, split in before.items() if after.get(text, split) != split}


def test_comparable_sees_through_white_space_and_unicode_forms():
    assert comparable(" e\u0301te\u0301\u2028\tﬁn\u00a0") == comparable("été fin") == "été fin"
    assert comparable("Été") != comparable("été")


def test_drawn_splits_are_balanced_disjoint_and_fixed_by_the_seed():
    drawn = drawing()
    assert {split: len(part) for split, part in drawn.items()} == SIZES
    for part in drawn.values():
        assert sum(e.label == "b" for e in part) == len(part) / 2
    assert len(homes(drawn)) == sum(SIZES.values())
    assert drawing() == drawn
    assert drawing(split_seed=1) != drawn
    assert drawing(random.Random(0).sample(POOL, len(POOL))) == drawn
    # The same on every machine.
    assert [e.id for e in drawn["test"]][:3] == ["all:266", "all:236", "all:251"]


def test_where_a_text_stands_depends_on_what_it_says():
    assert position(0, "a  text\n") == position(0, "a text") != position(1, "a text")
    places = [position(0, e.text) for e in POOL]
    assert 0 <= min(places) < 0.01 and 0.99 < max(places) < 1
    assert sum(place < 0.25 for place in places) == pytest.approx(150, abs=40)


def texts(count, start=0):
    return [Example(f"all:{n}", f"text {n}", "ab"[n % 7 > 2]) for n in range(start, start + count)]


@pytest.mark.parametrize("shuffle", [1, 2])
@pytest.mark.parametrize(
    "splits",
    [
        {"train": 1600, "valid": 400, "test": 800},
        {"train": 0.5, "valid": 0.1, "test": 0.2},
        {"train": 1600, "valid": 400, "test": 0.2},
    ],
)
@pytest.mark.parametrize("balanced", [True, False])
def test_growing_data_moves_no_text_into_another_split(splits, balanced, shuffle):
    old, grown = texts(4200), texts(4600)
    random.Random(shuffle).shuffle(grown)
    drawn = drawing(grown, splits=splits, balanced=balanced)
    before = homes(drawing(old, splits=splits, balanced=balanced))
    after = homes(drawn)
    assert not moved(before, after)
    for split, size in splits.items():
        stayed = [text for text, home in before.items() if home == split and text in after]
        if size < 1:
            assert len(stayed) == sum(home == split for home in before.values())
            assert len(drawn[split]) == pytest.approx(size * 4600, rel=0.1)
        else:
            assert len(drawn[split]) == size and len(stayed) > 0.85 * size


@given(
    st.integers(200, 400),
    st.integers(0, 200),
    st.fixed_dictionaries(
        {"test": st.integers(2, 20), "valid": st.integers(2, 12)},
        optional={"train": st.integers(2, 40)},
    ),
    st.sampled_from(["test", "valid", "train"]),
    st.integers(2, 12) | st.floats(0.01, 0.2),
    st.booleans(),
    st.integers(0, 5),
)
def test_sizes_and_growth(count, more, splits, other, size, balanced, seed):
    settings = {"balanced": balanced, "split_seed": seed}
    drawn = drawing(texts(count), splits=splits, **settings)
    before = homes(drawn)
    # A number is stratified within one text.
    pool = Counter(e.label for e in texts(count))
    for split, part in drawn.items():
        assert len(part) == splits[split]
        for label, held in Counter(e.label for e in part).items():
            exact = splits[split] * (0.5 if balanced else pool[label] / count)
            assert abs(held - exact) <= 1
    assert not moved(before, homes(drawing(texts(count + more), splits=splits, **settings)))
    # Another size of one split leaves the others alone; a share is another zone, and may take
    # texts from train or leave some to it.
    changed = drawing(texts(count), splits=splits | {other: size}, **settings)
    for split in set(splits) - {other}:
        if size >= 1 or split != "train":
            assert homes({split: changed[split]}) == homes({split: drawn[split]})


@given(st.lists(st.sampled_from(POOL), unique_by=lambda e: e.id), st.integers(0, 3))
def test_shares_take_every_text_of_their_zones(pool, seed):
    splits = {"test": 0.2, "valid": 0.1, "train": 0.7}
    drawn = drawing(pool, splits=splits, split_seed=seed)
    assert len(homes(drawn)) == len(pool)
    everything = homes(drawing(splits=splits, split_seed=seed))
    assert homes(drawn).items() <= everything.items()


def test_unbalanced_splits_keep_the_shares_of_the_data():
    drawn = drawing(splits={"valid": 30}, balanced=False)
    assert sum(e.label == "b" for e in drawn["valid"]) == 10


def test_wider_zones_draw_the_same_texts():
    assert homes(drawing(zones={"test": 0.3, "valid": 0.2})) == homes(drawing())


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
        UserError, match=r"x.splits: need 250 .*'b', but there are only 400 a, 200 b"
    ):
        drawing(splits={"train": 500})


@pytest.mark.parametrize("split", ["test", "valid", "train"])
def test_a_zone_with_too_few_texts_proposes_zones_that_do(split):
    splits = SIZES | {split: 200}
    with pytest.raises(
        UserError,
        match=rf"x.splits.{split}: need 100 .*'b', but in its zone, [0-9.]+ of all texts, are only "
        rf"\d+ a, \d+ b; .*share \(`{split}: 0.33`\)",
    ) as refused:
        drawing(splits=splits, zones={"test": 0.3, "valid": 0.3})
    zones = yaml.safe_load(re.search(r"zones: ({.*?})", str(refused.value)).group(1))
    assert {s: len(part) for s, part in drawing(splits=splits, zones=zones).items()} == splits


def test_where_no_zones_would_do_fewer_texts_are_proposed():
    with pytest.raises(UserError, match=r"x.splits.valid: .*; ask for fewer texts, or for a share"):
        drawing(splits={"train": 0.4, "valid": 120, "test": 120})


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
    drawable, aside = candidates(pool, {key_of("given")})
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


def test_scores_are_drawn_as_one_stratum():
    pool = [Example(f"d:{n}", f"text {n}", n / 10) for n in range(60)]
    settings = {"splits": {"valid": 10, "test": 15}, "zones": {"valid": 0.3, "test": 0.4}}
    drawn = draw(pool, settings, [SCORE], "datasets.d")
    assert {split: len(part) for split, part in drawn.items()} == {"valid": 10, "test": 15}
    with pytest.raises(UserError, match=r"need 61 different texts, but there are only 60$"):
        draw(pool, settings | {"splits": {"test": 61}}, [SCORE], "datasets.d")


def test_one_text_with_two_scores_is_set_aside():
    pool = [Example("d:1", "a", 1.0), Example("d:2", "a", 2.0), Example("d:3", "b", 2.0)]
    drawable, aside = candidates(pool, set())
    assert [example.id for example in drawable] == ["d:3"]
    assert aside == {"same text with another score": 2}
