"""Read texts and labels from the files people keep them in, row by row, losing none.

A file is read as a stream, so that large ones need little memory.
"""

import html
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from seedwise.data.tables import (
    LONGEST,
    UTF_8,
    Changes,
    as_text,
    lines_of,
    missing_column,
    read_records,
    without_ends,
)
from seedwise.data.texts import BETWEEN, clean
from seedwise.errors import UserError

Settings = dict[str, Any]

_ITEM = re.compile(r"<item\b[^>]*>(.*?)</item>", re.DOTALL)
_FIELD = re.compile(r"<(\w+)>(.*?)</\1>", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One record of a file.

    Attributes:
        line: Its first line, or its number where the format has no lines; from 1.
        text: The text, or the pair (`seedwise.data.texts`).
        value: What says its label (a label or a rating), as written; None if not asked for.
    """

    line: int
    text: str
    value: str | None = None


def _row(name: str, line: int, text: str, value: str | None = None) -> Row:
    """Return a row of the file ``name``, if its text can be one."""
    if len(text) > LONGEST:
        raise UserError(
            f"{name}, line {line}: a text of {len(text):,} characters; at most {LONGEST:,} are read"
        )
    return Row(line, text, value)


def _cell(record: dict[str, Any], column: str, where: str) -> str:
    value = record[column]
    text = as_text(value)
    if text is None and isinstance(value, str):
        raise UserError(f"{where}: {column!r} holds half a surrogate pair, which is no character")
    if text is None:
        raise UserError(f"{where}: {column!r} is neither text nor a number but {value!r}")
    return text


def cells(
    record: dict[str, Any],
    columns: Sequence[str],
    name: str,
    line: int,
    where: str,
    changes: Changes,
) -> str:
    """Return the text, or the pair, in ``columns`` of a record, as it stands in a `Row`.

    Args:
        record: From `seedwise.data.tables.read_records`.
        columns: One column, or two.
        name: The file's name.
        line: The record's number there.
        where: Both, for messages.
        changes: Counts of what was changed; added to.

    Raises:
        UserError: A value is no text, or too long.
    """
    texts = [clean(_cell(record, column, where), changes) for column in columns]
    return _row(name, line, BETWEEN.join(texts)).text


def _webis_cls(
    text: str, name: str, text_column: str, value_column: str | None, changes: Changes
) -> Iterator[Row]:
    """Yield the items of a Webis-CLS-10 file (XML-like, Prettenhofer & Stein 2010)."""
    found = line = position = 0
    for item in _ITEM.finditer(text):
        found += 1
        line += text.count("\n", position, item.start())
        position = item.start()
        record: dict[str, str] = {}
        for tag, value in _FIELD.findall(item.group(1)):
            record.setdefault(tag, html.unescape(value))
        if value_column and value_column not in record:
            raise missing_column(f"{name}, line {line + 1}", value_column, record)
        value = record[value_column] if value_column else None
        # An item without a text has an empty one.
        yield _row(name, line + 1, clean(record.get(text_column, ""), changes), value)
    begun = len(re.findall(r"<item\b", text))
    if not found or found < begun:
        raise UserError(
            f"{name}: {begun} <item>s begin and {found} end; damaged, or not a Webis-CLS-10 file"
        )


def read_pair(
    texts: tuple[str, IO[bytes]],
    labels: tuple[str, IO[bytes]],
    changes: Changes,
    encoding: str = UTF_8,
) -> Iterator[Row]:
    """Yield the rows of a file of texts and a file of their labels, one a line.

    Args:
        texts: Name of the file of texts, and a stream of it.
        labels: The same of the file of labels.
        changes: Counts of what was changed; added to.
        encoding: How their characters are written.

    Raises:
        UserError: They are written otherwise or differ in length.
    """
    left, right = (
        without_ends(lines_of(stream, name, changes, encoding), changes)
        for name, stream in (texts, labels)
    )
    counts = [0, 0]
    for line, pair in enumerate(itertools.zip_longest(left, right), start=1):
        counts = [count + (value is not None) for count, value in zip(counts, pair, strict=True)]
        if counts == [line, line]:
            text, label = pair
            yield _row(texts[0], line, clean(text, changes), label)
    if counts[0] != counts[1]:
        raise UserError(
            f"{texts[0]} has {counts[0]:,} texts, but {labels[0]} has {counts[1]:,} labels; "
            "there must be one label a text"
        )


def read_rows(
    stream: IO[bytes], name: str, settings: Settings, value_column: str | None, changes: Changes
) -> Iterator[Row]:
    """Yield the rows of one file.

    Args:
        stream: Its content.
        name: Its name, for messages and, by its ending, its dialect.
        settings: The data set's, or those of its unlabelled files: `format`, `dialect`,
            `delimiter`, `encoding`, `quoted`, `columns`, `sheet`, `text`.
        value_column: The column that says the label; None for unlabelled text.
        changes: Counts of what was changed; added to.

    Raises:
        UserError: The content does not fit the settings; the message says file and line.
    """
    column, encoding = settings.get("text", "text"), settings.get("encoding", UTF_8)
    match settings["format"]:
        case "table":
            columns = [column] if isinstance(column, str) else column
            needed = [*columns, value_column] if value_column else columns
            for line, where, record in read_records(stream, name, settings, changes, needed):
                text = cells(record, columns, name, line, where, changes)
                value = _cell(record, value_column, where) if value_column else None
                yield Row(line, text, value)
        case "webis-cls":
            text = "".join(lines_of(stream, name, changes, encoding))
            yield from _webis_cls(text, name, column, value_column, changes)
        case _:
            lines = without_ends(lines_of(stream, name, changes, encoding), changes)
            for line, text in enumerate(lines, start=1):
                yield _row(name, line, clean(text, changes))
