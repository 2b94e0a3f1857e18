"""Numbers for people: some digits, the same number of decimals within a matrix, large matrices abridged."""

from __future__ import annotations

from math import floor, isfinite, log10, prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from chainrule.arrays import Floats

DIGITS = 6  # significant ones, unless asked otherwise
ELLIPSIS = "…"
_WIDEST_RANGE = 1e5  # between the entries of a matrix; beyond it each has an exponent of its own
_EDGE = 3  # rows or columns kept at an end


def number(value: float, digits: int = DIGITS) -> str:
    """A number to so many significant digits.

    >>> number(0.5932699921), number(-1.5e-9), number(2.0), number(float("inf"))
    ('0.59327', '-1.5e-09', '2', 'inf')
    """
    return f"{float(value) + 0.0:.{digits}g}"  # + 0.0: no minus before a zero


def in_product(value: float, digits: int = DIGITS) -> str:
    """The same where it is a factor or a term: in brackets when it has a sign or an exponent."""
    text = number(value, digits)
    return f"({text})" if text.startswith("-") else text


def shape_text(shape: tuple[int, ...]) -> str:
    """``(8, 256)``; nothing for a single number."""
    return str(tuple(shape)) if shape else ""


def aligned(values: Floats, digits: int = DIGITS) -> np.ndarray[Any, Any]:
    """The entries as text, with one number of decimals for all where their sizes allow it.

    >>> aligned(np.array([0.5932699, 12.0])).tolist()
    ['0.5933', '12.0000']
    """
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if values.dtype.kind in "biu" or bool((values == np.rint(values)).all()):
        return _each(values, lambda entry: f"{entry + 0.0:.0f}" if abs(entry) < 10**digits else number(entry, digits))
    if not len(sizes) or sizes.max() > sizes.min() * _WIDEST_RANGE or not 1e-5 < sizes.max() < 10**digits:
        return _each(values, lambda entry: number(entry, digits))
    decimals = max(0, digits - 1 - floor(log10(sizes.max())))
    return _each(values, lambda entry: f"{entry + 0.0:.{decimals}f}" if isfinite(entry) else number(entry))


def _each(values: Floats, text: Any) -> np.ndarray[Any, Any]:
    cells = np.empty(values.shape, dtype=object)
    cells.reshape(-1)[:] = [text(entry) for entry in values.ravel().tolist()]
    return cells


def as_table(values: Floats) -> Floats:
    """Two axes: the first one down, the rest to the right; a vector is one row."""
    if values.ndim < 2:
        return values.reshape(1, -1)
    return values.reshape(len(values), prod(values.shape[1:]))


def cells(values: Any, *, digits: int, rows: int | None, columns: int | None) -> list[list[str]]:
    """The entries of an array as text, abridged to so many rows and columns where there are more.

    >>> cells(np.arange(8.0), digits=6, rows=None, columns=5)
    [['0', '1', '2', '…', '7']]
    """
    table = as_table(np.asarray(values))
    down, across = _kept(table.shape[0], rows), _kept(table.shape[1], columns)
    shown = aligned(table[np.ix_([i for i in down if i >= 0], [j for j in across if j >= 0])], digits).tolist()
    lines = []
    for i in down:
        entries = iter(shown.pop(0) if i >= 0 else [ELLIPSIS] * len(across))
        lines.append([next(entries) if i < 0 or j >= 0 else ELLIPSIS for j in across])
    return lines


def _kept(length: int, most: int | None) -> list[int]:
    """The places to show; -1 stands for those left out."""
    if most is None or length <= most:
        return list(range(length))
    last = min(_EDGE, max(1, (most - 1) // 3))
    return [*range(most - 1 - last), -1, *range(length - last, length)]


def plain(values: Any) -> Any:
    """An array as nested lists of Python's numbers, exact; what JSON has no word for becomes text: ``"nan"``.

    >>> plain(np.array([0.1, np.inf]))
    [0.1, 'inf']
    """
    array = np.asarray(values)
    if array.dtype == np.float32:
        array = array.astype(np.float64)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return _named(array.tolist())
    return array.tolist()


def _named(values: Any) -> Any:
    if isinstance(values, list):
        return [_named(entry) for entry in values]
    return values if isfinite(values) else str(values)
