import json

import pytest

from seedwise.errors import UserError
from seedwise.lora.questions import Pair, answer_text, prompt_text, read_pairs, split_pairs

TEMPLATE = "<human>: {question}\n<assistant>: {answer}"


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
    pairs = list(read_pairs(b"\xef\xbb\xbf" + content.encode(), "file", layout))
    assert [(p.question, p.answer) for p in pairs] == [("a?", "b"), ("c?", "d")]


def test_fields_can_be_named():
    content = json.dumps([{"q": "a?", "a": "b"}]).encode()
    assert next(read_pairs(content, "file", "json", "q", "a")).answer == "b"


@pytest.mark.parametrize(
    ("layout", "content", "message"),
    [
        ("json", b'[{"question": "a?", "reply": "b"}]', "1 has no field 'answer'; it has 'ques"),
        ("jsonl", b'{"question": "a?", "answer": " "}', "record 1: the 'answer' is ' '"),
        ("csv", b"question,answer\na?,b\nc?\n", "record 2: the 'answer' is None"),
        ("jsonl", b'{"question": "a?", "answer": 3}', "record 1: the 'answer' is 3"),
        ("json", b'{"a": 1}', "must be a list of objects"),
        ("json", b"[1]", "record 1 must be an object"),
        ("json", b"[", "is not valid json"),
        ("json", b"[\n\xff]", "line 2 is not UTF-8"),
        ("conversations", b"conversations:\n- just a text\n", "record 1 must be a list of turns"),
        ("conversations", b"conversations:\n- - alone\n", "record 1 has no field 'answer'"),
        ("conversations", b"categories: []\n", "must have a list `conversations`"),
        ("conversations", b"!!python/object/apply:os.getcwd []", "is not valid conversations"),
    ],
)  # fmt: skip
def test_bad_files_are_named_with_their_record(layout, content, message):
    with pytest.raises(UserError, match="file: ") as error:
        list(read_pairs(content, "file", layout))
    assert message in str(error.value)


def pairs(count):
    return [Pair(f"question {i // 2}?", f"answer {i}", "") for i in range(count)]


def test_no_question_stands_in_two_splits():
    repeated = [*pairs(40), Pair("QUESTION  3?", "answer 6", ""), Pair("Question 3?", "new", "")]
    splits, audit = split_pairs(repeated, valid=3, heldout=5, seed=0, name="x")
    questions = {split: {r["question"].lower() for r in splits[split]} for split in splits}
    assert [len(questions[s]) for s in ("train", "valid", "heldout")] == [12, 3, 5]
    assert len(set().union(*questions.values())) == 20
    assert audit["repeated_pairs_dropped"] == 1
    assert sum(audit["pairs"].values()) == 41


def test_split_depends_on_its_seed_alone():
    first = split_pairs(pairs(40), 3, 5, seed=0, name="x")
    assert first == split_pairs(pairs(40), 3, 5, seed=0, name="x")
    assert first != split_pairs(pairs(40), 3, 5, seed=1, name="x")


def test_too_few_questions():
    with pytest.raises(UserError, match=r"lora\.datasets\.x\.splits: .* 8 questions, but .* 8"):
        split_pairs(pairs(16), 3, 5, seed=0, name="x")


def test_prompt_and_answer_make_the_whole_text():
    prompt = prompt_text(TEMPLATE, "why {answer}?")
    assert prompt == "<human>: why {answer}?\n<assistant>:"
    assert answer_text(TEMPLATE + "\n", "so") == " so\n"
