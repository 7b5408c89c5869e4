import pytest

from seedwise.errors import UserError
from seedwise.lora.questions import Pair, answer_text, prompt_text, split_pairs

TEMPLATE = "<human>: {question}\n<assistant>: {answer}"


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
