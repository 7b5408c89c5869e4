"""What fairseq-preprocess writes, byte for byte, from ids instead of words."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from seedwise.files import atomic
from seedwise.tokens.indexed import Batch, fitting_type, lists, write_batches
from seedwise.tokens.vocabulary import EOS_ID, UNK_ID


def with_end(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield the texts with ``</s>`` after each."""
    for tokens, sizes in batches:
        yield np.insert(tokens, np.cumsum(sizes), EOS_ID), sizes + 1


def binarize(splits: dict[str, Iterable[Batch]], dictionary: Path, output: Path) -> None:
    """Write ``{split}.bin``, ``{split}.idx`` and ``dict.txt`` into the folder ``output``.

    Args:
        splits: the texts without ``</s>``, by split (`train`, `valid`, `test`).
        dictionary: the fairseq dictionary that numbers their tokens.
        output: the folder; its ``dict.txt`` comes last.
    """
    symbols = UNK_ID + 1 + dictionary.read_bytes().count(b"\n")
    for split, batches in splits.items():
        write_batches(output / split, with_end(batches), fitting_type(symbols))
    with atomic(output / "dict.txt") as partial:
        shutil.copyfile(dictionary, partial)


def label_batches(path: Path) -> Iterator[Batch]:
    """Yield a token per line of ``path``, which holds a label's number on each."""
    with path.open(encoding="ascii") as stream:
        for lines in lists(stream):
            numbers = np.array([int(line) for line in lines])
            yield numbers + UNK_ID + 1, np.ones_like(numbers)
