"""fairseq's binary token files (`MMapIndexedDataset`), read and written without fairseq.

`{prefix}.bin` holds the token ids of all texts, one after the other, and `{prefix}.idx` their
lengths. Both are written as they come, so that memory stays flat however long the text is.
"""

import itertools
import struct
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from seedwise.files import atomic

MAGIC = b"MMIDIDX\x00\x00"
_HEADER = "<9sQBQ"
HEADER_BYTES = struct.calcsize(_HEADER)
TEXTS_PER_BATCH = 4096

_TYPES = {
    1: np.uint8,
    2: np.int8,
    3: np.int16,
    4: np.int32,
    5: np.int64,
    8: np.uint16,
    9: np.uint32,
    10: np.uint64,
}
_CODES = {np.dtype(kind): code for code, kind in _TYPES.items()}

Item = TypeVar("Item")

Batch = tuple[np.ndarray, np.ndarray]
"""The token ids of some texts, shape (tokens,), and the length of each text, shape (texts,)."""


def fitting_type(symbols: int) -> np.dtype:
    """Return the type in which fairseq-preprocess writes the ids of a dictionary of this size."""
    return np.dtype(np.uint16 if symbols < 65500 else np.uint32)


def lists(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items in lists of at most `TEXTS_PER_BATCH`."""
    items = iter(items)
    while batch := list(itertools.islice(items, TEXTS_PER_BATCH)):
        yield batch


def write_batches(prefix: Path, batches: Iterable[Batch], kind: np.dtype) -> int:
    """Write ``{prefix}.bin`` and ``{prefix}.idx`` with ids of the type ``kind``.

    Returns:
        The number of texts.
    """
    lengths = array("i")
    with atomic(prefix.with_suffix(".bin")) as partial, partial.open("wb") as stream:
        for tokens, sizes in batches:
            stream.write(tokens.astype(kind).tobytes())
            lengths.frombytes(sizes.astype(np.int32).tobytes())
    with atomic(prefix.with_suffix(".idx")) as partial, partial.open("wb") as stream:
        stream.write(struct.pack(_HEADER, MAGIC, 1, _CODES[kind], len(lengths)))
        lengths.tofile(stream)
        start = 0
        for first in range(0, len(lengths), TEXTS_PER_BATCH):
            sizes = np.array(lengths[first : first + TEXTS_PER_BATCH], dtype=np.int64)
            ends = start + np.cumsum(sizes)
            stream.write(((ends - sizes) * kind.itemsize).tobytes())
            start = int(ends[-1])
    return len(lengths)


def _read_lengths(prefix: Path) -> tuple[np.ndarray, np.dtype]:
    path = prefix.with_suffix(".idx")
    with path.open("rb") as stream:
        header = stream.read(HEADER_BYTES)
        if len(header) == HEADER_BYTES:
            magic, version, code, count = struct.unpack(_HEADER, header)
            if magic == MAGIC and version == 1:
                return np.fromfile(stream, dtype=np.int32, count=count), np.dtype(_TYPES[code])
    raise ValueError(f"{path} is not an index that fairseq-preprocess wrote")


def count_texts(prefix: Path) -> int:
    """Return how many texts ``{prefix}.bin`` holds."""
    return len(_read_lengths(prefix)[0])


def read_batches(prefix: Path) -> Iterator[Batch]:
    """Yield the texts of ``{prefix}.bin``, at most `TEXTS_PER_BATCH` at a time."""
    lengths, kind = _read_lengths(prefix)
    with prefix.with_suffix(".bin").open("rb") as stream:
        for first in range(0, len(lengths), TEXTS_PER_BATCH):
            sizes = lengths[first : first + TEXTS_PER_BATCH]
            yield np.fromfile(stream, dtype=kind, count=sizes.sum(dtype=np.int64)), sizes


def read_texts(prefix: Path) -> list[np.ndarray]:
    """Return the token ids of each text in ``{prefix}.bin``, each of shape (tokens,).

    The ids end with ``</s>`` and do not begin with ``<s>``, as fairseq-preprocess writes them.
    """
    return [
        text
        for tokens, sizes in read_batches(prefix)
        for text in np.split(tokens, np.cumsum(sizes)[:-1])
    ]
