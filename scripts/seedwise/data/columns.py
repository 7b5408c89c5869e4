"""Guesses about somebody's table: which columns are texts and labels, which file is which split.

Each ends in a line of a configuration that its reader can change.
"""

import re
from collections.abc import Sequence

import pandas as pd

from seedwise.errors import UserError

MOST_LABELS = 50
MOST_RATINGS = 10
"""More different numbers than this are a rating to be cut into ranges, not classes."""

_TEXT_NAMES = ("text", "review", "sentence", "comment", "tweet", "content", "body", "message")
_LABEL_NAMES = ("label", "sentiment", "class", "category", "target", "polarity", "stars", "rating")
# A split is known by a word in its file's name.
_SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "test": "test",
    "unlabelled": "unlabelled",
    "unlabeled": "unlabelled",
    "unsupervised": "unlabelled",
}


def split_of(name: str) -> str | None:
    """Return the split that a file's name speaks of; None if it speaks of none."""
    words = re.split(r"[^a-z]+", name.lower())
    return next((_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS), None)


def _named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the column with one of these names, or with one in its name; the best name first."""
    for fits in (str.__eq__, str.__contains__):
        for name in names:
            for column in columns:
                if fits(str(column).lower(), name):
                    return column
    return None


def has_header(table: pd.DataFrame) -> bool:
    """Tell whether the first row names the columns: none of its values stands below it."""
    first, rest = table.iloc[0], table.iloc[1:]
    return not any(first[column] in set(rest[column]) for column in table) and first.is_unique


def text_column(table: pd.DataFrame) -> str:
    """Return the column that looks most like texts: by its name, or the longest one."""
    named = _named([c for c in table if _mean_length(table[c]) > 0], _TEXT_NAMES)
    return named or max(table, key=lambda column: _mean_length(table[column]))


def _mean_length(column: pd.Series) -> float:
    return float(column.str.len().mean())


def label_column(table: pd.DataFrame, text: str) -> str:
    """Return the column that looks most like labels: by its name, or the one with the fewest.

    Raises:
        UserError: No column has between 2 and `MOST_LABELS` different values.
    """
    counts = {column: table[column].nunique() for column in table if column != text}
    most = min(MOST_LABELS, max(2, len(table) // 5))
    possible = [column for column, count in counts.items() if 2 <= count <= most]
    named = _named(list(counts), _LABEL_NAMES)
    if named in possible or (named and counts[named] > MOST_RATINGS and _numeric(table[named])):
        return named
    if not possible:
        raise UserError(
            f"no column looks like labels, with 2 to {most} different values: "
            + (", ".join(f"{column!r} has {count:,}" for column, count in counts.items()) or "none")
            + "; name it with --label"
        )
    return min(possible, key=lambda column: counts[column])


def _numeric(values: pd.Series) -> bool:
    return bool(pd.to_numeric(values, errors="coerce").notna().all())


def labels_of(values: pd.Series) -> list[str]:
    """Return the labels in class order: numbers by size, words by the alphabet.

    Raises:
        UserError: They are ratings, or too many or too few.
    """
    found = sorted({value for value in values if value})
    if len(found) > MOST_RATINGS and _numeric(values):
        raise UserError(
            f"column {values.name!r} holds {len(found):,} different numbers: a rating. Write the "
            "study by hand and give each label its range, as config.yaml does "
            "(`labels: {negative: {below: -0.5}, positive: {above: 0.5}}`, `rating: column`)"
        )
    if not 2 <= len(found) <= MOST_LABELS:
        raise UserError(
            f"column {values.name!r} holds {len(found):,} different labels; 2 to {MOST_LABELS} are "
            "expected; name another one with --label"
        )
    return sorted(found, key=lambda v: (float(v), v)) if _numeric(pd.Series(found)) else found
