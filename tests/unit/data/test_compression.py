"""Compressed files: what is in them comes back; damaged ones and bombs are one message."""

import gzip

import pyarrow
import pytest

from seedwise.data import archives
from seedwise.data.compression import inner_name, is_compressed, open_file
from seedwise.errors import UserError

TEXT = "".join(f"une ligne numéro {n}, café\n" for n in range(50_000)).encode()
PACK = {
    "gz": gzip.compress,
    "zst": lambda data: pyarrow.compress(data, "zstd", asbytes=True),
}


def read(*place):
    with open_file(*place) as stream:
        return stream.read()


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("a.csv.gz", "a.csv"),
        ("a.b/c.JSONL.ZST", "a.b/c.JSONL"),
        ("a.tar.gz", "a.tar.gz"),
        ("a.csv", "a.csv"),
        ("gz", "gz"),
    ],
)
def test_names(name, inner):
    assert inner_name(name) == inner
    assert is_compressed(name) == (inner != name)


@pytest.mark.parametrize("ending", PACK)
def test_the_content_comes_back(tmp_path, ending):
    path = tmp_path / f"a.csv.{ending}"
    path.write_bytes(PACK[ending](TEXT))
    assert read(path) == read(tmp_path, path.name) == TEXT
    # As `cat` joins two of them.
    path.write_bytes(PACK[ending](TEXT) + PACK[ending](b"the end"))
    assert read(path) == TEXT + b"the end"


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("spoil", ["cut", "flipped", "other", "empty"])
def test_damage_is_one_message(tmp_path, ending, spoil):
    packed = PACK[ending](TEXT)
    middle = len(packed) // 2
    path = tmp_path / f"a.csv.{ending}"
    path.write_bytes({
        "cut": packed[:-9],
        "flipped": packed[:middle] + bytes([packed[middle] ^ 255]) + packed[middle + 1 :],
        "other": TEXT,
        "empty": b"",
    }[spoil])  # fmt: skip
    if spoil == "empty":
        assert read(path) == b""  # which a table refuses
        return
    with pytest.raises(UserError, match=rf"^a\.csv\.{ending}: damaged or cut short") as caught:
        read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", PACK)
def test_a_bomb_is_refused(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(archives, "FREE_BYTES", 1 << 20)
    path = tmp_path / f"a.csv.{ending}"
    path.write_bytes(PACK[ending](bytes(64 << 20)))
    with pytest.raises(UserError, match="refused, unpacks to more than"):
        read(path)
