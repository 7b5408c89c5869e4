from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seedwise.training.subsets import bootstrap, nested_order

LABELS = st.lists(st.sampled_from("abc"), min_size=1, max_size=60)


@given(labels=LABELS)
def test_every_beginning_is_stratified(labels):
    order = nested_order([f"text {i}" for i in range(len(labels))], labels)
    assert sorted(order) == list(range(len(labels)))
    counts = Counter(labels)
    for size in range(1, len(labels) + 1):
        own = Counter(labels[i] for i in order[:size])
        for label, count in counts.items():
            # Up to one text, and what the others' rounding adds to it.
            assert abs(own[label] - size * count / len(labels)) <= (len(counts) + 1) / 2


def test_order_depends_on_the_texts_alone_not_on_the_file():
    texts, labels = [f"text {i}" for i in range(40)], ["a", "b"] * 20
    first = [texts[i] for i in nested_order(texts, labels)]
    assert first != texts
    turned = [t for t, _ in sorted(zip(texts, labels, strict=True), reverse=True)]
    again = [turned[i] for i in nested_order(turned, [labels[texts.index(t)] for t in turned])]
    assert again == first


def test_a_bootstrap_is_of_the_seed_and_of_nothing_else():
    rows = np.arange(10, 1010)
    drawn = bootstrap(rows, 3)
    assert (drawn == bootstrap(rows, 3)).all() and (drawn != bootstrap(rows, 4)).any()
    assert len(drawn) == 1000 and set(drawn) < set(rows)
    assert 0.60 < len(set(drawn)) / 1000 < 0.67  # 1 - 1/e
