"""Read the records of delimited text, JSON, JSON lines, Parquet and Arrow, losing none.

Only line feeds (with or without a carriage return) separate lines: U+2028, NEL or a form feed
inside a text stay there.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from seedwise.errors import UserError, one_line

Changes = Counter[str]
# Its first line, or its number where the format has no lines, from 1; what messages call it; and
# its values by column.
Record = tuple[int, str, dict[str, Any]]

DIALECTS = {f".{name}": name for name in ("csv", "tsv", "jsonl", "json", "parquet", "arrow")}
DIALECTS[".txt"] = "tsv"
SEPARATORS = {"csv": ",", "tsv": "\t"}
# Half a surrogate pair, which JSON can say, is no character.
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def decode(data: bytes, name: str, changes: Changes) -> str:
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


def split_lines(text: str, changes: Changes) -> list[str]:
    """Return the lines of a file without their ends; the last one needs no end."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    ends = sum(line.endswith("\r") for line in lines)
    if ends:
        changes["CRLF line ends read as LF"] += ends
        lines = [line.removesuffix("\r") for line in lines]
    return lines


def missing_column(where: str, column: str, columns: Iterable[Any]) -> UserError:
    """Return the error that says which columns there are."""
    there = ", ".join(map(one_line, columns)) or "none"
    return UserError(f"{where}: no column {column!r}; it has {there}")


def as_text(value: Any) -> str | None:
    """Return a value as text, numbers and truth values as JSON writes them; None if it is none."""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return value if isinstance(value, str) and not _HALF_PAIR.search(value) else None


def delimited_rows(
    text: str, name: str, separator: str, quoted: bool, changes: Changes
) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line and the values of each row; an empty line is one empty value.

    Args:
        text: The file.
        name: Its name, for messages.
        separator: What stands between values.
        quoted: Whether values may stand in double quotes (RFC 4180), or quotes are characters
            like any other.
        changes: Counts of what was changed; added to.

    Raises:
        UserError: The quotes are wrong.
    """
    if not quoted:
        for line, values in enumerate(split_lines(text, changes), start=1):
            yield line, values.split(separator)
        return
    csv.field_size_limit(1 << 30)
    # A bare carriage return outside quotes is refused; with newline="" it would end a row.
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator, strict=True)
    begun = 0
    try:
        for values in reader:
            yield begun + 1, values or [""]
            begun = reader.line_num
    except csv.Error as error:
        raise UserError(f"{name}, line {begun + 1}: not valid CSV ({error})") from None


def _delimited(
    text: str, name: str, dialect: str, settings: Mapping[str, Any], changes: Changes
) -> Iterator[Record]:
    quoted = settings.get("quoted", dialect == "csv")
    columns: list[str] | None = settings.get("columns")
    for line, values in delimited_rows(text, name, SEPARATORS[dialect], quoted, changes):
        # An empty line is a value only where lines have one.
        if values == [""] and (columns is None or len(columns) > 1):
            changes["blank lines skipped"] += 1
        elif columns is None:
            columns = values
            if len(set(columns)) < len(columns):
                raise UserError(f"{name}, line {line}: a column name stands there twice")
        elif len(values) != len(columns):
            raise UserError(
                f"{name}, line {line}: {len(values)} columns instead of {len(columns)} "
                f"({', '.join(map(one_line, columns))})"
            )
        else:
            yield line, f"{name}, line {line}", dict(zip(columns, values, strict=True))
    if columns is None:
        raise UserError(f"{name}: empty; it needs a header line, or `columns`")


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
    if isinstance(records, dict):
        lists = [value for value in records.values() if isinstance(value, list)]
        records = lists[0] if len(lists) == 1 else None
    if not isinstance(records, list):
        raise UserError(f"{name}: not a JSON list of records, nor an object with one such list")
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


def read_records(
    data: bytes,
    name: str,
    settings: Mapping[str, Any],
    changes: Changes,
    needed: Collection[str] = (),
) -> Iterator[Record]:
    """Yield the records of one file.

    Args:
        data: Its content.
        name: Its name, for messages and, by its ending, its dialect.
        settings: `dialect`, `quoted` and `columns`, where the file does not say them itself.
        changes: Counts of what was changed; added to.
        needed: Columns that must be there.

    Raises:
        UserError: The content does not fit the settings; the message says file and line.
    """
    ending = PurePosixPath(name).suffix.lower()
    dialect = settings.get("dialect") or DIALECTS.get(ending)
    if dialect is None:
        raise UserError(
            f"{name}: give its `dialect` ({', '.join(sorted(set(DIALECTS.values())))}); "
            f"the ending {ending!r} does not say it"
        )
    if dialect in ("parquet", "arrow"):
        records = _columnar(data, name, dialect)
    else:
        text = decode(data, name, changes)
        match dialect:
            case "json":
                records = _json_list(text, name)
            case "jsonl":
                records = _json_lines(text, name, changes)
            case _:
                records = _delimited(text, name, dialect, settings, changes)
    for number, where, record in records:
        if not isinstance(record, dict):
            raise UserError(f"{where}: not a record with named values")
        for column in needed:
            if column not in record:
                # The columns of delimited text stand once, in its header.
                raise missing_column(name if dialect in SEPARATORS else where, column, record)
        yield number, where, record
