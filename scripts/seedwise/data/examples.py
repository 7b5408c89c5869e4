"""From the rows of a file to labelled texts."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from seedwise.data.readers import Row
from seedwise.data.texts import TextFile, key_of
from seedwise.errors import UserError
from seedwise.study.labels import are_rated, label_values, rated_label


class Example:
    """A text with its name and its label; None where it has none.

    Attributes:
        id: Its name.
        label: Its label.
        key: The same for all texts that count as the same (`seedwise.data.texts.key_of`).
    """

    __slots__ = ("_file", "_text", "id", "key", "label")

    def __init__(self, id: str, text: str, label: str | None, file: TextFile | None = None) -> None:
        """Make one; its text stands in ``file``, or in memory."""
        self.id, self.label, self.key = id, label, key_of(text)
        self._file = file
        self._text: str | int = file.append(text) if file else text

    @property
    def text(self) -> str:
        """The text."""
        if isinstance(self._text, str):
            return self._text
        assert self._file is not None
        return self._file.read(self._text)


def label_rows(
    rows: Iterable[Row],
    name: str,
    stem: str,
    settings: dict[str, Any],
    changes: Counter[str],
    file: TextFile | None = None,
) -> Iterator[Example]:
    """Give each row its label.

    Args:
        rows: What was read.
        name: The file, for messages.
        stem: The first part of the texts' ids; the second is the line.
        settings: The data set's; `labels` lists the labels, or gives each the value that stands
            for it, or a range of ratings.
        changes: Counts of what was changed; added to.
        file: Where texts are to stand; None for memory.

    Raises:
        UserError: A label is not among those configured, or a rating is no number.
    """
    rated = are_rated(settings)
    names = {} if rated else label_values(settings)

    def label(row: Row) -> str | None:
        assert row.value is not None
        if not rated:
            if row.value not in names:
                raise UserError(
                    f"{name}, line {row.line}: label {row.value!r} is not one of {', '.join(names)}"
                )
            return names[row.value]
        try:
            rating = float(row.value)
        except ValueError:
            rating = math.nan
        if not math.isfinite(rating):
            raise UserError(f"{name}, line {row.line}: rating {row.value!r} is not a number")
        return rated_label(settings["labels"], rating)

    for row in rows:
        yield Example(f"{stem}:{row.line}", row.text, label(row), file)


def unlabelled_rows(
    rows: Iterable[Row],
    stem: str,
    changes: Counter[str],
    file: TextFile | None = None,
) -> Iterator[Example]:
    """Give each row its id, and no label."""
    for row in rows:
        yield Example(f"{stem}:{row.line}", row.text, None, file)
