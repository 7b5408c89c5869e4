"""Read the rows of a sheet, as spreadsheet programs save it (.xlsx, .ods)."""

import datetime
import io
from collections.abc import Iterator
from typing import IO, Any

from seedwise.errors import UserError, one_line


def _open(data: bytes, name: str) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook  # for sheets alone

    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except (CalamineError, OSError) as error:
        raise UserError(
            f"{name}: not a sheet that can be read ({error}); with a password, or damaged, save it "
            "again as .xlsx without one"
        ) from None


def sheet_names(data: bytes, name: str) -> list[str]:
    """Return the names of the sheets in a file, which is called ``name`` in messages."""
    return list(_open(data, name).sheet_names)


def spreadsheet_rows(
    stream: IO[bytes], name: str, sheet: str | None
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield the rows under the first one, which names the columns; empty ones are left out.

    Numbers without a fraction come as whole numbers, which a sheet does not tell apart, dates as
    ISO 8601 writes them, and a formula as the value that it had when the file was saved.

    Args:
        stream: The file.
        name: Its name, for messages.
        sheet: The sheet's name; the first one if not given.

    Raises:
        UserError: It is no such file, has no such sheet, or columns have no names of their own.
    """
    book = _open(stream.read(), name)
    sheets = book.sheet_names
    if sheet is not None and sheet not in sheets:
        raise UserError(f"{name}: no sheet {sheet!r}; it has {', '.join(map(one_line, sheets))}")
    columns: list[str] = []
    rows = book.get_sheet_by_name(sheet or sheets[0]).to_python(skip_empty_area=False)
    for number, row in enumerate(rows, start=1):
        values = [_plain(value) for value in row]
        while values and values[-1] == "":
            values.pop()
        where = f"{name}, row {number}"
        if not values:
            continue
        if not columns:
            columns = [str(value) for value in values]
            if "" in columns or len(set(columns)) < len(columns):
                raise UserError(
                    f"{where}: the first row must name each column once; it has "
                    + ", ".join(map(repr, columns))
                )
            continue
        if len(values) > len(columns):
            raise UserError(f"{where}: more values than the first row has names of columns")
        values += [""] * (len(columns) - len(values))
        yield number, where, dict(zip(columns, values, strict=True))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return str(value)
    return value
