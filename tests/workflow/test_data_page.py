"""Tables as people have them: what `make study` makes of each, as docs/data.md says."""

import csv
import gzip
import io
from pathlib import Path

import pyarrow
import pytest

from seedwise.data.preparation import prepare
from seedwise.errors import UserError
from seedwise.proposal.own_data import describe, locate
from support import ROOT
from support.sheets import write_ods, write_xlsx

PAGE = ROOT / "docs" / "data.md"
TEXTS = [
    f"Un très beau film, numéro {n}; à voir « vite »" if n % 2 else f"Raté, l'été n° {n} : bof"
    for n in range(200)
]
LABELS = ["positif" if n % 2 else "négatif" for n in range(200)]
READ = "read, labels négatif, positif"


def table(separator=",", end="\n", texts=TEXTS, labels=LABELS, head=("texte", "avis")):
    """Return a table as a spreadsheet program writes it."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, lineterminator=end)
    writer.writerows([head, *zip(texts, labels, strict=True)])
    return written.getvalue()


def labels(change):
    """Return the labels, changed by their numbers."""
    return [change(n, label) for n, label in enumerate(LABELS)]


def sheet(name, rows, write=write_xlsx, **others):
    """Return a function that writes a file of sheets."""
    return lambda folder: write(folder / name, {"Feuille 1": rows, **others})


def pairs():
    rows = zip(TEXTS, [f"Le film {n} plaît à tous." for n in range(200)], LABELS, strict=True)
    return "prémisse,hypothèse,avis\n" + "".join(f'"{a}","{b}",{c}\n' for a, b, c in rows)


def huge(folder):
    """Write a file with one line that no text is."""
    with (folder / "a.csv").open("w", encoding="utf-8") as stream:
        stream.write(table())
        stream.writelines("mot " * 1_000_000 for _ in range(125))
        stream.write(",positif\n")


ROWS = [["texte", "avis"], *map(list, zip(TEXTS, LABELS, strict=True))]
MIXED = [line + ("\r\n" if n % 2 else "\n") for n, line in enumerate(table().splitlines())]
SEVERAL = labels(lambda n, _: ["a", "a|c", "b", "b|c"][n % 4])
# What it is, its name, its content, and what is said of it.
CASES = [
    ("Excel in French: `;`, byte-order mark", "a.csv", table(";", "\r\n").encode("utf-8-sig"),
     f"{READ}; ';' between the values"),
    ("an older Windows: cp1252", "a.csv", table(";", "\r\n").encode("cp1252"),
     f"{READ}; as cp1252"),
    ("Excel's \"Unicode text\": UTF-16, tabs", "a.csv", table("\t", "\r\n").encode("utf-16"),
     f"{READ}; as utf-16"),
    ("bars", "a.csv", table("|"), f"{READ}; '|' between the values"),
    ("tabs under another ending", "a.csv", table("\t"), f"{READ}; '\\t' between the values"),
    ("`;` and quotes in a .tsv", "a.tsv", table(";"), f"{READ}; ';' between the values"),
    ("gzip", "a.csv.gz", gzip.compress(table(";").encode()), f"{READ}; ';' between the values"),
    ("Zstandard", "a.csv.zst", pyarrow.compress(table().encode(), "zstd", asbytes=True), READ),
    ("gzip, cut short", "a.csv.gz", gzip.compress(table().encode())[:-99],
     "damaged or cut short"),
    ("an Excel file", "a.xlsx", sheet("a.xlsx", ROWS), READ),
    ("a LibreOffice file of two sheets", "a.ods",
     sheet("a.ods", ROWS, write_ods, notes=[["x"]]), f"{READ}; the first of Feuille 1, notes"),
    ("stars as numbers in a sheet", "a.xlsx",
     sheet("a.xlsx", [["texte", "étoiles"], *[[t, 1 + n % 5] for n, t in enumerate(TEXTS)]]),
     "read, labels 1, 2, 3, 4, 5"),
    ("a title above the columns of a sheet", "a.xlsx", sheet("a.xlsx", [["Avis"], *ROWS]),
     "row 2: more values than the first row has names of columns"),
    ("a sheet with a password, or damaged", "a.xlsx", b"\xd0\xcf\x11\xe0" + bytes(2000),
     "not a sheet that can be read"),
    ("an Excel file of before 2007", "a.xls", b"\xd0\xcf\x11\xe0" + bytes(2000),
     "the ending is none of .csv"),
    ("line ends of two systems", "a.csv", "".join(MIXED), READ),
    ("line ends of an old Mac", "a.csv", table(end="\r"),
     "a line ends with a carriage return alone"),
    ("line breaks inside quotes", "a.csv",
     table(texts=[text.replace(" ", "\n", 1) for text in TEXTS]), READ),
    ("a row with a value too many", "a.csv", table() + "trop,de,valeurs\n",
     "line 202: 3 columns instead of 2"),
    ("a quote that is not closed", "a.csv", table() + '"jamais,positif\n',
     "line 202: not valid CSV (unexpected end of data)"),
    ("text after a closing quote", "a.csv", table() + '"cité" et puis,positif\n',
     "line 202: not valid CSV"),
    ("no names of columns", "a.csv", table().partition("\n")[2], "read, labels négatif, positif"),
    ("a name of a column twice", "a.csv", table(head=("avis", "avis")),
     "a column name stands there twice"),
    ("a column of row numbers", "a.csv",
     "n,texte,avis\n" + "".join(f"{n},{line}\n" for n, line in enumerate(table().splitlines()[1:])),
     READ),
    ("no column of texts", "a.csv", table(texts=range(200)), "holds numbers alone, no texts"),
    ("one column", "a.csv", "texte\n" + "bof\n" * 200, "one column alone"),
    ("decimal commas as labels", "a.csv",
     table(";", labels=labels(lambda n, _: "4,5" if n % 2 else "1,5")), "read, labels 1,5, 4,5"),
    ("dates as labels", "a.csv", table(labels=labels(lambda n, _: f"2026-11-{n % 28 + 1:02}")),
     "no column looks like labels"),
    ("ratings with many values", "a.csv",
     table(labels=labels(lambda n, _: n / 7), head=("texte", "rating")),
     "are ratings for labels, write the study by hand; (--range 0,5)"),
    ("several labels in a cell", "a.csv", table(labels=SEVERAL), "several labels in a cell"),
    ("labels in two spellings", "a.csv",
     table(labels=labels(lambda n, label: label if n % 9 else label.upper())),
     "read, labels NÉGATIF, POSITIF, négatif, positif; differ in case or blanks alone"),
    ("a blank after some labels", "a.csv",
     table(labels=labels(lambda n, label: label + " " * (n % 9 == 0))),
     "differ in case or blanks alone"),
    ("a label that is missing", "a.csv",
     table(labels=labels(lambda n, label: label if n != 9 else "")),
     "line 11: label '' is not one of négatif, positif"),
    ("NaN for a label", "a.csv", table(labels=labels(lambda n, label: label if n % 9 else "NaN")),
     "reads like that of a text that has none"),
    ("one label for all", "a.csv", table(labels=["positif"] * 200), "no column looks like labels"),
    ("one label for nearly all", "a.csv",
     table(texts=TEXTS * 4, labels=["négatif"] * 30 + ["positif"] * 770),
     "is that of 96.2% of the texts"),
    ("premise and hypothesis", "a.csv", pairs(), "column 'hypothèse' holds texts, too"),
    ("a text that is empty", "a.csv", table(texts=["", *TEXTS[1:]]), READ),
    ("a web page saved as a table", "a.csv", "<!DOCTYPE html>\n<html><body>404</body></html>\n",
     "a web page, not a table"),
    ("NUL inside a text", "a.csv", table(texts=[text.replace("é", "\0") for text in TEXTS]),
     f"{READ}; NUL characters removed"),
    ("no text at all", "a.csv", bytes(range(256)) * 40, "holds NUL bytes"),
    ("half a surrogate pair", "a.jsonl", '{"texte": "\\ud800", "avis": "x"}\n' * 9
     + '{"texte": "b", "avis": "y"}\n' * 9, "half a surrogate pair, which is no character"),
    ("a line of 30 MB", "a.csv", table() + "a" * 30_000_000 + ",positif\n", READ),
    ("a line of 500 MB", "a.csv", huge,
     "line 202: not valid CSV (a value of more than 100,000,000 characters)"),
    ("names of columns alone", "a.csv", "texte,avis\n", "empty"),
    ("nothing", "a.csv", "", "empty; it needs a header line"),
]  # fmt: skip

SCORES = [str(n % 11 / 2) for n in range(200)]
NOTES = ("texte", "note")


def scores(change, separator=","):
    """Return a table of scores from 0 to 5, the ninth of them changed."""
    given = [score if n != 9 else change for n, score in enumerate(SCORES)]
    return table(separator, labels=given, head=NOTES)


# The same with RANGE=0,5.
SCORE_CASES = [
    ("scores", "a.csv", table(labels=SCORES, head=NOTES), "read, scores from 0 to 5"),
    ("scores in a sheet", "a.xlsx",
     sheet("a.xlsx", [NOTES, *[[t, n % 11 / 2] for n, t in enumerate(TEXTS)]]),
     "read, scores from 0 to 5"),
    ("a score out of its range", "a.csv", scores("5.5"),
     "line 11: score 5.5 is outside of `range`, 0 to 5"),
    ("a decimal comma", "a.csv", scores("4,5", ";"),
     "line 11: score '4,5' is not a number; its decimal comma is to be a point"),
    ("NaN for a score", "a.csv", scores("NaN"), "line 11: score 'NaN' is not a number"),
    ("a score that is missing", "a.csv", scores(""), "line 11: score '' is not a number"),
    ("a word for a score", "a.csv", scores("bien"), "line 11: score 'bien' is not a number"),
    ("one score for all", "a.csv", table(labels=["3"] * 200, head=NOTES), "has only score 3.0"),
]  # fmt: skip


def what_happens(folder, name, content, caplog, limits=None):
    """Return all that `make study` says, or what it refuses the file for."""
    if callable(content):
        content(folder)
    else:
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
    try:
        settings, paths = locate([name])
        label = "note" if limits else None
        describe(settings, paths, None, label, limits)
        prepared = prepare(settings, "datasets.a")
    except UserError as error:
        return "\n".join([str(error), *caplog.messages])
    learned = "scores from 0 to 5" if limits else f"labels {', '.join(settings['labels'])}"
    return "\n".join([f"read, {learned}", *prepared.changes, *caplog.messages])


@pytest.mark.parametrize(("kind", "name", "content", "said"), CASES, ids=[c[0] for c in CASES])
def test_file(tmp_path, monkeypatch, caplog, kind, name, content, said):
    monkeypatch.chdir(tmp_path)
    found = what_happens(Path(), name, content, caplog)
    for part in said.split("; "):
        assert part in found


@pytest.mark.parametrize(
    ("kind", "name", "content", "said"), SCORE_CASES, ids=[case[0] for case in SCORE_CASES]
)
def test_file_of_scores(tmp_path, monkeypatch, caplog, kind, name, content, said):
    monkeypatch.chdir(tmp_path)
    found = what_happens(Path(), name, content, caplog, [0, 5])
    for part in said.split("; "):
        assert part in found


def row(kind, said):
    """Return a row of the page's table; a bar would end a cell."""
    return "| {} | {} |".format(kind, said.replace("|", "\\|"))


def test_page_lists_every_file():
    page = PAGE.read_text(encoding="utf-8")
    missing = [
        row(kind, said) for kind, *_, said in CASES + SCORE_CASES if row(kind, said) not in page
    ]
    assert not missing, "\n".join(missing)
