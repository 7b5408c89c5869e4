"""Odd texts keep their labels from the file to the lines that are trained on; mistakes stop."""

import pytest

import encode_dataset
import prepare_dataset
from seedwise.files import read_json, read_jsonl
from seedwise.tokens.indexed import read_texts
from support import processes
from support.tiny.chain import ARCHITECTURE, SPLITS

LABELS = ["0", "1"]
PAIR = {"format": "review-label", "labels": LABELS}
TABLE = {"format": "table", "labels": LABELS}
PARTS = (*SPLITS, "unlabelled", "audit")


def prepare(folder, settings, name):
    """Prepare the data in ``folder`` as the rule does; return exit code and log."""
    ending = "csv" if settings["format"] == "table" else "review"
    given = settings | {
        "source": {"path": str(folder)},
        "files": dict.fromkeys(SPLITS, f"data.{ending}" if ending == "csv" else "data"),
    }
    outputs = {
        part: folder / name / (f"{part}.json" if part == "audit" else f"{part}.jsonl")
        for part in PARTS
    }
    return processes.run(
        lambda: prepare_dataset.main(name="odd", settings=given, outputs=outputs), folder / "log"
    )


def write_pair(folder, texts, labels=None, end="\n", mark=b"", encoding="utf-8"):
    lines = "".join(f"{text}{end}" for text in texts)
    (folder / "data.review").write_bytes(mark + lines.encode(encoding))
    labels = [str(n % 2) for n in range(len(texts))] if labels is None else labels
    (folder / "data.label").write_text("".join(f"{label}\n" for label in labels))


def write_table(folder, texts):
    quoted = (f'"{text.replace(chr(34), chr(34) * 2)}",{n % 2}\n' for n, text in enumerate(texts))
    (folder / "data.csv").write_bytes(f"text,label\n{''.join(quoted)}".encode())


USUAL = ["first", "second", "third", "last"]
LONG = "long " * 10_000
# The text, what it must be afterwards if that differs, and what audit.json must count.
TEXTS = {
    "U+2028 and its like": ("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg", None, {}),
    "NUL": ("a\0b\0", "ab", {"NUL characters removed": 2}),
    "a tab": ("a\tb", None, {}),
    "quotes": ('"a" \'b\' \u201cc\u201d "', None, {}),
    "an emoji": ("👩\u200d👩\u200d👧 \U0001f1eb\U0001f1f7 e\u0301", None, {}),
    "10,000 words": (LONG, None, {}),
    "one character": ("x", None, {}),
    "nothing": ("", None, {}),
    "white space": (" \u00a0\u3000 ", None, {}),
    "special tokens": ("<s> <mask> </s> <pad> ▁", None, {}),
}
FILES = {
    "CRLF": ({"end": "\r\n"}, {"CRLF line ends read as LF": 4}),
    "a byte-order mark": ({"mark": b"\xef\xbb\xbf"}, {"byte-order marks removed": 1}),
}


def check_rows(folder, chain, expected, changes):
    """Check every file up to the lines that the engines read: one line a text, in order."""
    results = folder / "results"
    audit = read_json(results / "audit.json")
    # The same file stands for all three splits.
    assert audit["changes"] == {name: 3 * count for name, count in changes.items()}
    labels = [str(n % 2) for n in range(len(expected))]
    for split in SPLITS:
        records = list(read_jsonl(results / f"{split}.jsonl"))
        assert [record["text"] for record in records] == expected
        assert [record["label"] for record in records] == labels
        assert audit["splits"][split]["empty"] == sum(not text.strip() for text in expected)
        encode(chain, results, split, folder / split)
        lengths = [len(ids) - 1 for ids in read_texts(folder / split)]
        assert len(lengths) == len(expected)
        counts = read_json(folder / f"{split}.audit.json")
        assert counts.pop("pieces") - counts.pop("lost") == sum(lengths)
        assert counts == {
            "texts": len(expected),
            "cut": expected.count(LONG),
            "empty": lengths.count(0),
            "max_positions": ARCHITECTURE["max_positions"],
        }


def encode(chain, results, split, tokens):
    """Encode a split as the rule does, into files named as ``tokens``."""
    encode_dataset.main(
        split=results / f"{split}.jsonl",
        tokenizer=chain.tokens / "sentencepiece.bpe.model",
        dictionary=chain.tokens / "dict.txt",
        max_positions=ARCHITECTURE["max_positions"],
        threads=1,
        tokens=tokens,
        counts=tokens.with_suffix(".audit.json"),
    )


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_stays_as_it_is(chain, tmp_path, name):
    text, kept, changes = TEXTS[name]
    texts = [*USUAL[:2], text, *USUAL[2:]]
    write_pair(tmp_path, texts)
    code, log = prepare(tmp_path, PAIR, "results")
    assert code == 0, log
    check_rows(tmp_path, chain, [*USUAL[:2], text if kept is None else kept, *USUAL[2:]], changes)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_as_it_was_meant(chain, tmp_path, name):
    how, changes = FILES[name]
    write_pair(tmp_path, USUAL, **how)
    code, log = prepare(tmp_path, PAIR, "results")
    assert code == 0, log
    check_rows(tmp_path, chain, USUAL, changes)


def test_line_ends_inside_a_text(chain, tmp_path):
    texts = [*USUAL, "a\nb\r\nc\rd\n", ""]
    write_table(tmp_path, texts)
    code, log = prepare(tmp_path, TABLE, "results")
    assert code == 0, log
    check_rows(tmp_path, chain, texts, {})


def label_outside(folder):
    write_pair(folder, USUAL, ["0", "1", "2", "1"])


def one_class(folder):
    write_pair(folder, USUAL, ["1"] * 4)


def one_label_less(folder):
    write_pair(folder, USUAL, ["0", "1", "0"])


def one_label_more(folder):
    write_pair(folder, USUAL, ["0", "1", "0", "1", "1"])


def not_utf8(folder):
    write_pair(folder, ["first", "été", "third", "last"], encoding="latin-1")


def no_text(folder):
    write_pair(folder, [])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (label_outside, "data.label, line 3: label '2' is not one of 0, 1"),
        (one_class, "has only label '1', but the study is to tell 0, 1 apart"),
        (one_label_less, "data.review has 4 texts, but data.label has 3 labels; there must be one"),
        (one_label_more, "data.review has 4 texts, but data.label has 5 labels; there must be one"),
        (not_utf8, "data.review, line 2: byte 6 (0xe9) is not UTF-8"),
        (no_text, "datasets.odd: split 'train' is empty"),
    ],
)
def test_a_mistake_in_the_data(tmp_path, spoil, said):
    write_pair(tmp_path, USUAL)
    assert prepare(tmp_path, PAIR, "undisturbed")[0] == 0
    spoil(tmp_path)
    code, log = prepare(tmp_path, PAIR, "results")
    assert code == 1
    (error,) = processes.errors(log)
    assert said in error
    assert not (tmp_path / "results").exists()
    write_pair(tmp_path, USUAL)
    assert prepare(tmp_path, PAIR, "results")[0] == 0
    for path in (tmp_path / "undisturbed").iterdir():
        assert (tmp_path / "results" / path.name).read_bytes() == path.read_bytes()
