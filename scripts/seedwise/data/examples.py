"""From the rows of a file to labelled texts."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from seedwise.data.readers import Row
from seedwise.errors import UserError
from seedwise.study.labels import label_names, rated_label


@dataclass(frozen=True)
class Example:
    """A text with its name and its label; None where it has none."""

    id: str
    text: str
    label: str | None


def clean(text: str, changes: Counter[str]) -> str:
    """Return the text without NUL characters, which no tokenizer takes; all else stays."""
    if nuls := text.count("\0"):
        changes["NUL characters removed"] += nuls
        return text.replace("\0", "")
    return text


def label_rows(
    rows: list[Row], name: str, stem: str, settings: dict[str, Any], changes: Counter[str]
) -> list[Example]:
    """Give each row its label.

    Args:
        rows: What was read.
        name: The file, for messages.
        stem: The first part of the texts' ids; the second is the line.
        settings: The data set's; `labels` lists the labels, or gives each a range of ratings.
        changes: Counts of what was changed; added to.

    Raises:
        UserError: A label is not among those configured, or a rating is no number.
    """
    labels = settings["labels"]
    allowed = set(label_names(settings))

    def label(row: Row) -> str | None:
        assert row.value is not None
        if not isinstance(labels, dict):
            if row.value not in allowed:
                raise UserError(
                    f"{name}, line {row.line}: label {row.value!r} is not one of "
                    f"{', '.join(label_names(settings))}"
                )
            return row.value
        try:
            rating = float(row.value)
        except ValueError:
            rating = math.nan
        if not math.isfinite(rating):
            raise UserError(f"{name}, line {row.line}: rating {row.value!r} is not a number")
        return rated_label(labels, rating)

    return [Example(f"{stem}:{row.line}", clean(row.text, changes), label(row)) for row in rows]


def unlabelled_rows(rows: list[Row], stem: str, changes: Counter[str]) -> list[Example]:
    """Give each row its id, and no label."""
    return [Example(f"{stem}:{row.line}", clean(row.text, changes), None) for row in rows]
