"""From the rows of a file to labelled texts."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from seedwise.data.readers import Row
from seedwise.data.texts import TextFile, key_of
from seedwise.errors import UserError
from seedwise.study.labels import SCORE, are_rated, has_scores, label_values, rated_label

_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")


class Example:
    """A text with its name and its label, or score; None where it has none.

    Attributes:
        id: Its name.
        label: Its label, or its score.
        key: The same for all texts that count as the same (`seedwise.data.texts.key_of`).
    """

    __slots__ = ("_file", "_text", "id", "key", "label")

    def __init__(
        self, id: str, text: str, label: str | float | None, file: TextFile | None = None
    ) -> None:
        """Make one; its text stands in ``file``, or in memory."""
        self.id, self.label, self.key = id, label, key_of(text)
        self._file = file
        self._text: str | int = file.append(text) if file else text

    @property
    def stratum(self) -> str | None:
        """The label by which splits are drawn; all scores are one."""
        return SCORE if isinstance(self.label, float) else self.label

    @property
    def text(self) -> str:
        """The text."""
        if isinstance(self._text, str):
            return self._text
        assert self._file is not None
        return self._file.read(self._text)


def _number(value: str, where: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    comma = "; its decimal comma is to be a point" if _DECIMAL_COMMA.fullmatch(value) else ""
    raise UserError(f"{where} {value!r} is not a number{comma}")


def label_rows(
    rows: Iterable[Row],
    name: str,
    stem: str,
    settings: dict[str, Any],
    changes: Counter[str],
    file: TextFile | None = None,
) -> Iterator[Example]:
    """Give each row its label, or its score.

    Args:
        rows: What was read.
        name: The file, for messages.
        stem: The first part of the texts' ids; the second is the line.
        settings: The data set's; `labels` lists the labels, or gives each the value that stands
            for it, or a range of ratings; `range` has the lowest and the highest score.
        changes: Counts of what was changed; added to.
        file: Where texts are to stand; None for memory.

    Raises:
        UserError: A label is not among those configured, a rating or score is no number, or a
            score is out of range.
    """
    scored, rated = has_scores(settings), are_rated(settings)
    names = {} if scored or rated else label_values(settings)

    def label(row: Row) -> str | float | None:
        assert row.value is not None
        if scored:
            score = _number(row.value, f"{name}, line {row.line}: score")
            low, high = settings["range"]
            if not low <= score <= high:
                raise UserError(
                    f"{name}, line {row.line}: score {row.value} is outside of `range`, "
                    f"{low:g} to {high:g}"
                )
            return score
        if rated:
            rating = _number(row.value, f"{name}, line {row.line}: rating")
            return rated_label(settings["labels"], rating)
        if row.value not in names:
            raise UserError(
                f"{name}, line {row.line}: label {row.value!r} is not one of {', '.join(names)}"
            )
        return names[row.value]

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
