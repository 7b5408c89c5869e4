"""Measure processes, the processor's matrix rate, and what a pass over texts computes."""

import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

JOBS = Path(__file__).with_name("jobs.py")


@dataclass(frozen=True)
class Cost:
    """What a process cost.

    Attributes:
        seconds: wall time.
        peak_mib: its largest resident memory, in MiB; NaN where it did not say.
    """

    seconds: float
    peak_mib: float = math.nan


def run(
    command: Sequence[str | Path], log: Path, cwd: Path | None = None, threads: int | None = None
) -> Cost:
    """Run a command, its output in ``log``, and return how long it took.

    Args:
        command: the program and its arguments.
        log: where its output goes.
        cwd: the folder it runs in.
        threads: so many for every library; by default each decides itself, as for a user.

    Raises:
        RuntimeError: it failed.
    """
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in command]
    started = time.monotonic()
    with log.open("w") as stream:
        done = subprocess.run(words, stdout=stream, stderr=stream, cwd=cwd, env=environment)
    seconds = time.monotonic() - started
    if done.returncode:
        end = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(words)} failed:\n{end}")
    return Cost(seconds)


def run_job(job: str, folder: Path, seed: int = 0, threads: int | None = None) -> Cost:
    """Run a job of `jobs.py` on the prepared ``folder``; see `run`."""
    output = folder / "out" / f"{job}-{seed}"
    command = [sys.executable, JOBS, job, folder, output, "--seed", str(seed)]
    cost = run(command, folder / "logs" / f"{job}-{seed}.log", threads=threads)
    return Cost(cost.seconds, float((output / "peak_mib").read_text()))


def middle(costs: Sequence[Cost]) -> Cost:
    """Return the medians."""
    return Cost(median(c.seconds for c in costs), median(c.peak_mib for c in costs))


def commit() -> str:
    """Return the commit that is measured."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, cwd=JOBS.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def useful_operations(
    lengths: Sequence[int], architecture: dict[str, int], training: bool
) -> float:
    """Return the floating-point operations of the matrix products that classify texts.

    Two per multiplication, padding not counted, biases and normalisation neglected: per token
    8 D² for the projections of attention and 4 D F for the feed-forward network, per text of L
    tokens 4 L² D for the attention itself; backward, twice as much. In the last layer, a class
    depends on the keys and values of every token and on the first token alone for the rest.

    Args:
        lengths: tokens of each text.
        architecture: sizes of the encoder (D: ``embed_dim``, F: ``ffn_dim``).
        training: whether gradients are computed, too.
    """
    width, inner = architecture["embed_dim"], architecture["ffn_dim"]
    per_layer = sum(
        length * (8 * width**2 + 4 * width * inner) + 4 * length**2 * width for length in lengths
    )
    last = sum(
        length * 4 * width**2 + 4 * width**2 + 4 * width * inner + 4 * length * width
        for length in lengths
    )
    return float(((architecture["layers"] - 1) * per_layer + last) * (3 if training else 1))


def matrix_rate(bfloat16: bool, threads: int, size: int = 2048) -> float:
    """Return the floating-point operations a second that a product of two matrices reaches."""
    import torch

    torch.set_num_threads(threads)
    matrix = torch.ones(size, size, dtype=torch.bfloat16 if bfloat16 else torch.float32)
    seconds = []
    for _ in range(8):
        started = time.monotonic()
        matrix @ matrix
        seconds.append(time.monotonic() - started)
    return 2 * size**3 / min(seconds)
