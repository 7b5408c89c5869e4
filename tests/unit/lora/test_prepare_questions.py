import json
import zipfile

import pytest

from prepare_questions import main, read_pairs
from seedwise.errors import UserError
from seedwise.files import read_jsonl, sha256_of_files
from seedwise.lora.questions import SPLITS

YAML = "conversations:\n" + "".join(f"- - question {i}?\n  - answer {i}\n" for i in range(8))


def prepare(tmp_path, archive, **changes):
    settings = {
        "source": {"path": str(archive)},
        "format": "conversations",
        "files": ["data/a.yml", "data/b.yml"],
        "question": "question",
        "answer": "answer",
        "splits": {"valid": 2, "heldout": 3},
        "split_seed": 0,
    }
    splits = {split: tmp_path / f"{split}.jsonl" for split in SPLITS}
    main(
        source=archive,
        name="talk",
        settings=settings | changes,
        splits=splits,
        audit=tmp_path / "audit.json",
    )
    return {split: list(read_jsonl(path)) for split, path in splits.items()}


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "talk.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("data/a.yml", YAML)
        wheel.writestr("data/b.yml", YAML.replace("question", "Frage"))
        wheel.writestr("data/bad.yml", "conversations:\n- - question?\n  - ''\n")
    return path


def test_files_of_an_archive_become_splits(tmp_path, archive):
    splits = prepare(tmp_path, archive)
    assert {split: len(records) for split, records in splits.items()} == {
        "train": 11,
        "valid": 2,
        "heldout": 3,
    }
    assert splits["train"][0].keys() == {"id", "question", "answer"}
    audit = json.loads((tmp_path / "audit.json").read_text())
    assert audit["records"] == 16
    assert audit["source_sha256"] == sha256_of_files([archive])


def test_one_plain_file_needs_no_list(tmp_path):
    path = tmp_path / "faq.json"
    path.write_text(json.dumps([{"q": f"{i}?", "a": "yes"} for i in range(6)]))
    splits = prepare(tmp_path, path, format="json", files=[""], question="q", answer="a")
    assert len(splits["train"]) == 1


def test_an_empty_answer_is_named_and_nothing_written(tmp_path, archive):
    with pytest.raises(UserError, match=r"data/bad\.yml, record 1: the 'answer' is ''"):
        prepare(tmp_path, archive, files=["data/a.yml", "data/bad.yml"])
    assert not list(tmp_path.glob("*.jsonl"))


def test_another_checksum_is_refused(tmp_path, archive):
    source = {"path": str(archive), "sha256": "0" * 64}
    with pytest.raises(UserError, match=r"lora\.datasets\.talk\.source\.sha256"):
        prepare(tmp_path, archive, source=source)


def read(content, layout, question="question", answer="answer"):
    settings = {"format": layout, "question": question, "answer": answer}
    return list(read_pairs(content, "file", settings))


@pytest.mark.parametrize(
    ("layout", "content"),
    [
        ("json", '[{"question": "a?", "answer": "b"}, {"question": "c?", "answer": "d\u2028"}]'),
        (
            "json",
            '{"questions": [{"question": "a?", "answer": "b"}, {"question":"c?","answer":"d"}]}',
        ),
        ("jsonl", '{"question": "a?", "answer": "b"}\n\n{"question": "c?", "answer": "d\u2028"}\n'),
        ("csv", 'answer,question\r\nb,a?\r\n"d","c?"\r\n'),
        ("conversations", "conversations:\n- - a?\n  - b\n  - unused\n- - c?\n  - d\n"),
    ],
)
def test_every_layout_gives_the_same_pairs(layout, content):
    pairs = read(b"\xef\xbb\xbf" + content.encode(), layout)
    assert [(p.question, p.answer) for p in pairs] == [("a?", "b"), ("c?", "d")]


def test_fields_can_be_named():
    content = json.dumps([{"q": "a?", "a": "b"}]).encode()
    assert read(content, "json", "q", "a")[0].answer == "b"


@pytest.mark.parametrize(
    ("layout", "content", "message"),
    [
        ("json", b'[{"question": "a?", "reply": "b"}]', "1 has no field 'answer'; it has 'ques"),
        ("jsonl", b'{"question": "a?", "answer": " "}', "line 1: the 'answer' is ' '"),
        ("csv", b"question,answer\na?,b\nc?\n", "line 3: 1 columns instead of 2 (question, ans"),
        ("jsonl", b'{"question": "a?", "answer": 3}', "line 1: the 'answer' is 3"),
        ("json", b'{"a": 1}', "not a JSON list of records, nor an object with one"),
        ("json", b"[1]", "record 1: not a record with named values"),
        ("json", b"[", "not valid JSON"),
        ("json", b"[\n\xff]", "line 2: byte 2 (0xff) is not UTF-8"),
        ("conversations", b"conversations:\n- just a text\n", "record 1 must be a list of turns"),
        ("conversations", b"conversations:\n- - alone\n", "record 1 has no field 'answer'"),
        ("conversations", b"categories: []\n", "must have a list `conversations`"),
        ("conversations", b"!!python/object/apply:os.getcwd []", "is not valid conversations"),
    ],
)  # fmt: skip
def test_bad_files_are_named_with_their_record(layout, content, message):
    with pytest.raises(UserError, match=r"^file[:,] ") as error:
        read(content, layout)
    assert message in str(error.value)
