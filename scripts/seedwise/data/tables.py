"""Read the records of delimited text, JSON, JSON lines, Parquet, Arrow and sheets, losing none.

Only line feeds (with or without a carriage return) separate lines: U+2028, NEL or a form feed
inside a text stay there.
"""

import csv
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import IO, Any

from seedwise.data.compression import inner_name
from seedwise.data.spreadsheets import spreadsheet_rows
from seedwise.errors import UserError, one_line

Changes = Counter[str]
# Its first line, or its number where the format has no lines, from 1; what messages call it; and
# its values by column.
Record = tuple[int, str, dict[str, Any]]

_NAMES = ("csv", "tsv", "jsonl", "json", "parquet", "arrow", "xlsx", "ods")
DIALECTS = {f".{name}": name for name in _NAMES}
DIALECTS[".txt"] = "tsv"
_COLUMNAR = ("parquet", "arrow")
_BATCH_ROWS = 1000
UTF_8 = "utf-8"
SEPARATORS = {"csv": ",", "tsv": "\t"}
# Half a surrogate pair, which JSON can say, is no character.
_HALF_PAIR = re.compile("[\ud800-\udfff]")


LONGEST = 100_000_000
"""Characters of a text; what is longer is no text, but a damaged file, and fills the memory."""


def lines_of(
    stream: IO[bytes], name: str, changes: Changes, encoding: str = UTF_8
) -> Iterator[str]:
    """Yield the lines of a file with their ends, without its byte-order mark.

    Args:
        stream: The file; never in memory as a whole.
        name: Its name, for messages.
        changes: Counts of what was changed; added to.
        encoding: How its characters are written, as Python names it.

    Raises:
        UserError: It is written otherwise; the message says file, line and byte.
    """
    # In UTF-16 and UTF-32 other characters have a line feed's byte, too.
    wide = "\n".encode(encoding) != b"\n"
    lines = iter(io.TextIOWrapper(stream, encoding, newline="\n") if wide else stream)
    begun = 0
    for number in itertools.count(1):
        line: bytes | str = b""
        try:
            line = next(lines, b"")
            text = line if isinstance(line, str) else line.decode(encoding)
        except UnicodeError as error:
            where = ""
            if isinstance(error, UnicodeDecodeError) and isinstance(line, bytes) and line:
                where = f": byte {begun + error.start} (0x{line[error.start]:02x})"
            hint = "; if it is in another one, say which (`encoding: cp1252`)"
            called = "UTF-8" if encoding == UTF_8 else encoding
            raise UserError(f"{name}, line {number}{where} is not {called}{hint}") from None
        if not line:
            return
        begun += len(line)
        if number == 1 and text.startswith("\ufeff"):
            changes["byte-order marks removed"] += 1
            text = text[1:]
        if text:
            yield text


def without_ends(lines: Iterable[str], changes: Changes) -> Iterator[str]:
    """Yield lines without their ends; the last one needs no end."""
    for line in lines:
        line = line.removesuffix("\n")
        if line.endswith("\r"):
            changes["CRLF line ends read as LF"] += 1
            line = line.removesuffix("\r")
        yield line


def decode(data: bytes, name: str, changes: Changes, encoding: str = UTF_8) -> str:
    """Return a whole file as `lines_of` reads it."""
    return "".join(lines_of(io.BytesIO(data), name, changes, encoding))


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
    lines: Iterable[str], name: str, separator: str, quoted: bool, changes: Changes
) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line and the values of each row; an empty line is one empty value.

    Args:
        lines: Those of the file, with their ends.
        name: Its name, for messages.
        separator: What stands between values.
        quoted: Whether values may stand in double quotes (RFC 4180), or quotes are characters
            like any other.
        changes: Counts of what was changed; added to.

    Raises:
        UserError: The quotes are wrong.
    """
    if not quoted:
        for line, values in enumerate(without_ends(lines, changes), start=1):
            yield line, values.split(separator)
        return
    csv.field_size_limit(LONGEST)
    # Of lines that end with line feeds alone: a bare carriage return outside quotes is refused.
    reader = csv.reader(lines, delimiter=separator, strict=True)
    begun = 0
    try:
        for values in reader:
            yield begun + 1, values or [""]
            begun = reader.line_num
    except csv.Error as error:
        said = str(error)
        if "new-line" in said:
            said = "a line ends with a carriage return alone"
        elif "field limit" in said:
            said = f"a value of more than {LONGEST:,} characters"
        raise UserError(f"{name}, line {begun + 1}: not valid CSV ({said})") from None


def _delimited(
    lines: Iterable[str],
    name: str,
    dialect: str,
    settings: Mapping[str, Any],
    changes: Changes,
) -> Iterator[Record]:
    quoted = settings.get("quoted", dialect == "csv")
    columns: list[str] | None = settings.get("columns")
    separator = settings.get("delimiter", SEPARATORS[dialect])
    for line, values in delimited_rows(lines, name, separator, quoted, changes):
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


def _json_lines(
    lines: Iterable[str], name: str, changes: Changes
) -> Iterator[tuple[int, str, Any]]:
    for number, line in enumerate(without_ends(lines, changes), start=1):
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


def _columnar(stream: IO[bytes], name: str, dialect: str) -> Iterator[tuple[int, str, Any]]:
    """Yield the rows of a Parquet file, or of an Arrow stream, as `save_to_disk` writes it."""
    try:
        import pyarrow
        from pyarrow import ipc, parquet
    except ImportError:
        raise UserError(f"{name}: reading {dialect} needs pyarrow; `pip install pyarrow`") from None
    count = itertools.count(1)
    try:
        if dialect == "parquet":
            batches = parquet.ParquetFile(stream).iter_batches(_BATCH_ROWS)
        else:
            batches = iter(ipc.open_stream(stream))
        for batch in batches:
            for record in batch.to_pylist():
                number = next(count)
                yield number, f"{name}, row {number}", record
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{name}: not a readable {dialect} file ({error})") from None


def dialect_of(name: str) -> str | None:
    """Return the dialect that a file's ending speaks of, compressed or not; None without."""
    return DIALECTS.get(PurePosixPath(inner_name(name)).suffix.lower())


def class_names(stream: IO[bytes], name: str, column: str) -> list[str]:
    """Return the names of the classes that a column of a Parquet or Arrow file has by number.

    The library `datasets` writes them into the file (its `ClassLabel`); other files have none.
    """
    if (dialect := dialect_of(name)) not in _COLUMNAR:
        return []
    from pyarrow import ipc, parquet

    arrow = dialect == "arrow"
    schema = ipc.open_stream(stream).schema if arrow else parquet.read_schema(stream)
    described = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    feature = described.get("info", {}).get("features", {}).get(column, {})
    return list(map(str, feature.get("names", [])))


def read_records(
    data: bytes | IO[bytes],
    name: str,
    settings: Mapping[str, Any],
    changes: Changes,
    needed: Collection[str] = (),
) -> Iterator[Record]:
    """Yield the records of one file.

    Args:
        data: Its content, or a stream of it, of which no more is in memory than its dialect needs:
            a row, a batch of rows (Parquet, Arrow), or all (JSON, sheets).
        name: Its name, for messages and, by its ending, its dialect.
        settings: `dialect`, `delimiter`, `encoding`, `quoted`, `columns` and `sheet`, where the
            file does not say them itself.
        changes: Counts of what was changed; added to.
        needed: Columns that must be there.

    Raises:
        UserError: The content does not fit the settings; the message says file and line.
    """
    dialect = settings.get("dialect") or dialect_of(name)
    if dialect is None:
        ending = PurePosixPath(name).suffix.lower()
        raise UserError(
            f"{name}: give its `dialect` ({', '.join(sorted(set(DIALECTS.values())))}); "
            f"the ending {ending!r} does not say it"
        )
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    encoding = settings.get("encoding", UTF_8)
    match dialect:
        case "xlsx" | "ods":
            records = spreadsheet_rows(stream, name, settings.get("sheet"))
        case "parquet" | "arrow":
            records = _columnar(stream, name, dialect)
        case "json":
            records = _json_list("".join(lines_of(stream, name, changes, encoding)), name)
        case "jsonl":
            records = _json_lines(lines_of(stream, name, changes, encoding), name, changes)
        case _:
            lines = lines_of(stream, name, changes, encoding)
            records = _delimited(lines, name, dialect, settings, changes)
    for number, where, record in records:
        if not isinstance(record, dict):
            raise UserError(f"{where}: not a record with named values")
        for column in needed:
            if column not in record:
                # The columns of delimited text stand once, in its header.
                raise missing_column(name if dialect in SEPARATORS else where, column, record)
        yield number, where, record
