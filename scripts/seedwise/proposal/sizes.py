"""How large a model this machine can train in the time that is given."""

import math
import os
import shutil
import time
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from seedwise.machine.device import multiplies_bfloat16

_SECONDS_PER_UPDATE = 0.008
_EFFICIENCY = 0.25
"""Share of a large matrix product's speed that training a small model reaches."""

_ENCODER_EFFICIENCY = 0.5
"""The same of a published encoder, whose products are larger; twice that in native bfloat16."""
_OTHER_MINUTES = 1.5
"""What all steps beside training take."""

# Width of an encoder, and the learning rate at which encoders no wider are fine-tuned.
_LEARNING_RATES = ((512, 1e-4), (768, 3e-5), (math.inf, 1e-5))

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
    gpu = shutil.which("nvidia-smi") is not None
    # The fastest product is the one that nothing else on the machine disturbed.
    flops = 2 * 512**3 / min(seconds)
    return Machine(cores, 50 * flops if gpu else flops, gpu, multiplies_bfloat16())


def _max_tokens(lengths: np.ndarray) -> int:
    """Return a power of two up to 512; nineteen in twenty texts have at most as many tokens."""
    longest = float(np.percentile(lengths, 95))
    return 1 << min(9, max(5, math.ceil(math.log2(longest))))


@dataclass(frozen=True)
class Tuning:
    """How a published encoder is fine-tuned, and the minutes that a study is expected to take."""

    max_tokens: int
    learning_rate: float
    batch_size: int
    epochs: int
    minutes: float


def choose_tuning(
    sizes: dict[str, int | None],
    *,
    texts: int,
    evaluated: tuple[int, int],
    lengths: np.ndarray,
    runs: int,
    machine: Machine,
) -> Tuning:
    """Return how to fine-tune a published encoder.

    Batches of 32 and three epochs are within what BERT's authors recommend (Devlin et al. 2019,
    appendix A.3); few texts are read more often (Mosbach et al. 2021).

    Args:
        sizes: `layers`, `embed_dim`, `ffn_dim` and `max_positions` of the encoder.
        texts: Number of training texts.
        evaluated: Numbers of validation and test texts.
        lengths: Tokens of some of the texts.
        runs: Number of runs.
        machine: Where the study is to run.
    """
    layers, width, ffn = (sizes[name] or 0 for name in ("layers", "embed_dim", "ffn_dim"))
    max_tokens = min(_max_tokens(lengths), sizes["max_positions"] or 512)
    tokens = min(float(np.mean(lengths)), max_tokens)
    epochs = min(10, max(3, round(200 / math.ceil(texts / 32))))
    # Forward two operations per weight and token, backward twice as many.
    passes = epochs * (3 * texts + evaluated[0]) + evaluated[1]
    operations = passes * tokens * 2 * layers * (4 * width**2 + 2 * width * ffn)
    speed = _ENCODER_EFFICIENCY * machine.flops * (2 if machine.bfloat16 else 1)
    rounds = math.ceil(runs / (1 if machine.gpu else machine.cores))
    rate = next(rate for widest, rate in _LEARNING_RATES if width <= widest)
    minutes = rounds * operations / speed / 60 + _OTHER_MINUTES
    return Tuning(max_tokens, rate, 32, epochs, minutes)


def choose_sizes(
    *,
    texts: int,
    corpus_texts: int,
    lengths: np.ndarray,
    runs: int,
    machine: Machine,
    minutes: int,
) -> Plan:
    """Return the largest model whose study takes about ``minutes``, or else the smallest.

    Args:
        texts: Number of training texts.
        corpus_texts: Number of texts to pre-train on.
        lengths: Tokens of some of the texts.
        runs: Number of runs.
        machine: Where the study is to run.
        minutes: The budget.
    """
    max_positions = _max_tokens(lengths)
    tokens = min(float(np.mean(lengths)), max_positions)
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
        total = (tuning + updates * update) / 60 + _OTHER_MINUTES
        if plan is None or total <= minutes:
            plan = Plan(
                layers, width, ffn, heads, max_positions, learning_rate,
                batch_size, epochs, updates, total,
            )  # fmt: skip
    assert plan is not None
    return plan
