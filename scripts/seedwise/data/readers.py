"""Read texts and labels from the files people keep them in, row by row, losing none."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from seedwise.data.tables import Changes, as_text, decode, missing_column, read_records, split_lines
from seedwise.errors import UserError

Settings = dict[str, Any]

_ITEM = re.compile(r"<item\b[^>]*>(.*?)</item>", re.DOTALL)
_FIELD = re.compile(r"<(\w+)>(.*?)</\1>", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One record of a file.

    Attributes:
        line: Its first line, or its number where the format has no lines; from 1.
        text: The text.
        value: What says its label (a label or a rating), as written; None if not asked for.
    """

    line: int
    text: str
    value: str | None = None


def _cell(record: dict[str, Any], column: str, where: str) -> str:
    value = record[column]
    text = as_text(value)
    if text is None and isinstance(value, str):
        raise UserError(f"{where}: {column!r} holds half a surrogate pair, which is no character")
    if text is None:
        raise UserError(f"{where}: {column!r} is neither text nor a number but {value!r}")
    return text


def _webis_cls(text: str, name: str, text_column: str, value_column: str | None) -> Iterator[Row]:
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
        yield Row(line + 1, record.get(text_column, ""), value)
    begun = len(re.findall(r"<item\b", text))
    if not found or found < begun:
        raise UserError(
            f"{name}: {begun} <item>s begin and {found} end; damaged, or not a Webis-CLS-10 file"
        )


def read_pair(texts: tuple[str, bytes], labels: tuple[str, bytes], changes: Changes) -> list[Row]:
    """Read a file of texts and a file of their labels, one a line.

    Args:
        texts: Name and content of the file of texts.
        labels: Name and content of the file of labels.
        changes: Counts of what was changed; added to.

    Raises:
        UserError: They are not UTF-8 or differ in length.
    """
    (text_name, _), (label_name, _) = texts, labels
    left, right = (
        split_lines(decode(data, name, changes), changes) for name, data in (texts, labels)
    )
    if len(left) != len(right):
        raise UserError(
            f"{text_name} has {len(left):,} texts, but {label_name} has {len(right):,} labels; "
            "there must be one label a text"
        )
    return [Row(line, *pair) for line, pair in enumerate(zip(left, right, strict=True), start=1)]


def read_rows(
    data: bytes, name: str, settings: Settings, value_column: str | None, changes: Changes
) -> list[Row]:
    """Read one file.

    Args:
        data: Its content.
        name: Its name, for messages and, by its ending, its dialect.
        settings: The data set's, or those of its unlabelled files: `format`, `dialect`,
            `quoted`, `columns`, `text`.
        value_column: The column that says the label; None for unlabelled text.
        changes: Counts of what was changed; added to.

    Raises:
        UserError: The content does not fit the settings; the message says file and line.
    """
    column = settings.get("text", "text")
    match settings["format"]:
        case "table":
            needed = [column, value_column] if value_column else [column]
            return [
                Row(line, *(_cell(record, one, where) for one in needed))
                for line, where, record in read_records(data, name, settings, changes, needed)
            ]
        case "webis-cls":
            return list(_webis_cls(decode(data, name, changes), name, column, value_column))
        case _:
            lines = split_lines(decode(data, name, changes), changes)
            return [Row(line, text) for line, text in enumerate(lines, start=1)]
