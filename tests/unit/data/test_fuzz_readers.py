"""Any rows come back as they were; any bytes are read or refused with one message."""

import csv
import html
import io
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import prepare_dataset
from seedwise.data.examples import label_rows
from seedwise.data.readers import read_pair, read_rows
from seedwise.errors import UserError
from seedwise.files import read_jsonl

LABELS = ["0", "1"]
# What breaks readers that think in lines, words or ASCII.
ODD = "\u2028\u2029\x85\x0b\x0c\x1c\0\ufeff\u200b\u0301\xa0 \t\"',;\\&<>{}[]é😀"
characters = st.one_of(
    st.sampled_from(ODD), st.sampled_from("ab1 \n\r"), st.characters(exclude_categories=["Cs"])
)
texts = st.one_of(st.text(characters, max_size=12), st.just("word " * 10_000))
rows = st.lists(st.tuples(texts, st.sampled_from(LABELS)), min_size=1, max_size=12)
FORMATS = ["csv", "quoted tsv", "tsv", "jsonl", "json", "pair", "webis-cls"]


def line_safe(text):
    """Return the text without what a format that has a text a line cannot hold."""
    return text.replace("\n", " ").replace("\r", " ")


def write(kind, pairs):
    """Return the content of a file, and the texts that it holds."""
    kept = [text for text, _ in pairs]
    if kind in ("csv", "quoted tsv"):
        stream = io.StringIO(newline="")
        separator = "," if kind == "csv" else "\t"
        csv.writer(
            stream, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL
        ).writerows([("text", "label"), *pairs])
        return stream.getvalue(), kept
    if kind == "tsv":
        kept = [line_safe(text).replace("\t", " ") for text in kept]
        lines = [f"{text}\t{label}" for text, (_, label) in zip(kept, pairs, strict=True)]
        return "".join(f"{line}\n" for line in ["text\tlabel", *lines]), kept
    if kind == "pair":
        kept = [line_safe(text) for text in kept]
        return "".join(f"{text}\n" for text in kept), kept
    if kind == "webis-cls":
        items = (
            f"<item><label>{label}</label><text>{html.escape(text)}</text></item>\n"
            for text, label in pairs
        )
        return "<items>\n" + "".join(items) + "</items>\n", kept
    records = [{"text": text, "label": label} for text, label in pairs]
    if kind == "json":
        return json.dumps(records, ensure_ascii=False), kept
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records), kept


def read(kind, data, labels=b""):
    """Return the labelled texts of a file, and what was changed."""
    changes = Counter()
    given = {"format": "table", "labels": LABELS}
    if kind == "pair":
        found = read_pair(("d.review", io.BytesIO(data)), ("d.label", io.BytesIO(labels)), changes)
    elif kind == "webis-cls":
        found = read_rows(io.BytesIO(data), "d", given | {"format": kind}, "label", changes)
    else:
        chosen = {"dialect": kind.split()[-1], "quoted": kind in ("csv", "quoted tsv")}
        found = read_rows(io.BytesIO(data), "d", given | chosen, "label", changes)
    return list(label_rows(found, "d", "d", given, changes)), changes


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=130, deadline=None, derandomize=True)
@given(pairs=rows, mark=st.booleans(), crlf=st.booleans())
def test_any_rows_come_back_in_number_and_order(kind, pairs, mark, crlf):
    content, kept = write(kind, pairs)
    if content.startswith("\ufeff"):
        return  # its own first character is what says that a file is UTF-8
    ends = crlf and kind in ("tsv", "pair", "jsonl")
    if ends:
        content = content.replace("\n", "\r\n")
    labels = "".join(f"{label}\n" for _, label in pairs).encode()
    examples, changes = read(kind, (("\ufeff" if mark else "") + content).encode(), labels)
    assert [one.text for one in examples] == [text.replace("\0", "") for text in kept]
    assert [one.label for one in examples] == [label for _, label in pairs]
    assert len({one.id for one in examples}) == len(pairs)
    assert changes["NUL characters removed"] == sum(text.count("\0") for text in kept)
    assert changes["byte-order marks removed"] == mark
    assert bool(changes["CRLF line ends read as LF"]) == ends


@st.composite
def damaged(draw):
    """Return the kind and the bytes of a file to which something happened, and its labels."""
    kind = draw(st.sampled_from(FORMATS))
    pairs = draw(rows)
    data = bytearray(write(kind, pairs)[0].encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["insert", "delete", "cut"])):
            case "insert":
                data[at:at] = draw(st.one_of(st.binary(max_size=4), st.just(b'"'), st.just(b"\n")))
            case "delete":
                del data[at : at + draw(st.integers(1, 4))]
            case _:
                del data[at:]
    return kind, bytes(data), "".join(f"{label}\n" for _, label in pairs).encode()


@settings(max_examples=900, deadline=None, derandomize=True)
@given(damaged())
def test_any_damage_is_read_or_refused_with_one_message(case):
    kind, data, labels = case
    try:
        examples, _ = read(kind, data, labels)
    except UserError as error:
        assert str(error).startswith("d") and "\n" not in str(error).split(" (")[0]
    else:
        assert all(one.label in LABELS for one in examples)
        if kind == "pair":
            assert len(examples) == labels.count(b"\n")


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(pairs=rows, data=st.one_of(st.none(), st.binary(max_size=40)))
def test_a_whole_data_set_is_prepared_or_refused(tmp_path, pairs, data):
    content = write("csv", pairs)[0].encode() if data is None else data
    (tmp_path / "d.csv").write_bytes(content)
    parts = ("train", "valid", "test", "unlabelled", "audit")
    outputs = {part: tmp_path / f"{part}.jsonl" for part in parts}
    for path in outputs.values():
        path.unlink(missing_ok=True)
    source = {"source": {"path": str(tmp_path)}, "format": "table", "labels": LABELS}
    files = dict.fromkeys(("train", "valid", "test"), "d.csv")
    try:
        prepare_dataset.main(name="d", settings=source | {"files": files}, outputs=outputs)
    except UserError:
        assert [path.name for path in tmp_path.iterdir()] == ["d.csv"]
    else:
        for split in files:
            texts = [one["text"] for one in read_jsonl(Path(outputs[split]))]
            assert texts == [text.replace("\0", "") for text, _ in pairs]
