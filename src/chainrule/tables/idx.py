"""IDX files, in which MNIST and its successors come, and tables made of them.

Format (LeCun, Cortes, Burges, "The MNIST database", file formats): two zero bytes, one byte for the type, one for the
number of dimensions, each dimension as a 32-bit big-endian number, then the values, big-endian, the last dimension
varying fastest.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from chainrule.errors import DataError

if TYPE_CHECKING:
    import io

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_DEFLATE_LIMIT = 1032  # deflate never makes more than this many bytes of one
_FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
COLLECTIONS = {"mnist": "digit", "fashion_mnist": "item"}
"""Collections of IDX files, and the column that holds their labels."""


class Collection(NamedTuple):
    """One of the two parts of a collection, and the folder that holds its files.

    Attributes:
        name: of `COLLECTIONS`.
        test: whether the test rows are meant, and not those to train on.
        folder: as it was written; empty where it was left out.
    """

    name: str
    test: bool
    folder: str


def collection_of(source: str) -> Collection | None:
    """What ``mnist:FOLDER`` and ``mnist_test:FOLDER`` mean; None where no collection is named.

    >>> collection_of("mnist_test:data"), collection_of("data/mnist.csv")
    (Collection(name='mnist', test=True, folder='data'), None)
    """
    part, _, folder = source.partition(":")
    name = part.removesuffix("_test")
    return Collection(name, part != name, folder) if name in COLLECTIONS else None


def read_idx(path: str | Path) -> npt.NDArray[Any]:
    """The array of an IDX file, compressed with gzip or not; its size is checked before anything is allocated.

    Raises:
        DataError: for a file that is missing, of another format, cut off or too long.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                return _read(raw, str(path), most=path.stat().st_size)
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return _read(unpacked, str(path), most=_DEFLATE_LIMIT * path.stat().st_size)
    except FileNotFoundError:
        raise DataError("there is no such file", where=str(path)) from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise _broken(path, "the compressed data are cut off or broken") from None
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror or error}", where=str(path)) from None


def _read(stream: io.BufferedIOBase | gzip.GzipFile, name: str, *, most: int) -> npt.NDArray[Any]:
    """Header, then exactly as many values as it promises; `most` is what the file can hold at all."""
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES:
        raise DataError(
            "the file does not begin as an IDX file", where=name, expected="bytes 00 00 08 …", got=start.hex(" ")
        )
    dtype, header = np.dtype(_TYPES[start[2]]), stream.read(4 * start[3])
    shape = tuple(int(length) for length in np.frombuffer(header[: len(header) // 4 * 4], ">u4"))
    if len(header) < 4 * start[3] or start[3] == 0:
        raise _broken(name, "the header is cut off")
    size = math.prod(shape) * dtype.itemsize
    if size > most:
        raise _broken(name, f"the header promises {size:,} bytes of values {shape}, more than the file can hold")
    data = stream.read(size + 1)
    if len(data) != size:
        had = f"only {len(data):,}" if len(data) < size else "more"
        raise _broken(name, f"the header promises {size:,} bytes of values {shape}, and there are {had}")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _broken(name: str | Path, what: str) -> DataError:
    """The error for a file that is not whole."""
    return DataError(what, where=str(name), mend="Copy or download the file again")


def read_collection(name: str, folder: str | Path, *, test: bool) -> pl.DataFrame:
    """The training or test rows of MNIST or Fashion-MNIST from the folder that holds its four files.

    Returns:
        One row for each picture: `pixel_0_0` ... `pixel_27_27` (row, column; 0 to 255), then the label.

    Raises:
        DataError: where a file is missing or broken, or pictures and labels do not fit together.
    """
    part = "t10k" if test else "train"
    pictures = read_idx(_find(Path(folder).expanduser(), f"{part}-images", 3))
    labels = read_idx(_find(Path(folder).expanduser(), f"{part}-labels", 1))
    if pictures.ndim != 3 or labels.shape != pictures.shape[:1]:
        what = f"pictures of shape {pictures.shape} do not fit labels of shape {labels.shape}"
        raise DataError(what, where=str(folder), mend="The files of one collection belong together")
    _, height, width = pictures.shape
    names = [f"pixel_{row}_{column}" for row in range(height) for column in range(width)]
    columns = np.ascontiguousarray(pictures.reshape(len(pictures), -1).T)
    frame = pl.DataFrame({key: columns[place] for place, key in enumerate(names)})
    return frame.with_columns(_labels(labels, name, folder).alias(COLLECTIONS[name]))


def _labels(labels: npt.NDArray[Any], name: str, folder: str | Path) -> pl.Series:
    """The column of labels: digits as numbers, pieces of clothing by their names."""
    if labels.size and (labels.min() < 0 or labels.max() > 9):
        raise DataError(f"a label is {labels.max()}", where=str(folder), expected="labels from 0 to 9")
    series = pl.Series(labels)
    return series.replace_strict(dict(enumerate(_FASHION))) if name == "fashion_mnist" else series


def _find(folder: Path, stem: str, dimensions: int) -> Path:
    """The file under one of the names under which it is handed round."""
    names = [f"{stem}{dot}idx{dimensions}-ubyte{end}" for dot in "-." for end in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    what = f"there is no {names[0]}" if folder.is_dir() else "there is no such folder"
    raise DataError(what, where=str(folder), mend=f"The folder must hold {names[0]} or {names[1]}")
