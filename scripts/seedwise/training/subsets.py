"""Which of the training texts a run reads: a nested subset, a bootstrap."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np


def nested_order(texts: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Return the indices of all texts so that every beginning of them is stratified by label.

    The texts of a label come in the order of a hash, at even distances: of the first n, each label
    has its share of n, up to one text. No seed, engine or experiment changes it, so a larger subset
    holds a smaller one.
    """
    hashes = [hashlib.sha256(f"subset\0{text}".encode()).hexdigest() for text in texts]
    counts, seen = Counter(labels), Counter[str]()
    place = np.empty(len(texts))
    for index in sorted(range(len(texts)), key=lambda index: (hashes[index], index)):
        label = labels[index]
        place[index] = (seen[label] + 0.5) / counts[label]
        seen[label] += 1
    return np.lexsort((hashes, place))


def bootstrap(rows: np.ndarray, seed: int) -> np.ndarray:
    """Return as many of the ``rows``, drawn with replacement, in their order.

    The same for every experiment at one seed.
    """
    draws = np.random.default_rng((seed, 0x5EED)).integers(0, len(rows), len(rows))
    return rows[np.sort(draws)]
