"""Count what a reader of the results should know about the texts."""

import itertools
import statistics
from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Any

from seedwise.data.examples import Example
from seedwise.data.texts import BETWEEN, word_count
from seedwise.study.labels import SCORE

_SHOWN_IDS = 5


def spread(values: Sequence[Any]) -> dict[str, float] | None:
    """Return minimum, median, mean and maximum; None of nothing."""
    if not values:
        return None
    return {
        "min": min(values),
        "median": statistics.median(values),
        "mean": round(statistics.fmean(values), 2),
        "max": max(values),
    }


def audit_split(examples: list[Example], labels: list[str]) -> dict[str, Any]:
    """Return size, label counts or scores, lengths, empty and duplicate texts of one split.

    Lengths are in characters (code points) and in words (between white space), of both texts of a
    pair. Duplicates are texts beyond the first of their kind; empty texts are not counted among
    them.
    """
    counts = Counter(example.label for example in examples)
    empty = sum(not example.key for example in examples)
    different = len({example.key for example in examples} - {b""})
    characters, words = array("L"), array("L")
    for text in (example.text for example in examples):
        characters.append(len(text) - text.count(BETWEEN))
        words.append(word_count(text))
    report: dict[str, Any] = {
        "texts": len(examples),
        "empty": empty,
        "duplicates": len(examples) - empty - different,
        "characters": spread(characters),
        "words": spread(words),
    }
    if labels == [SCORE]:
        report["scores"] = spread([example.label for example in examples])
    elif labels:
        report["labels"] = {label: counts[label] for label in labels}
    return report


def mean_score(splits: dict[str, list[Example]]) -> dict[str, float]:
    """Return the training split's mean score, and how far the test split's are from it on average.

    It is what the report measures models of scores against.
    """
    mean = statistics.fmean(example.label for example in splits["train"])
    far = statistics.fmean(abs(example.label - mean) for example in splits["test"])
    return {"score": mean, "test_mae": far}


def shared_texts(splits: dict[str, list[Example]]) -> list[dict[str, Any]]:
    """Return, for each pair of splits, how many different texts stand in both, and some ids."""
    ids: dict[str, dict[bytes, str]] = {}
    for split, examples in splits.items():
        ids[split] = {}
        for example in examples:
            if example.key:
                ids[split].setdefault(example.key, example.id)
    report = []
    for first, second in itertools.combinations(splits, 2):
        both = [key for key in ids[first] if key in ids[second]]
        shown = [[ids[first][key], ids[second][key]] for key in both[:_SHOWN_IDS]]
        report.append({"splits": [first, second], "texts": len(both), "examples": shown})
    return report
