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

_LONG_NAME = 15  # characters, on average; what is longer is more than a name
_NEARLY_ALL = 0.95
_DATE = r"\d{4}-\d\d-\d\d([T ].*)?"
# What programs write where there is no value.
_ABSENT = {"nan", "none", "null", "n/a", "na", "#n/a", "nil", "?", "-"}

_TEXT_NAMES = ("text", "review", "sentence", "comment", "tweet", "content", "body", "message")
_LABEL_NAMES = ("label", "sentiment", "class", "category", "target", "polarity", "stars", "rating")
_SCORE_NAMES = ("score", "similarity", "rating", "stars", "label", "target")
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
    return not any(first[column] in set(rest[column]) for column in table)


def text_column(table: pd.DataFrame) -> str:
    """Return the column that looks most like texts: by its name, or the longest one."""
    named = _named([c for c in table if _mean_length(table[c]) > 0], _TEXT_NAMES)
    return named or max(table, key=lambda column: _mean_length(table[column]))


def _mean_length(column: pd.Series) -> float:
    return float(column.str.len().mean())


def label_column(table: pd.DataFrame, texts: list[str]) -> str:
    """Return the column that looks most like labels: by its name, or the one with the fewest.

    Raises:
        UserError: No column has between 2 and `MOST_LABELS` different values.
    """
    counts = {column: table[column].nunique() for column in table if column not in texts}
    most = min(MOST_LABELS, max(2, len(table) // 5))
    possible = [
        column
        for column, count in counts.items()
        if 2 <= count <= most and not table[column].str.fullmatch(_DATE).all()
    ]
    named = _named(list(counts), _LABEL_NAMES)
    if named in possible or (named and counts[named] > MOST_RATINGS and _numeric(table[named])):
        return named
    if not possible:
        raise UserError(
            f"no column looks like labels, with 2 to {most} different values that are no dates: "
            + (", ".join(f"{column!r} has {count:,}" for column, count in counts.items()) or "none")
            + "; name it with --label"
        )
    return min(possible, key=lambda column: counts[column])


def score_column(table: pd.DataFrame, texts: list[str]) -> str:
    """Return the column that looks most like scores: by its name, or the one of numbers.

    Raises:
        UserError: No column, or several, hold numbers alone.
    """
    numbers = [c for c in table if c not in texts and _numeric(table.loc[table[c] != "", c])]
    if named := _named(numbers, _SCORE_NAMES):
        return named
    if len(numbers) != 1:
        raise UserError(
            f"{len(numbers)} columns hold numbers that may be scores"
            + (f": {', '.join(map(repr, numbers))}" if numbers else "")
            + "; name one with --label"
        )
    return numbers[0]


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
            f"column {values.name!r} holds {len(found):,} different numbers. If models are to "
            "predict them, give the lowest and the highest there may be (--range 0,5). If they "
            "are ratings for labels, write the study by hand and give each label its range, as "
            "config.yaml does (`labels: {negative: {below: -0.5}, positive: {above: 0.5}}`, "
            "`rating: column`)"
        )
    if not 2 <= len(found) <= MOST_LABELS:
        raise UserError(
            f"column {values.name!r} holds {len(found):,} different labels; 2 to {MOST_LABELS} are "
            "expected; name another one with --label"
        )
    return sorted(found, key=lambda v: (float(v), v)) if _numeric(pd.Series(found)) else found


def text_doubts(table: pd.DataFrame, texts: list[str], label: str) -> list[str]:
    """Return what whoever knows the table should look at in its texts, a line each.

    Raises:
        UserError: The texts are numbers.
    """
    for text in texts:
        if _numeric(table[text]):
            raise UserError(
                f"column {text!r} holds numbers alone, no texts; name another with --text"
            )
    found = []
    length = min(_mean_length(table[text]) for text in texts)
    for column in table.columns.difference([*texts, label]):
        others = table[column].nunique() > MOST_LABELS and not _numeric(table[column])
        if others and _mean_length(table[column]) > max(_LONG_NAME, length / 4):
            pair = "" if len(texts) > 1 else f"for pairs of both, --text {texts[0]},{column}; "
            found.append(
                f"column {column!r} holds texts, too, and is left out: "
                f"{pair}for {column!r} alone, --text {column}"
            )
    return found


def label_doubts(table: pd.DataFrame, label: str) -> list[str]:
    """Return the same of its labels.

    Raises:
        UserError: There are none, or cells hold several.
    """
    found = []
    counts = table.loc[table[label] != "", label].value_counts()
    if counts.empty:
        raise UserError(
            f"column {label!r} holds no label, but nothing or lists; a study gives each text one "
            "label. Of several, keep the rows of one, or make a column of yes and no for each"
        )
    if separator := _between_labels(list(counts.index)):
        several = next(name for name in counts.index if separator in name)
        raise UserError(
            f"column {label!r} holds several labels in a cell, as {several!r}; a study gives each "
            "text one. Keep the rows of one label, or make a column of yes and no for each label, "
            "and a study of each"
        )
    absent = sorted(name for name in counts.index if name.strip().casefold() in _ABSENT)
    if absent:
        found.append(
            f"label {absent[0]!r} reads like that of a text that has none, and is kept as a label; "
            "remove these rows if it is"
        )
    alike: dict[str, list[str]] = {}
    for name in counts.index:
        alike.setdefault(" ".join(name.casefold().split()), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            found.append(
                f"labels {' and '.join(map(repr, sorted(names)))} differ in case or blanks alone, "
                "and are kept as different ones; if they are one, write them alike in the table"
            )
    share = counts.iloc[0] / counts.sum()
    if share > _NEARLY_ALL:
        found.append(
            f"label {counts.index[0]!r} is that of {share:.1%} of the texts: who reads none is as "
            "often right; `selection: macro_f1` in the study looks at the other labels, too"
        )
    return found


def _between_labels(labels: Sequence[str]) -> str | None:
    """Return what joins several labels in one cell: its parts stand in other cells, too."""
    if _numeric(pd.Series([name.replace(",", ".") for name in labels])):  # decimal commas
        return None
    for separator in ("|", ";", ","):
        parts = {name: {part.strip() for part in name.split(separator)} for name in labels}
        joined = [name for name in labels if len(parts[name]) > 1]
        others = {name: set().union(*(parts[o] for o in labels if o != name)) for name in joined}
        if joined and all(parts[name] & others[name] for name in joined):
            return separator
    return None
