"""Which runs of two experiments stand beside each other, and all pairs of experiments."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd


def beside(own: pd.DataFrame, other: pd.DataFrame) -> list[int]:
    """Return the places of the runs whose seeds the other experiment has, too, in their order.

    A deterministic run stands beside each of the other's.

    Args:
        own: Columns init, seed, and any others.
        other: The other experiment's.
    """
    if own["init"].iloc[0] == "none" and len(own) == 1:
        return [0] * len(other)
    if other["init"].iloc[0] == "none" and len(other) == 1:
        return list(range(len(own)))
    return np.flatnonzero(own["seed"].isin(other["seed"])).tolist()


def pairs(
    experiments: Sequence[pd.DataFrame],
) -> Iterator[tuple[int, int, list[int], list[int]]]:
    """Yield every two experiments that have runs to compare: their places, and those of these runs.

    Args:
        experiments: Columns init, seed, and any others, a row per run.
    """
    for a, b in combinations(range(len(experiments)), 2):
        one = beside(experiments[a], experiments[b])
        other = beside(experiments[b], experiments[a])
        if one and other:
            yield a, b, one, other
