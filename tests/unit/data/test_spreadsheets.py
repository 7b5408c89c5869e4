"""Sheets of .xlsx and .ods: what a study reads of them, and what it refuses."""

import io
from collections import Counter

import pytest

from seedwise.data.readers import read_rows
from seedwise.errors import UserError
from seedwise.proposal.own_data import read_table
from support.sheets import write_ods, write_xlsx

WRITERS = {"xlsx": write_xlsx, "ods": write_ods}
ROWS = [["text", "label"], ["très bien, « bravo »", "pos"], [None, None], ["nul; 3 < 4", "neg"]]


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    return lambda sheets: WRITERS[request.param](tmp_path / f"a.{request.param}", sheets)


def read(path, **settings):
    settings = {"format": "table"} | settings
    with path.open("rb") as stream:
        return list(read_rows(stream, path.name, settings, "label", Counter()))


def test_rows_come_as_they_are_written_and_empty_ones_do_not(write):
    rows = read(write({"one": ROWS}))
    assert [(row.line, row.text, row.value) for row in rows] == [
        (2, "très bien, « bravo »", "pos"),
        (4, "nul; 3 < 4", "neg"),
    ]


def test_whole_numbers_stay_whole(write):
    rows = read(write({"one": [["text", "label"], ["a", 1], ["b", 0], ["c", 2.5]]}))
    assert [row.value for row in rows] == ["1", "0", "2.5"]


def test_a_sheet_by_its_name(write, caplog):
    path = write({"notes": [["text", "label"], ["a", "x"]], "data": ROWS})
    assert [row.text for row in read(path)] == ["a"]
    assert [row.value for row in read(path, sheet="data")] == ["pos", "neg"]
    with pytest.raises(UserError, match="no sheet 'dat'; it has notes, data"):
        read(path, sheet="dat")
    settings = {}
    assert list(read_table(path, settings)["label"]) == ["x"] and settings == {"sheet": "notes"}
    assert "the first of notes, data is read" in caplog.text


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["text", None, "label"], ["a", "b", "c"]], "row 1: the first row must name each column"),
        ([["text", "text"], ["a", "b"]], "row 1: the first row must name each column once"),
        ([["text", "label"], ["a", "b", "c"]], "row 2: more values than the first row"),
        ([["text", "note"], ["a", "b"]], "no column 'label'; it has text, note"),
    ],
)
def test_mistakes_name_the_row(write, rows, message):
    with pytest.raises(UserError, match=message):
        read(write({"one": rows}))


@pytest.mark.parametrize("content", [b"", b"PK", b"\xd0\xcf\x11\xe0" + bytes(600), b"text,label\n"])
def test_what_is_no_sheet(content):
    with pytest.raises(UserError, match="not a sheet that can be read"):
        list(read_rows(io.BytesIO(content), "a.xlsx", {"format": "table"}, "label", Counter()))
