"""What a study of somebody's own data could look like: columns, labels, and sizes that fit.

Guesses, each of which ends in a line of a configuration that its reader can change.
"""

import math
import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from seedwise.errors import UserError

MOST_LABELS = 50
MOST_RATINGS = 10
"""More different numbers than this are a rating to be cut into ranges, not classes."""

_TEXT_NAMES = ("text", "review", "sentence", "comment", "tweet", "content", "body", "message")
_LABEL_NAMES = ("label", "sentiment", "class", "category", "target", "polarity", "stars", "rating")
# A split is known by a word in its file's name.
_SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "test": "test",
    "unlabelled": "unlabelled",
    "unlabeled": "unlabelled",
    "unsupervised": "unlabelled",
}

PIECES_PER_WORD = 1.6
"""Rough: what SentencePiece makes of a word of a small vocabulary, punctuation included."""

_SECONDS_PER_UPDATE = 0.008
_EFFICIENCY = 0.25
"""Share of a large matrix product's speed that training a small model reaches."""

# Layers, width, feed-forward width, heads, learning rate of fine-tuning; smallest first.
_SIZES = (
    (1, 64, 128, 2, 5e-4),
    (2, 128, 256, 4, 3e-4),
    (2, 256, 256, 4, 2e-4),
    (4, 256, 1024, 4, 1e-4),
    (6, 512, 2048, 8, 5e-5),
)


@dataclass(frozen=True)
class Machine:
    """What a study may use.

    Attributes:
        cores: Processor cores this process may run on.
        flops: Float32 operations per second of one core, or of the GPU.
        gpu: Whether there is one.
        bfloat16: Whether the processor multiplies bfloat16 by itself.
    """

    cores: int
    flops: float
    gpu: bool
    bfloat16: bool


@dataclass(frozen=True)
class Plan:
    """The sizes of a study, and the minutes that they are expected to take."""

    layers: int
    embed_dim: int
    ffn_dim: int
    attention_heads: int
    max_positions: int
    learning_rate: float
    batch_size: int
    epochs: int
    updates: int
    minutes: float


def this_machine() -> Machine:
    """Look at cores and GPU, and time some matrix products."""
    matrix = np.ones((512, 512), dtype=np.float32)
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    seconds = []
    with threadpool_limits(1):  # threads that wait for each other count as processor time
        for _ in range(20):
            started = time.process_time()
            matrix @ matrix
            seconds.append(time.process_time() - started)
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    gpu = shutil.which("nvidia-smi") is not None
    # The fastest product is the one that nothing else on the machine disturbed.
    flops = 2 * 512**3 / min(seconds)
    return Machine(cores, 50 * flops if gpu else flops, gpu, "avx512_bf16" in flags)


def split_of(name: str) -> str | None:
    """Return the split that a file's name speaks of; None if it speaks of none."""
    words = re.split(r"[^a-z]+", name.lower())
    return next((_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS), None)


def _named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the column with one of these names, or with one in its name; the best name first."""
    for fits in (str.__eq__, str.__contains__):
        for name in names:
            for column in columns:
                if fits(str(column).lower(), name):
                    return column
    return None


def has_header(table: pd.DataFrame) -> bool:
    """Tell whether the first row names the columns: none of its values stands below it."""
    first, rest = table.iloc[0], table.iloc[1:]
    return not any(first[column] in set(rest[column]) for column in table) and first.is_unique


def text_column(table: pd.DataFrame) -> str:
    """Return the column that looks most like texts: by its name, or the longest one."""
    named = _named([c for c in table if _mean_length(table[c]) > 0], _TEXT_NAMES)
    return named or max(table, key=lambda column: _mean_length(table[column]))


def _mean_length(column: pd.Series) -> float:
    return float(column.str.len().mean())


def label_column(table: pd.DataFrame, text: str) -> str:
    """Return the column that looks most like labels: by its name, or the one with the fewest.

    Raises:
        UserError: No column has between 2 and `MOST_LABELS` different values.
    """
    counts = {column: table[column].nunique() for column in table if column != text}
    most = min(MOST_LABELS, max(2, len(table) // 5))
    possible = [column for column, count in counts.items() if 2 <= count <= most]
    named = _named(list(counts), _LABEL_NAMES)
    if named in possible or (named and counts[named] > MOST_RATINGS and _numeric(table[named])):
        return named
    if not possible:
        raise UserError(
            f"no column looks like labels, with 2 to {most} different values: "
            + (", ".join(f"{column!r} has {count:,}" for column, count in counts.items()) or "none")
            + "; name it with --label"
        )
    return min(possible, key=lambda column: counts[column])


def _numeric(values: pd.Series) -> bool:
    return bool(pd.to_numeric(values, errors="coerce").notna().all())


def labels_of(values: pd.Series) -> list[str]:
    """Return the labels in class order: numbers by size, words by the alphabet.

    Raises:
        UserError: They are ratings, or too many or too few.
    """
    found = sorted({value for value in values if value})
    if len(found) > MOST_RATINGS and _numeric(values):
        raise UserError(
            f"column {values.name!r} holds {len(found):,} different numbers: a rating. Write the "
            "study by hand and give each label its range, as config.yaml does "
            "(`labels: {negative: {below: -0.5}, positive: {above: 0.5}}`, `rating: column`)"
        )
    if not 2 <= len(found) <= MOST_LABELS:
        raise UserError(
            f"column {values.name!r} holds {len(found):,} different labels; 2 to {MOST_LABELS} are "
            "expected; name another one with --label"
        )
    return sorted(found, key=lambda v: (float(v), v)) if _numeric(pd.Series(found)) else found


def choose_sizes(
    *,
    texts: int,
    corpus_texts: int,
    words: Sequence[int],
    runs: int,
    machine: Machine,
    minutes: int,
) -> Plan:
    """Return the largest model whose study takes about ``minutes``, or else the smallest.

    Args:
        texts: Number of training texts.
        corpus_texts: Number of texts to pre-train on.
        words: Words of some of the texts.
        runs: Number of runs.
        machine: Where the study is to run.
        minutes: The budget.
    """
    longest = PIECES_PER_WORD * float(np.percentile(words, 95)) + 2
    max_positions = 1 << min(9, max(5, math.ceil(math.log2(longest))))
    tokens = min(PIECES_PER_WORD * float(np.mean(words)) + 2, max_positions)
    batch_size = 8 if texts < 10_000 else 32
    per_epoch = math.ceil(texts / batch_size)
    epochs = min(10, max(3, round(1500 / per_epoch)))
    workers = 1 if machine.gpu else machine.cores
    plan: Plan | None = None
    for layers, width, ffn, heads, learning_rate in _SIZES:
        weights = layers * (4 * width**2 + 2 * width * ffn)
        # Forward and backward: six operations per weight and token.
        seconds_per_token = 6 * weights / (_EFFICIENCY * machine.flops)
        run = epochs * (1.2 * texts * tokens * seconds_per_token + per_epoch * _SECONDS_PER_UPDATE)
        tuning = run * math.ceil(runs / workers)
        update = 8 * max_positions * 1.5 * seconds_per_token + 2 * _SECONDS_PER_UPDATE
        passes = 20 * corpus_texts * tokens / (8 * max_positions)
        updates = int(min(max(60 * minutes - tuning, 0) / 2 / update, passes, 5000))
        updates = max(100, updates // 100 * 100)
        total = (tuning + updates * update) / 60 + 1.5  # all steps beside training
        if plan is None or total <= minutes:
            plan = Plan(
                layers, width, ffn, heads, max_positions, learning_rate,
                batch_size, epochs, updates, total,
            )  # fmt: skip
    assert plan is not None
    return plan
