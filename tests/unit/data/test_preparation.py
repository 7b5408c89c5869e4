import string
from collections import Counter

from hypothesis import event, given
from hypothesis import strategies as st

from seedwise.data.examples import Example
from seedwise.data.preparation import split_texts
from seedwise.data.splits import comparable
from seedwise.errors import UserError

examples = st.lists(
    st.tuples(st.sampled_from(["", " ", "a ", *string.ascii_letters]), st.sampled_from("01x")),
    min_size=15,
    max_size=60,
)
sizes = st.dictionaries(
    st.sampled_from(["train", "valid", "test"]),
    st.integers(2, 3) | st.sampled_from([0.1, 0.25]),
    max_size=3,
)


@given(examples, examples, sizes)
def test_no_text_is_lost_and_none_leaks(pool, test, wanted):
    def labelled(name, pairs):
        return [
            Example(f"{name}:{n}", text, None if label == "x" else label)
            for n, (text, label) in enumerate(pairs)
        ]

    given_splits = {"all": labelled("all", pool)}
    if "test" not in wanted:
        given_splits = {"train": given_splits["all"], "test": labelled("test", test)}
    wanted.setdefault("valid", 2)
    settings = {"labels": ["0", "1"], "splits": wanted}
    try:
        prepared = split_texts(settings, given_splits, [], "d")
    except UserError:
        event("refused")
        return
    ids = Counter(e.id for part in (*prepared.splits.values(), prepared.unlabelled) for e in part)
    total = sum(map(len, given_splits.values()))
    assert sum(ids.values()) + sum(prepared.left_out.values()) == total
    assert max(ids.values()) == 1
    drawn = {split: {comparable(e.text) for e in prepared.splits[split]} for split in wanted}
    for split in wanted:
        others = set(prepared.splits) - {split}
        if split == "train":
            others &= set(wanted)
        for other in others:
            assert not drawn[split] & {comparable(e.text) for e in prepared.splits[other]}
