"""Read fairseq's binary token files (`MMapIndexedDataset`) without fairseq."""

import struct
from pathlib import Path

import numpy as np

MAGIC = b"MMIDIDX\x00\x00"
HEADER_BYTES = len(MAGIC) + 8 + 1 + 8

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


def read_texts(prefix: Path) -> list[np.ndarray]:
    """Return the token ids of each text in ``{prefix}.bin``, each of shape (tokens,).

    The ids end with ``</s>`` and do not begin with ``<s>``, as fairseq-preprocess writes them.
    """
    index = prefix.with_suffix(".idx").read_bytes()
    magic, version, code, count = struct.unpack("<9sQBQ", index[:HEADER_BYTES])
    if magic != MAGIC or version != 1:
        raise ValueError(f"{prefix}.idx is not an index that fairseq-preprocess wrote")
    sizes = np.frombuffer(index, dtype=np.int32, count=count, offset=HEADER_BYTES)
    tokens = np.fromfile(prefix.with_suffix(".bin"), dtype=_TYPES[code])
    return np.split(tokens, np.cumsum(sizes)[:-1])
