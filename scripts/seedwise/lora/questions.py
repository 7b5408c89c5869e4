"""Questions and answers: reading them, and splitting them so that no question leaks."""

import csv
import io
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from seedwise.errors import UserError

SPLITS = ("train", "valid", "heldout")
TEMPLATE_ANSWER = "{answer}"


@dataclass(frozen=True)
class Pair:
    """A question and its answer, and where they stood (``file: record n``)."""

    question: str
    answer: str
    where: str


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{name}: line {line} is not UTF-8") from None


def _json_records(text: str, name: str) -> list[Any]:
    document = json.loads(text)
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        document = lists[0] if len(lists) == 1 else None
    if not isinstance(document, list):
        raise UserError(f"{name}: must be a list of objects, or an object with one such list")
    return document


def _jsonl_records(text: str) -> list[Any]:
    # Not splitlines: U+2028 and its like may stand inside a JSON text.
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _conversations(text: str, name: str, fields: tuple[str, str]) -> list[Any]:
    document = yaml.safe_load(text)
    conversations = document.get("conversations") if isinstance(document, dict) else None
    if not isinstance(conversations, list):
        raise UserError(f"{name}: must have a list `conversations`")
    return [
        dict(zip(fields, turns, strict=False)) if isinstance(turns, list) else turns
        for turns in conversations
    ]


def _records(text: str, name: str, layout: str, fields: tuple[str, str]) -> list[Any]:
    try:
        match layout:
            case "json":
                return _json_records(text, name)
            case "jsonl":
                return _jsonl_records(text)
            case "csv":
                return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
            case "conversations":
                return _conversations(text, name, fields)
    except (json.JSONDecodeError, yaml.YAMLError, csv.Error) as error:
        raise UserError(f"{name}: is not valid {layout}: {error}") from None
    raise ValueError(layout)


def read_pairs(
    content: bytes, name: str, layout: str, question: str = "question", answer: str = "answer"
) -> Iterator[Pair]:
    """Yield the pairs of one file, white space around their texts removed.

    Args:
        content: The file, UTF-8 with or without a byte-order mark.
        name: What to call the file in messages.
        layout: ``json``, ``jsonl``, ``csv`` or ``conversations``.
        question: Field of the question; in conversations it is the first turn.
        answer: Field of the answer; in conversations it is the second turn.

    Raises:
        UserError: The file is not as ``layout`` says, a record lacks a field or holds an
            empty text there; the message names file and record (counted from 1).
    """
    for number, record in enumerate(
        _records(_decode(content, name), name, layout, (question, answer)), start=1
    ):
        where = f"{name}: record {number}"
        if not isinstance(record, dict):
            shape = "a list of turns" if layout == "conversations" else "an object"
            raise UserError(f"{where} must be {shape}, not {str(record)[:60]!r}")
        texts = []
        for field in (question, answer):
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
