"""Answers as people read them, or another program."""

import csv
import json
from typing import IO, Any

from seedwise.data.texts import BETWEEN
from seedwise.errors import UserError
from seedwise.exports.given_texts import Given
from seedwise.predictions import PROBABILITY

WITHHELD = "?"
"""In place of a label, in text, where the model is less sure than it has to be."""


class Writer:
    """Writes a line for every text: ``text``, ``csv`` or ``jsonl``; of a model of scores, these.

    ``csv`` and ``jsonl`` keep the fields of the record that a text came in.

    Args:
        form: One of the three.
        labels: The labels, in class order; of a model of scores one alone.
        stream: To write to.
        least: The probability that a label must have to be written.
    """

    def __init__(self, form: str, labels: list[str], stream: IO[str], least: float = 0) -> None:
        self.form, self.labels, self.stream, self.least = form, labels, stream, least
        self.withheld = 0
        self.left_out = 0
        """Values that the first record had no column for."""
        self._table = csv.writer(stream, lineterminator="\n")
        self._columns: list[str] | None = None

    def write(self, given: Given, probabilities: list[float] | None) -> None:
        """Write a text's label and probabilities; None of them if there was nothing to classify."""
        if len(self.labels) == 1:
            score = probabilities[0] if probabilities else None
            number = "" if score is None else f"{score:.6g}"
            self._write(given, {"prediction": number}, {"prediction": score}, score, None)
            return
        label, most = None, max(probabilities) if probabilities else None
        if probabilities and most is not None and most >= self.least:
            label = self.labels[probabilities.index(most)]
        elif probabilities:
            self.withheld += 1
        shares = [f"{share:.6g}" for share in probabilities or []] or [""] * len(self.labels)
        named = dict(zip(self.labels, probabilities, strict=True)) if probabilities else None
        columns = {"prediction": label or ""} | {
            PROBABILITY + name: share for name, share in zip(self.labels, shares, strict=True)
        }
        self._write(given, columns, {"prediction": label, "probabilities": named}, most, label)

    def _write(
        self,
        given: Given,
        columns: dict[str, str],
        fields: dict[str, Any],
        number: float | None,
        label: str | None,
    ) -> None:
        if self.form == "csv":
            self._write_row(given.record, columns)
        elif self.form == "jsonl":
            self._check(given.record, fields)
            record = given.record | fields
            self.stream.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")
        elif number is None:
            self.stream.write("\n")
        else:
            text = " ".join(given.text.replace(BETWEEN, "\t").splitlines())
            first = f"{label or WITHHELD}\t" if len(self.labels) > 1 else ""
            self.stream.write(f"{first}{number:.3f}\t{text}\n")

    def _write_row(self, record: dict[str, Any], columns: dict[str, str]) -> None:
        if self._columns is None:
            self._check(record, columns)
            self._columns = list(record)
            self._table.writerow([*map(_flat, self._columns), *columns])
        self.left_out += sum(name not in self._columns for name in record)
        self._table.writerow(
            [*(_flat(record.get(name)) for name in self._columns), *columns.values()]
        )

    def _check(self, record: dict[str, Any], answer: dict[str, Any]) -> None:
        for name in answer:
            if name in record:
                raise UserError(f"the table has a column {name!r} already; rename it there")


def _flat(value: Any) -> str:
    """Return a value on one line: on several it would break the count of lines."""
    return "" if value is None else str(value).replace("\r", " ").replace("\n", " ")
