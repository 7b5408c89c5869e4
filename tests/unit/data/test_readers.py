import io
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.data import readers
from seedwise.data.readers import read_pair, read_rows
from seedwise.errors import UserError

ODD = "a\u2028b\x85c\x0cd\x0be\x1cf\u2029 «é» 😀 ' \" \\ & <b>"


def rows(data, settings, name="data.csv", value="label"):
    changes = Counter()
    found = read_rows(io.BytesIO(data), name, {"format": "table"} | settings, value, changes)
    return [(row.line, row.text, row.value) for row in found], dict(changes)


def test_pair_keeps_every_text_with_its_label():
    texts = f"{ODD}\n\n  two  \n".encode()
    pair = read_pair(
        ("a.review", io.BytesIO(texts)), ("a.label", io.BytesIO(b"1\n0\n1\n")), Counter()
    )
    assert [(r.line, r.text, r.value) for r in pair] == [
        (1, ODD, "1"),
        (2, "", "0"),
        (3, "  two  ", "1"),
    ]


def test_pair_of_unequal_lengths_names_both_files_and_counts():
    with pytest.raises(UserError, match=r"a.review has 2 texts, but a.label has 3 labels"):
        list(
            read_pair(
                ("a.review", io.BytesIO(b"x\ny\n")),
                ("a.label", io.BytesIO(b"1\n0\n1\n")),
                Counter(),
            )
        )


def test_csv_with_quotes_commas_and_line_ends_inside():
    data = b'label,text\r\n1,"a, ""b""\r\nc"\r\n\r\n0,plain\r\n'
    assert rows(data, {}) == (
        [(2, 'a, "b"\r\nc', "1"), (5, "plain", "0")],
        {"blank lines skipped": 1},
    )


def test_tsv_takes_quotes_as_characters():
    data = f'"text"\t1\n{ODD}\t0\n'.encode()
    found, _ = rows(data, {"columns": ["text", "label"]}, "data.txt")
    assert found == [(1, '"text"', "1"), (2, ODD, "0")]
    quoted, _ = rows(b'"a\tb"\t1\n', {"columns": ["text", "label"], "quoted": True}, "data.tsv")
    assert quoted == [(1, "a\tb", "1")]


def test_one_column_keeps_empty_lines():
    found, _ = rows(b"a\n\nb\n", {"columns": ["text"]}, "data.tsv", None)
    assert found == [(1, "a", None), (2, "", None), (3, "b", None)]
    assert rows(b"a\n\nb\n", {"format": "lines"}, "data.tsv", None)[0] == found


@pytest.mark.parametrize(
    ("name", "data", "settings", "message"),
    [
        ("d.csv", "text,lable\na,1\n", {}, r"d.csv: no column 'label'; it has text, lable"),
        (
            "d.csv",
            "text,label\na,1,2\n",
            {},
            r"d.csv, line 2: 3 columns instead of 2 \(text, label",
        ),
        (
            "d.csv",
            "text,label,text\na,1,b\n",
            {},
            r"d.csv, line 1: a column name stands there twice",
        ),
        ("d.tsv", "text\tlabel\na\n", {}, r"d.tsv, line 2: 1 columns instead of 2"),
        ("d.csv", 'text,label\n"a"b,1\n', {}, r"d.csv, line 2: not valid CSV"),
        ("d.csv", 'text,label\na,1\n"b,1\nc,1\n', {}, r"d.csv, line 3: not valid CSV"),
        ("d.csv", "", {}, r"d.csv: empty; it needs a header line"),
        (
            "d.jsonl",
            '{"text": "a", "label": 1}\n{"text": 1\n',
            {},
            r"d.jsonl, line 2: not valid JSON",
        ),
        ("d.jsonl", '{"text": "a"}\n', {}, r"d.jsonl, line 1: no column 'label'; it has text"),
        ("d.jsonl", '{"text": null, "label": 1}\n', {}, r"line 1: 'text' is neither text nor"),
        ("d.jsonl", '["text"]\n', {}, r"d.jsonl, line 1: not a record with named values"),
        ("d.jsonl", '{"text": "\\ud800", "label": 1}\n', {}, r"half a surrogate pair"),
        ("d.jsonl", "[" * 100_000, {}, r"d.jsonl, line 1: not valid JSON"),
        ("d.json", '{"text": "a"}', {}, r"d.json: not a JSON list"),
        ("d.parquet", "PAR1", {}, r"d.parquet: (not a readable parquet|reading parquet needs)"),
        ("d.dat", "a", {}, r"d.dat: give its `dialect` \(arrow, csv, "),
    ],
)
def test_faults_of_tables(name, data, settings, message):
    with pytest.raises(UserError, match=message):
        rows(data.encode(), settings, name)


def test_json_values_are_written_as_json_writes_them():
    data = b'{"text": "a", "label": 1}\n\n{"text": "b", "label": true}\n'
    assert rows(data, {}, "d.jsonl") == (
        [(1, "a", "1"), (3, "b", "true")],
        {"blank lines skipped": 1},
    )
    assert rows(b'[{"t": "a", "label": "x"}]', {"text": "t"}, "d.json")[0] == [(1, "a", "x")]


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"text": [ODD, "b"], "label": [1, 0]})
    parquet.write_table(table, tmp_path / "d.parquet")
    found, _ = rows((tmp_path / "d.parquet").read_bytes(), {}, "d.parquet")
    assert found == [(1, ODD, "1"), (2, "b", "0")]


WEBIS = """<?xml version='1.0' encoding='UTF-8' ?>
<items xmlns="http://www.amazon.fr">
<item><category>books</category><rating>5.0</rating><url>http://x/?a=1&amp;b</url><text>Tr\u00e8s
bien &amp; beau</text><title>Un titre</title><summary>Oui</summary></item>

<item><category>books</category><rating>1.0</rating><url>u</url><text/><title>Nul</title></item>

</items>
"""


def test_webis_cls():
    settings = {"format": "webis-cls"}
    found, _ = rows(WEBIS.encode(), settings, "train.review", "rating")
    assert found == [(3, "Tr\u00e8s\nbien & beau", "5.0"), (6, "", "1.0")]
    with pytest.raises(UserError, match=r"train.review: 2 <item>s begin and 1 end"):
        rows(WEBIS[:-60].encode(), settings, "train.review", "rating")
    with pytest.raises(UserError, match="line 3: no column 'rating'; it has category, stars"):
        rows(WEBIS.replace("rating", "stars").encode(), settings, "train.review", "rating")


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0"), max_size=30)


@given(st.lists(st.tuples(texts, st.sampled_from("01")), max_size=20))
def test_pairs_of_any_texts_come_back(pairs):
    review = "".join(f"{text}\n" for text, _ in pairs)
    if review.startswith("\ufeff"):
        return
    label = "".join(f"{label}\n" for _, label in pairs)
    found = read_pair(
        ("a", io.BytesIO(review.encode())), ("b", io.BytesIO(label.encode())), Counter()
    )
    assert [(row.text, row.value) for row in found] == pairs


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=20))
def test_any_texts_come_back_from_jsonl(values):
    for escape in (True, False):
        data = "".join(
            json.dumps({"text": value}, ensure_ascii=escape) + "\n" for value in values
        ).encode()
        found, changes = rows(data, {}, "d.jsonl", None)
        assert [text for _, text, _ in found] == [value.replace("\0", "") for value in values]
        nuls = sum(value.count("\0") for value in values)
        assert changes == ({"NUL characters removed": nuls} if nuls else {})


def test_two_columns_are_a_pair():
    data = b"premise,label,hypothesis\nIt rains.,1,It\0 is wet.\n,0,\n"
    found, changes = rows(data, {"text": ["premise", "hypothesis"]}, "d.csv", "label")
    assert found == [(2, "It rains.\0It is wet.", "1"), (3, "\0", "0")]
    assert changes == {"NUL characters removed": 1}
    with pytest.raises(UserError, match=r"d.csv.*no column 'conclusion'; it has premise, label"):
        rows(data, {"text": ["premise", "conclusion"]}, "d.csv", "label")


@given(st.binary(max_size=200), st.sampled_from(["csv", "tsv", "jsonl", "json"]))
def test_any_bytes_are_read_or_refused(data, dialect):
    try:
        rows(data, {"dialect": dialect}, "d", "label")
    except UserError as error:
        assert str(error).startswith("d")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("d.jsonl", b'{"text": "a long one", "label": "x"}\n'),
        ("d.tsv", b"text\tlabel\na long one\tx"),
    ],
)
def test_a_text_that_is_none_is_refused(name, data, monkeypatch):
    monkeypatch.setattr(readers, "LONGEST", 9)
    line = 1 if name == "d.jsonl" else 2
    with pytest.raises(UserError, match=rf"line {line}: a text of 10 characters; at most 9 are"):
        rows(data, {"format": "table"}, name)
