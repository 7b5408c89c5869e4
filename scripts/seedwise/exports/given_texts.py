"""Texts to answer: lines, pairs with a tab between them, tables with all their columns."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from seedwise.data.texts import BETWEEN, clean, record_of
from seedwise.errors import UserError


@dataclass(frozen=True)
class Given:
    """A text, or a pair (`seedwise.data.texts`), and the record that it came in."""

    text: str
    record: dict[str, Any]

    @classmethod
    def line(cls, text: str) -> "Given":
        """Return a text that came alone."""
        return cls(text, record_of(text))


def read_lines(stream: IO[bytes], counts: Counter[str]) -> Iterator[str]:
    """Yield the lines of a stream; only a line feed, with or without carriage return, ends one.

    Bytes that are not UTF-8 are read as U+FFFD; ``counts`` says in how many lines.
    """
    for number, line in enumerate(stream):
        line = line.removesuffix(b"\n").removesuffix(b"\r")
        if number == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError:
            counts["with bytes that are not UTF-8, read as U+FFFD"] += 1
            yield line.decode("utf-8", errors="replace")


def given_lines(lines: Iterable[str], pairs: bool, counts: Counter[str]) -> Iterator[Given]:
    """Yield what lines hold: a text each, or a pair with a tab between its texts.

    Raises:
        UserError: There is no tab between two texts, or more than one.
    """
    for number, line in enumerate(lines, start=1):
        text = clean(line, counts)
        if pairs:
            if (found := text.count("\t")) != 1:
                raise UserError(
                    f"text {number}: {found} tabs, but the model reads pairs of texts, with one "
                    "tab between the two; of a table, name two columns, each with --column"
                )
            text = text.replace("\t", BETWEEN)
        yield Given.line(text)


def given_table(
    stream: IO[bytes], name: str, columns: list[str], counts: Counter[str]
) -> Iterator[Given]:
    """Yield the texts, or pairs, in ``columns`` of a table, read as the workflow reads them."""
    from seedwise.data.readers import cells
    from seedwise.data.tables import read_records

    for line, where, record in read_records(stream, name, {}, counts, columns):
        yield Given(cells(record, columns, name, line, where, counts), record)
