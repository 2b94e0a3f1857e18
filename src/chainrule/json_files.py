"""Model files as text: the same record as a safetensors file, and the tensors as lists of numbers.

::

    {"format": 1, "kind": "model", "library": "0.1.0",
     "parts": {"network": {"layers": [...], "loss": {...}, ...}},
     "tensors": {"dense_1.W": [[0.5, -0.25], ...], "dense_1.b": [0.0, 0.0]}}

Each number is written with the fewest digits that give its bits again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from chainrule._version import __version__
from chainrule.errors import FileFormatError
from chainrule.storage import FORMAT, FileKind, Head, Opened, existing_file, read_head

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from chainrule.arrays import Floats

SUFFIX = ".json"


class _Whole(Head):
    """The head and what follows it."""

    tensors: dict[str, Any]


class _OpenedText(Opened):
    """A text file whose head has been read and believed.

    Attributes:
        lists: the numbers, as arrays of float64.
    """

    def __init__(self, path: Path, head: Head, lists: dict[str, Floats]) -> None:
        super().__init__(path, head, {name: (None, values.shape) for name, values in lists.items()})
        self.lists = lists

    def _arrays(self, names: Iterable[str], dtype: str) -> dict[str, Floats]:
        with np.errstate(over="ignore"):  # an infinity is found by whoever asked
            return {name: self.lists[name].astype(dtype) for name in names}


def json_text(parts: Mapping[str, Any], tensors: Mapping[str, Floats]) -> bytes:
    """The text of a model file."""
    record = {
        "format": FORMAT,
        "kind": "model",
        "library": __version__,
        "parts": parts,
        "tensors": {name: shortest(values).tolist() for name, values in tensors.items()},
    }
    return msgspec.json.encode(record) + b"\n"


def shortest(values: Floats) -> Floats:
    """The numbers in float64, of which the shortest decimal names the same number of the type of `values`.

    0.1 in float32 is 0.10000000149011612: read as float32, the text 0.1 gives the same bits.

    >>> shortest(np.array([0.1, 1 / 3], np.float32)).tolist()
    [0.1, 0.33333334]
    """
    exact = values.astype(np.float64)
    if values.dtype == np.float64 or values.size == 0:
        return exact
    short: Floats = values.astype(np.str_).astype(np.float64)
    return np.where(short.astype(values.dtype) == values, short, exact)


def open_json(path: str | os.PathLike[str], *, kind: FileKind = "model") -> Opened:
    """Read a text file, and believe its head only when everything in it fits.

    Raises:
        FileFormatError: when it is missing, no such file, of another kind or newer; says where.
    """
    path = existing_file(path, kind)
    where = str(path)
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise FileFormatError(f"cannot be read: {fault.strerror or fault}", where=where) from None
    head = read_head(content, kind, where=where)
    try:
        tensors = msgspec.json.decode(content, type=_Whole).tensors
    except (msgspec.MsgspecError, RecursionError) as fault:
        raise FileFormatError(f"the record is not valid: {fault}", where=where) from None
    return _OpenedText(path, head, {name: _array(name, lists, where) for name, lists in tensors.items()})


def _array(name: str, lists: Any, where: str) -> Floats:
    """A vector or matrix of numbers.

    Raises:
        FileFormatError: when the lists are anything else.
    """
    try:
        array = np.array(lists)
    except (TypeError, ValueError):  # rows of different lengths
        array = np.array(None)
    if array.ndim == 0 or array.dtype.kind not in "if":
        raise FileFormatError(
            f"tensor {name!r}", where=where, expected="a list of numbers, or of rows of equal length", got=lists
        )
    return array.astype(np.float64)
