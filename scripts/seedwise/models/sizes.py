"""How large a model this machine can train in the time that is given."""

import math
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

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
