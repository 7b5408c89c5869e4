"""Questions and answers: pairs of them, splits where no question leaks, prompts."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from seedwise.errors import UserError

SPLITS = ("train", "valid", "heldout")
TEMPLATE_ANSWER = "{answer}"
# As `seedwise.data.tables` yields them: number, what messages call it, values.
Record = tuple[int, str, dict[str, Any]]


@dataclass(frozen=True)
class Pair:
    """A question and its answer, and where they stood (``file, record n``)."""

    question: str
    answer: str
    where: str


def conversations(text: str, name: str, fields: Sequence[str]) -> Iterator[Record]:
    """Yield the first turns of each conversation, as chatterbot-corpus writes them in YAML.

    Raises:
        UserError: ``text``, of the file ``name``, is written otherwise.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{name}: is not valid conversations: {error}") from None
    found = document.get("conversations") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise UserError(f"{name}: must have a list `conversations`")
    for number, turns in enumerate(found, start=1):
        where = f"{name}, record {number}"
        if not isinstance(turns, list):
            raise UserError(f"{where} must be a list of turns, not {str(turns)[:60]!r}")
        yield number, where, dict(zip(fields, turns, strict=False))


def pairs_of(records: Iterable[Record], fields: Sequence[str]) -> Iterator[Pair]:
    """Yield the pairs of a file's records, white space around their texts removed.

    Raises:
        UserError: A record lacks one of the two ``fields``, or holds no text or an empty one there.
    """
    for _, where, record in records:
        texts = []
        for field in fields:
            if field not in record:
                present = ", ".join(map(repr, record)) or "nothing"
                raise UserError(f"{where} has no field {field!r}; it has {present}")
            text = record[field]
            if not isinstance(text, str) or not text.strip():
                raise UserError(f"{where}: the {field!r} is {text!r}; it must be a text, not empty")
            texts.append(text.strip())
        yield Pair(*texts, where)


def question_key(question: str) -> str:
    """Return what makes two questions the same: letters regardless of case and spacing."""
    return " ".join(question.casefold().split())


def split_pairs(
    pairs: Iterable[Pair], valid: int, heldout: int, seed: int, name: str
) -> tuple[dict[str, list[dict[str, str]]], dict[str, Any]]:
    """Split pairs at random, by question, and audit them.

    Repeated pairs are kept once. All answers to one question stand in the same split.

    Args:
        pairs: Questions and answers.
        valid: Different questions in the validation split.
        heldout: Different questions in the held-out split.
        seed: Seed of the draw.
        name: Name of the data set, for messages.

    Returns:
        Records ``{"id", "question", "answer"}`` by split, and the counts of the audit.

    Raises:
        UserError: No question is left for training.
    """
    by_question: dict[str, dict[str, Pair]] = {}
    total = 0
    for pair in pairs:
        total += 1
        answers = by_question.setdefault(question_key(pair.question), {})
        answers.setdefault(pair.answer, pair)
    keys = sorted(by_question)
    if len(keys) <= valid + heldout:
        raise UserError(
            f"lora.datasets.{name}.splits: valid and heldout ask for {valid + heldout} questions, "
            f"but there are {len(keys)} different ones and training needs at least one"
        )
    random.Random(seed).shuffle(keys)
    parts = {
        "heldout": keys[:heldout],
        "valid": keys[heldout : heldout + valid],
        "train": keys[heldout + valid :],
    }
    splits = {
        split: [
            {"id": f"{split}-{number}", "question": pair.question, "answer": pair.answer}
            for number, pair in enumerate(
                (pair for key in parts[split] for pair in by_question[key].values()), start=1
            )
        ]
        for split in SPLITS
    }
    kept = sum(map(len, splits.values()))
    audit = {
        "records": total,
        "repeated_pairs_dropped": total - kept,
        "questions": {split: len(parts[split]) for split in SPLITS},
        "pairs": {split: len(splits[split]) for split in SPLITS},
        "questions_with_several_answers": sum(len(a) > 1 for a in by_question.values()),
    }
    return splits, audit


def split_template(template: str) -> tuple[str, str, str]:
    """Split a prompt template into prompt, white space before the answer, and what follows it.

    The white space goes with the answer: pieces of byte-level BPE begin with it, so a prompt
    that ends in a space would be cut where no training text of the base model ever was.
    """
    head, tail = template.split(TEMPLATE_ANSWER)
    prompt = head.rstrip(" ")
    return prompt, head[len(prompt) :], tail


def prompt_text(template: str, question: str) -> str:
    """Return the text from which an answer to ``question`` is generated."""
    return split_template(template)[0].replace("{question}", question)


def answer_text(template: str, answer: str) -> str:
    """Return the text that follows `prompt_text`, up to the end token."""
    _, space, tail = split_template(template)
    return space + answer + tail
