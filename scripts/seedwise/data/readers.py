"""Read texts and labels from the files people keep them in, row by row, losing none.

Only line feeds (with or without a carriage return) separate lines: U+2028, NEL or a form feed
inside a text stay there.
"""

import csv
import html
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from seedwise.errors import UserError, one_line

Settings = dict[str, Any]
Changes = Counter[str]
# The column of the text and the column that says the label.
Wanted = tuple[str, str | None]

_DIALECTS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".jsonl": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
}
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
    value: str | None


def decode(data: bytes, name: str, changes: Counter[str]) -> str:
    """Return ``data`` as text without its byte-order mark.

    Args:
        data: What should be UTF-8.
        name: The file, for messages.
        changes: Counts of what was changed; added to.

    Raises:
        UserError: It is not UTF-8; the message says file, line and byte.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{name}, line {line}: byte {error.start} (0x{data[error.start]:02x}) is not UTF-8"
        ) from None
    if text.startswith("\ufeff"):
        changes["byte-order marks removed"] += 1
        text = text[1:]
    return text


def split_lines(text: str, changes: Counter[str]) -> list[str]:
    """Return the lines of a file without their ends; the last one needs no end."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    ends = sum(line.endswith("\r") for line in lines)
    if ends:
        changes["CRLF line ends read as LF"] += ends
        lines = [line.removesuffix("\r") for line in lines]
    return lines


def _missing_column(name: str, column: str, columns: Iterable[str]) -> UserError:
    there = ", ".join(map(one_line, columns)) or "none"
    return UserError(f"{name}: no column {column!r}; it has {there}")


def _quoted_rows(text: str, separator: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, values) of a file whose values may stand in double quotes (RFC 4180)."""
    csv.field_size_limit(1 << 30)
    # A bare carriage return outside quotes is refused; with newline="" it would end a row.
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator, strict=True)
    begun = 0
    try:
        for values in reader:
            yield begun + 1, values
            begun = reader.line_num
    except csv.Error as error:
        raise UserError(f"{name}, line {begun + 1}: not valid CSV ({error})") from None


def _plain_rows(lines: list[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, values) of a file in which a quote is a character like any other."""
    return ((line, values.split(separator)) for line, values in enumerate(lines, start=1))


def _delimited(
    text: str, name: str, dialect: str, settings: Settings, wanted: Wanted, changes: Changes
) -> Iterator[Row]:
    separator = "," if dialect == "csv" else "\t"
    if settings.get("quoted", dialect == "csv"):
        rows = _quoted_rows(text, separator, name)
    else:
        rows = _plain_rows(split_lines(text, changes), separator)
    columns: list[str] | None = settings.get("columns")
    for line, values in rows:
        # An empty line is a value only where lines have one.
        if values in ([], [""]) and (columns is None or len(columns) > 1):
            changes["blank lines skipped"] += 1
            continue
        if columns is None:
            columns = values
            if len(set(columns)) < len(columns):
                raise UserError(f"{name}, line {line}: a column name stands there twice")
            continue
        if len(values or [""]) != len(columns):
            raise UserError(
                f"{name}, line {line}: {len(values)} columns instead of {len(columns)} "
                f"({', '.join(map(one_line, columns))})"
            )
        record = dict(zip(columns, values or [""], strict=True))
        for column in filter(None, wanted):
            if column not in record:
                raise _missing_column(name, column, columns)
        text_column, value_column = wanted
        yield Row(line, record[text_column], record[value_column] if value_column else None)
    if columns is None:
        raise UserError(f"{name}: empty; it needs a header line, or `columns`")


def _scalar(record: dict[str, Any], column: str, where: str) -> str:
    """Return one value of a JSON or Parquet record, a number or truth value as JSON writes it."""
    if column not in record:
        raise _missing_column(where, column, map(str, record))
    value = record[column]
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if not isinstance(value, str):
        raise UserError(f"{where}: {column!r} is neither text nor a number but {value!r}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UserError(f"{where}: {column!r} holds half a surrogate pair, which is no character")
    return value


def _parse_json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not valid JSON ({error})") from None


def _json_lines(text: str, name: str, changes: Changes) -> Iterator[tuple[int, str, Any]]:
    for number, line in enumerate(split_lines(text, changes), start=1):
        if line.strip():
            yield number, f"{name}, line {number}", _parse_json(line, f"{name}, line {number}")
        else:
            changes["blank lines skipped"] += 1


def _json_list(text: str, name: str) -> Iterator[tuple[int, str, Any]]:
    records = _parse_json(text, name)
    if not isinstance(records, list):
        raise UserError(f"{name}: not a JSON list of records")
    return ((n, f"{name}, record {n}", record) for n, record in enumerate(records, start=1))


def _columnar(data: bytes, name: str, dialect: str) -> Iterator[tuple[int, str, Any]]:
    """Yield the rows of a Parquet file, or of an Arrow stream, as `save_to_disk` writes it."""
    try:
        import pyarrow
        from pyarrow import ipc, parquet
    except ImportError:
        raise UserError(f"{name}: reading {dialect} needs pyarrow; `pip install pyarrow`") from None
    try:
        if dialect == "parquet":
            table = parquet.read_table(io.BytesIO(data))
        else:
            table = ipc.open_stream(data).read_all()
    except pyarrow.ArrowException as error:
        raise UserError(f"{name}: not a readable {dialect} file ({error})") from None
    records = table.to_pylist()
    return ((n, f"{name}, row {n}", record) for n, record in enumerate(records, start=1))


def _table(
    data: bytes, name: str, settings: Settings, wanted: Wanted, changes: Changes
) -> Iterator[Row]:
    ending = PurePosixPath(name).suffix.lower()
    dialect = settings.get("dialect") or _DIALECTS.get(ending)
    if dialect is None:
        raise UserError(
            f"{name}: give its `dialect` ({', '.join(sorted(set(_DIALECTS.values())))}); "
            f"the ending {ending!r} does not say it"
        )
    if dialect in ("parquet", "arrow"):
        records = _columnar(data, name, dialect)
    else:
        text = decode(data, name, changes)
        if dialect in ("csv", "tsv"):
            yield from _delimited(text, name, dialect, settings, wanted, changes)
            return
        records = _json_list(text, name) if dialect == "json" else _json_lines(text, name, changes)
    text_column, value_column = wanted
    for number, where, record in records:
        if not isinstance(record, dict):
            raise UserError(f"{where}: not a record with named values")
        value = _scalar(record, value_column, where) if value_column else None
        yield Row(number, _scalar(record, text_column, where), value)


def _webis_cls(text: str, name: str, wanted: Wanted) -> Iterator[Row]:
    """Yield the items of a Webis-CLS-10 file (XML-like, Prettenhofer & Stein 2010)."""
    text_column, value_column = wanted
    found = line = position = 0
    for item in _ITEM.finditer(text):
        found += 1
        line += text.count("\n", position, item.start())
        position = item.start()
        record: dict[str, str] = {}
        for tag, value in _FIELD.findall(item.group(1)):
            record.setdefault(tag, html.unescape(value))
        if value_column and value_column not in record:
            raise _missing_column(f"{name}, line {line + 1}", value_column, record)
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
    wanted = (settings.get("text", "text"), value_column)
    match settings["format"]:
        case "table":
            return list(_table(data, name, settings, wanted, changes))
        case "webis-cls":
            return list(_webis_cls(decode(data, name, changes), name, wanted))
        case _:
            lines = split_lines(decode(data, name, changes), changes)
            return [Row(line, text, None) for line, text in enumerate(lines, start=1)]
