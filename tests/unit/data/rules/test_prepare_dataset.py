import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

import prepare_dataset
from seedwise.errors import UserError
from support import ROOT

CLS_BOOKS = ROOT.parent / "shared" / "data" / "cls.books.zip"
PARTS = ("train", "valid", "test", "unlabelled")


def make_csv(path, rows, header="text,label"):
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return {"source": {"path": str(path)}, "format": "table", "labels": ["0", "1"]}


def run(settings, tmp_path):
    outputs = {part: tmp_path / "out" / f"{part}.jsonl" for part in PARTS}
    outputs["audit"] = tmp_path / "out" / "audit.json"
    prepare_dataset.main(name="d", settings=settings, outputs=outputs)
    read = {
        part: [json.loads(line) for line in outputs[part].read_bytes().split(b"\n")[:-1]]
        for part in PARTS
    }
    return read, json.loads(outputs["audit"].read_text(encoding="utf-8"))


def test_all_splits_from_one_table(tmp_path):
    rows = [f"text {n},{n % 2}" for n in range(100)] + ["text 0,0", '"  ",1', "torn,0", "torn,1"]
    settings = make_csv(tmp_path / "a.csv", rows)
    sizes = {"splits": {"train": 40, "valid": 10, "test": 20}, "zones": {"test": 0.3}}
    read, audit = run(settings | sizes, tmp_path)
    assert [len(read[part]) for part in PARTS] == [40, 10, 20, audit["unlabelled"]["texts"]]
    assert audit["labels"] == ["0", "1"]
    assert audit["splits"]["test"]["labels"] == {"0": 10, "1": 10}
    test = (tmp_path / "out/test.jsonl").read_bytes()
    assert audit["splits"]["test"]["sha256"] == hashlib.sha256(test).hexdigest()
    assert audit["available"] == {"0": 50, "1": 50}
    assert audit["zones"] == {"test": [0, 0.3], "valid": [0.85, 1], "train": [0.3, 0.85]}
    assert audit["set_aside"] == {
        "copy of another text": 1,
        "empty text": 1,
        "same text with another label": 2,
    }
    assert audit["source_sha256"] == hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()
    held_out = {r["text"] for part in ("valid", "test") for r in read[part]}
    assert not held_out & {r["text"] for part in ("train", "unlabelled") for r in read[part]}
    assert sum(len(read[part]) for part in PARTS) + sum(audit["left_out"].values()) == len(rows)
    assert all(set(r) == {"id", "text", "label"} for r in read["train"])
    assert all(set(r) == {"id", "text"} for r in read["unlabelled"])
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    for record in read["train"]:
        line = int(record["id"].removeprefix("all:"))
        assert lines[line - 1] == f"{record['text']},{record['label']}"


def test_given_splits_are_kept_and_what_they_share_is_reported(tmp_path):
    (tmp_path / "f").mkdir()
    for split, rows in {
        "train": ["a,0", "b,1", "c,1", "a,0"],
        "valid": ["d,0", "e,1"],
        "test": [" a,0", "f,1", ",1"],
    }.items():
        make_csv(tmp_path / "f" / f"{split}.csv", rows)
    (tmp_path / "f/more.txt").write_text("new\n\nd\nA\n", encoding="utf-8")
    settings = {
        "source": {"path": str(tmp_path / "f")},
        "format": "table",
        "labels": [0, 1],
        "files": {split: f"{split}.csv" for split in ("train", "valid", "test")},
        "unlabelled": {"format": "lines", "files": ["more.txt"]},
    }
    read, audit = run(settings, tmp_path)
    assert [r["text"] for r in read["train"]] == ["a", "b", "c", "a"]
    assert [r["id"] for r in read["test"]] == ["test:2", "test:3", "test:4"]
    assert [r["text"] for r in read["unlabelled"]] == ["new", "A"]
    assert audit["splits"]["train"]["duplicates"] == 1
    assert audit["splits"]["test"]["empty"] == 1
    assert {tuple(pair["splits"]): pair["texts"] for pair in audit["shared"]} == {
        ("train", "valid"): 0,
        ("train", "test"): 1,
        ("valid", "test"): 0,
    }
    assert audit["left_out"] == {
        "unlabelled and empty": 1,
        "unlabelled and also in valid or test": 1,
    }
    assert audit["split_seed"] is None and len(audit["source_sha256"]) == 64


def test_valid_drawn_from_train_leaves_the_rest(tmp_path):
    rows = [f"text {n},{n % 2}" for n in range(30)] + ["text 3,1", "tested,0"]
    (tmp_path / "f").mkdir()
    make_csv(tmp_path / "f/train.csv", rows)
    make_csv(tmp_path / "f/test.csv", ["tested,0", "other,1"])
    settings = {
        "source": {"path": str(tmp_path / "f")},
        "format": "table",
        "labels": ["0", "1"],
        "files": {"train": "train.csv", "test": "test.csv"},
        "splits": {"valid": 8},
        "zones": {"valid": 0.5},
    }
    read, audit = run(settings, tmp_path)
    valid, train = ([r["text"] for r in read[part]] for part in ("valid", "train"))
    assert len(set(valid)) == 8 and not set(valid) & set(train) and "tested" not in valid
    assert audit["set_aside"] == {"copy of another text": 1, "also in a given split": 1}
    unused = {r["text"] for r in read["unlabelled"]}
    assert len(train) > 8 and unused and not unused & {*train, *valid, "tested"}
    left_out = sum(audit["left_out"].values())
    assert len(train) + len(valid) + len(read["unlabelled"]) + left_out == len(rows)


WEBIS_ITEM = "<item><rating>{}</rating><url>u</url><text>{}</text><title>t</title></item>\n\n"


def test_webis_cls_10(tmp_path):
    def items(kind, ratings):
        body = "".join(WEBIS_ITEM.format(r, f"{kind} {n} &amp; c") for n, r in enumerate(ratings))
        return f"<?xml version='1.0'?>\n<items>\n{body}</items>\n".encode()

    files = {
        "train": items("train", [5.0, 1.0, 4.0, 2.0] * 5),
        "test": items("test", [5.0, 1.0] * 4),
        "unlabeled": items("free", [3.0, 5.0]),
    }
    archive = tmp_path / "cls-acl10-unprocessed.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"cls-acl10-unprocessed/fr/books/{name}.review")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    settings = {
        "source": {"path": str(archive)},
        "format": "webis-cls",
        "language": "fr",
        "domain": "books",
        "labels": {"0": {"below": 3}, "1": {"above": 3}},
        "splits": {"valid": 4},
        "zones": {"valid": 0.5},
    }
    read, audit = run(settings, tmp_path)
    assert audit["splits"]["valid"]["labels"] == {"0": 2, "1": 2}
    assert audit["splits"]["train"]["texts"] + audit["unlabelled"]["texts"] == 16 + 2
    assert audit["zones"] == {"valid": [0.5, 1], "train": [0, 0.5]}
    assert read["test"][0] == {"id": "test:3", "text": "test 0 & c", "label": "1"}
    with pytest.raises(UserError, match=r"no member 'cls-acl10-unprocessed/jp/books/train.review'"):
        run(settings | {"language": "jp"}, tmp_path)


def test_a_url_or_hub_folder_is_read_like_a_local_one(tmp_path, monkeypatch):
    from seedwise.study.sources import source_path

    monkeypatch.chdir(tmp_path)
    source = {"hub": "a/b", "revision": "c" * 40, "type": "dataset"}
    folder = Path(source_path(source)) / "data"
    folder.mkdir(parents=True)
    make_csv(folder / "one.csv", [f"one {n},{n % 2}" for n in range(10)])
    make_csv(folder / "two.csv", [f"two {n},{n % 2}" for n in range(10)])
    settings = {
        "source": source,
        "format": "table",
        "folder": "data",
        "file": ["one.csv", "two.csv"],
        "labels": ["0", "1"],
        "splits": {"valid": 4, "test": 4},
        "zones": {"valid": 0.4},
    }
    read, audit = run(settings, tmp_path)
    assert [len(read[part]) for part in PARTS] == [7, 4, 4, 5]
    with pytest.raises(
        UserError, match=r"no member 'data/three.csv'; it holds data/one.csv, data/"
    ):
        run(settings | {"file": "three.csv"}, tmp_path)
    assert audit["source"] == f"hub a/b at {'c' * 40}"
    assert {r["id"].split(":")[0] for r in read["train"]} == {"all-1", "all-2"}


def pair_zip(path, **parts):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(f"x/{name.replace('_', '.')}", content)
    return {
        "source": {"path": str(path)},
        "format": "review-label",
        "folder": "x",
        "labels": ["0", "1"],
    }


GOOD = {
    f"{split}_{part}": content
    for split in ("train", "valid", "test")
    for part, content in (("review", "good\nbad\n"), ("label", "1\n0\n"))
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"test_label": "1\n"},
            r"x/test.review has 2 texts, but x/test.label has 1 labels",
        ),
        ({"valid_label": "1\n2\n"}, r"x/valid.label, line 2: label '2' is not one of 0, 1"),
        ({"valid_review": "", "valid_label": ""}, r"d: split 'valid' is empty"),
        ({"test_label": "1\n1\n"}, r"d: split 'test' has only label '1', but the study is to"),
        (
            {"train_review": b"good\nb\xe9d\n"},
            r"x/train.review, line 2: byte 6 \(0xe9\) is not UTF-8",
        ),
    ],
)
def test_bad_pairs(change, message, tmp_path):
    settings = pair_zip(tmp_path / "a.zip", **GOOD | change)
    with pytest.raises(UserError, match=message):
        run(settings, tmp_path)
    assert not (tmp_path / "out").exists()


def test_missing_member_and_wrong_checksum(tmp_path):
    parts = {name: content for name, content in GOOD.items() if name != "test_label"}
    settings = pair_zip(tmp_path / "a.zip", **parts)
    with pytest.raises(UserError, match=r"a.zip: no member 'x/test.label'; it holds x/train.rev"):
        run(settings, tmp_path)
    settings["source"]["sha256"] = "0" * 64
    with pytest.raises(
        UserError, match=r"datasets.d.source.sha256: .*a.zip has SHA-256 \w{64}, ex"
    ):
        run(settings, tmp_path)
    settings["source"] = {"path": str(tmp_path / "none.zip")}
    with pytest.raises(UserError, match=r"datasets.d.source.path: .*none.zip does not exist"):
        run(settings, tmp_path)


def test_too_few_texts(tmp_path):
    settings = make_csv(tmp_path / "a.csv", ["a,0", "b,0", "c,1", "a,0"])
    with pytest.raises(UserError, match=r"datasets.d.splits: need 2 .*'1', but .* only 2 0, 1 1"):
        run(settings | {"splits": {"valid": 2, "test": 2}}, tmp_path)


def test_a_share_without_a_text_of_a_label_says_what_helps(tmp_path):
    settings = make_csv(tmp_path / "a.csv", [f"text {n},{n % 2}" for n in range(30)])
    with pytest.raises(UserError, match=r"d: split 'valid' .*; give it a larger share, or try an"):
        run(settings | {"splits": {"valid": 0.01, "test": 0.3}}, tmp_path)


def test_texts_as_they_are(tmp_path):
    odd = [
        "a\u2028b\u2029c\x85d\x0ce",
        'tab\tquote"s',
        "emoji 😀 \u200b",
        "x",
        " ".join(["long"] * 10_000),
        "nul\0s",
        "",
    ]
    text = "\ufeff" + "".join(f"{line}\r\n" for line in odd)
    label = "".join(f"{n % 2}\r\n" for n in range(len(odd)))
    settings = pair_zip(tmp_path / "a.zip", **GOOD | {"test_review": text, "test_label": label})
    read, audit = run(settings, tmp_path)
    assert [r["text"] for r in read["test"]] == [line.replace("\0", "") for line in odd]
    assert [r["label"] for r in read["test"]] == [str(n % 2) for n in range(len(odd))]
    assert audit["changes"] == {
        "byte-order marks removed": 1,
        "CRLF line ends read as LF": 14,
        "NUL characters removed": 1,
    }
    assert audit["splits"]["test"]["words"]["max"] == 10_000
    assert audit["splits"]["test"]["empty"] == 1


@pytest.mark.skipif(not CLS_BOOKS.exists(), reason="../shared/data/cls.books.zip is not here")
def test_the_real_cls_books(tmp_path):
    settings = {
        "source": {
            "path": str(CLS_BOOKS),
            "sha256": "8ada9adfc9e553c4b958d7ad5c7c64c42b0db20080367d07c2ca111902906fcc",
        },
        "format": "review-label",
        "folder": "cls.books",
        "labels": ["0", "1"],
    }
    read, audit = run(settings, tmp_path)
    assert [len(read[part]) for part in PARTS] == [1600, 400, 600, 0]
    for split in ("train", "valid", "test"):
        counts = audit["splits"][split]["labels"]
        assert counts["0"] == counts["1"]
    shared = {tuple(pair["splits"]): pair["texts"] for pair in audit["shared"]}
    assert shared == {("train", "valid"): 6, ("train", "test"): 15, ("valid", "test"): 1}
