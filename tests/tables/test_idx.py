"""IDX files made here, whole and broken."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import DataError
from chainrule.tables import fit_columns, known_target, read_idx, read_table

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array, code):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for part, rows in (("train", 30), ("t10k", 10)):
        pictures = rng.integers(0, 256, (rows, 3, 2), dtype=np.uint8)
        labels = (np.arange(rows) % 10).astype(np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pictures, 8)))
        (tmp_path / f"{part}-labels.idx1-ubyte").write_bytes(idx(labels, 8))
    return tmp_path


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_every_type(tmp_path, kind, pack):
    array = np.array([[1, 2, 3], [4, 5, 100]], dtype=kind)
    (tmp_path / "a").write_bytes(pack(idx(array, CODES[kind])))
    read = read_idx(tmp_path / "a")
    assert read.dtype == array.dtype
    assert np.array_equal(read, array)


def test_collections(folder):
    train, test = read_table(f"mnist:{folder}"), read_table(f"mnist_test:{folder}")
    assert train.shape == (30, 7)
    assert test.shape == (10, 7)
    assert train.columns == ["pixel_0_0", "pixel_0_1", "pixel_1_0", "pixel_1_1", "pixel_2_0", "pixel_2_1", "digit"]
    pictures = read_idx(folder / "train-images-idx3-ubyte.gz")
    assert np.array_equal(train.drop("digit").to_numpy(), pictures.reshape(30, 6))
    columns = fit_columns(train, "digit", scaling="minmax-matrix")
    low, high = int(pictures.min()), int(pictures.max())
    scaled = ((pictures.reshape(30, 6) - low) / (high - low)).astype(np.float32)
    assert np.array_equal(columns.encode(train), scaled)
    assert read_table(f"fashion_mnist:{folder}")["item"].to_list()[:2] == ["T-shirt/top", "Trouser"]


def test_a_collection_says_what_is_its_target(folder):
    assert cr.train(f"mnist_test:{folder}", epochs=1).columns.target.name == "digit"
    assert known_target(f"fashion_mnist:{folder}") == "item"
    assert known_target("mnist.csv") is None


WHOLE = idx(np.arange(12, dtype=np.uint8).reshape(3, 4), 8)
BROKEN = {
    "cut": (WHOLE[:-1], r"promises 12 bytes of values \(3, 4\), more than the file can hold|only 11"),
    "long": (WHOLE + b"x", "and there are more"),
    "no header": (WHOLE[:7], "the header is cut off"),
    "other": (b"hello world", "does not begin as an IDX file"),
    "other type": (b"\0\0\x07\x01\0\0\0\1x", "does not begin as an IDX file"),
    "absurd": (struct.pack(">BBBB3I", 0, 0, 8, 3, 4_000_000_000, 4_000_000_000, 9), "more than the file can hold"),
    "empty": (b"", "does not begin"),
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_broken_files(tmp_path, fault, pack):
    content, message = BROKEN[fault]
    (tmp_path / "a").write_bytes(pack(content))
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / "a")


def test_broken_compression_and_missing_files(tmp_path, folder):
    (tmp_path / "a").write_bytes(gzip.compress(WHOLE)[:-9])
    with pytest.raises(DataError, match="cut off"):
        read_idx(tmp_path / "a")
    with pytest.raises(DataError, match="there is no such file"):
        read_idx(tmp_path / "b")
    with pytest.raises(DataError, match="there is no such folder"):
        read_table("mnist:/nowhere/at/all")
    (folder / "train-labels.idx1-ubyte").write_bytes(idx(np.zeros(5, np.uint8), 8))
    with pytest.raises(DataError, match=r"pictures of shape \(30, 3, 2\) do not fit labels of shape \(5,\)"):
        read_table(f"mnist:{folder}")
    (folder / "train-labels.idx1-ubyte").write_bytes(idx(np.full(30, 11, np.uint8), 8))
    with pytest.raises(DataError, match="a label is 11"):
        read_table(f"mnist:{folder}")
    (folder / "train-labels.idx1-ubyte").unlink()
    with pytest.raises(DataError, match="there is no train-labels-idx1-ubyte"):
        read_table(f"mnist:{folder}")


def test_pixels_stay_small(folder):
    assert set(read_table(f"mnist:{folder}").dtypes) == {pl.UInt8}
