"""Gather a model's corpus: training and unlabelled texts, without any held-out text.

Inputs: ``train`` and ``unlabelled`` (JSONL of the model's corpus data sets), ``held_out`` (JSONL
of every validation and test split of the study). Outputs: one text a line, each text once;
``valid`` holds a few texts out, to follow the pre-training loss, and ``train`` is dealt out to
shards, so that each holds texts of every source. The texts are read twice and never all in memory,
only eight bytes of each.
"""

import contextlib
import hashlib
import logging
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from seedwise.data.texts import BETWEEN, text_of
from seedwise.files import atomic, read_jsonl
from seedwise.step import step

logger = logging.getLogger(__name__)


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one space."""
    return " ".join(text.split())


def _fingerprint(text: str) -> bytes:
    """Return eight bytes that stand for ``text`` in a set: memory stays small for many texts."""
    return hashlib.blake2b(text.casefold().encode(), digest_size=8).digest()


def lines(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the texts of these files, each of a pair by itself, as `one_line`."""
    for path in paths:
        for record in read_jsonl(path):
            yield from (one_line(text) for text in text_of(record).split(BETWEEN))


def unseen(texts: Iterable[str], seen: set[bytes]) -> Iterator[str]:
    """Yield each text whose fingerprint is not in ``seen``, and add it there."""
    for text in texts:
        fingerprint = _fingerprint(text)
        if text and fingerprint not in seen:
            seen.add(fingerprint)
            yield text


def main(
    *,
    train: list[Path],
    unlabelled: list[Path],
    held_out: list[Path],
    output_train: list[Path],
    output_valid: Path,
    valid_texts: int,
    seed: int,
) -> None:
    """Write the corpus, in each shard in the order of its sources; ``seed`` draws ``valid``."""
    left_out = set(map(_fingerprint, lines(held_out)))

    def texts() -> Iterator[str]:
        return unseen(lines([*train, *unlabelled]), set(left_out))

    count = sum(1 for _ in texts())
    valid_texts = min(valid_texts, count // 10)
    chosen = set(random.Random(seed).sample(range(count), valid_texts))
    with contextlib.ExitStack() as stack:
        *train_streams, valid_stream = (
            stack.enter_context(
                stack.enter_context(atomic(path)).open("w", encoding="utf-8", newline="\n")
            )
            for path in (*output_train, output_valid)
        )
        for index, text in enumerate(texts()):
            shard = train_streams[index % len(train_streams)]
            (valid_stream if index in chosen else shard).write(text + "\n")
    logger.info(
        "%d texts to train on, %d held out; %d different validation and test texts are kept away",
        count - valid_texts,
        valid_texts,
        len(left_out),
    )


if __name__ == "__main__":
    with step(snakemake):
        main(
            train=[Path(path) for path in snakemake.input.train],
            unlabelled=[Path(path) for path in snakemake.input.unlabelled],
            held_out=[Path(path) for path in snakemake.input.held_out],
            output_train=[Path(path) for path in snakemake.output.train],
            output_valid=Path(snakemake.output.valid),
            valid_texts=snakemake.params.valid_texts,
            seed=snakemake.params.seed,
        )
