"""Which texts a model reads together."""

import sys
from collections.abc import Iterator, Sequence

import numpy as np

PROCESSOR_TOKENS = 1 << 11
"""Tokens of a processor's batch, padding counted: more would not stay in its caches, and with fewer
its threads would wait for each other, on a busy machine several times as long."""


def batches(
    lengths: Sequence[int] | np.ndarray, tokens: int, texts: int = sys.maxsize
) -> Iterator[np.ndarray]:
    """Yield the indices of texts of like length.

    The longest come first, so that what is too long for the machine shows at once.

    Args:
        lengths: The number of tokens of each text.
        tokens: At most so many are in a batch, padding counted, unless one text has more.
        texts: At most so many are in a batch.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    start = 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        stop = start + max(1, min(texts, tokens // longest))
        yield order[start:stop]
        start = stop
