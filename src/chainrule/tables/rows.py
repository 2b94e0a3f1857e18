"""Rows of plain values, as JSON has them, as the matrix of a table: without a frame, which costs milliseconds.

A row gives the numbers that a table of this row alone gives (`Columns.encode`). What a value may be is stricter: in a
text file every cell is text, in JSON a number is a number.
"""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from chainrule.arrays import check_dtype
from chainrule.errors import DataError, shown
from chainrule.tables.cells import FARTHEST, MOST_FAULTS, Fault, Marks, Numbers, reader
from chainrule.tables.features import NumberColumn, unread
from chainrule.tables.values import without_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    import numpy.typing as npt

    from chainrule.arrays import DType, Floats
    from chainrule.tables.columns import Columns
    from chainrule.tables.features import Feature


class RowsError(DataError):
    """Rows that cannot be read.

    Attributes:
        faults: the first of them, 20 at most.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults[:MOST_FAULTS])
        super().__init__("; ".join(map(str, self.faults[:3])) + ("; …" if len(self.faults) > 3 else ""))


class RowEncoding:
    """The encoding of a table, prepared for rows that come one or a few at a time.

    Args:
        columns: the encoding.
        dtype: of the matrices.

    >>> from chainrule.tables import fit_columns
    >>> table = {"age": [1, 2, 3, 6], "kind": ["a", "b", "a", "b"], "y": [1, 0, 0, 1]}
    >>> columns = fit_columns(table, "y", scaling="none")
    >>> RowEncoding(columns).rows([{"age": 4, "kind": "b"}, {"age": None, "kind": "a"}])
    array([[4. , 0. , 1. , 0. ],
           [2.5, 1. , 0. , 0. ]], dtype=float32)
    """

    def __init__(self, columns: Columns, dtype: DType = "float32") -> None:
        self.dtype = check_dtype(dtype, where="RowEncoding")
        self.width = len(columns.feature_names)
        marks = Marks({mark.strip() for mark in columns.missing} | {""})
        widths = [len(feature.names) for feature in columns.features]
        places = [sum(widths[:i]) for i in range(len(widths))]
        pairs = list(zip(columns.features, places, strict=True))
        self._numbers = Numbers([(f, place) for f, place in pairs if isinstance(f, NumberColumn)], marks)
        self._others = [reader(f, place, marks) for f, place in pairs if not isinstance(f, NumberColumn)]
        self.names = [*self._numbers.names, *(each.name for each in self._others)]
        self._cells = _getter(self.names)

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        """The matrix X (N, I) of rows, each a mapping by the names of the columns; others may stand beside them.

        Raises:
            RowsError: with each row and column that is wrong.
        """
        try:
            cells = [self._cells(row) for row in rows]
        except (KeyError, TypeError):
            raise RowsError(self._absent(rows)) from None
        return self._matrix(cells)

    def columns(self, columns: Mapping[str, Sequence[Any]]) -> Floats:
        """The matrix X (N, I) of columns by their names, lists of one length.

        Raises:
            RowsError: with each row and column that is wrong.
        """
        if absent := _absent_columns(self.names, columns, "a list of values"):
            raise RowsError(absent)
        lists = [columns[name] for name in self.names]
        for name, values in zip(self.names, lists, strict=True):
            if not isinstance(values, list | tuple):
                raise RowsError([Fault(1, name, "a list of values, as in the other columns", shown(values))])
            if len(values) != len(lists[0]):
                expected = f"{len(lists[0])} values, as in the column {self.names[0]!r}"
                raise RowsError([Fault(min(len(values), len(lists[0])) + 1, name, expected, str(len(values)))])
        return self._matrix(list(zip(*lists, strict=True)))

    def _matrix(self, cells: list[tuple[Any, ...]]) -> Floats:
        """The matrix of cells in the order of `_names`."""
        X = np.zeros((len(cells), self.width), self.dtype)
        F = len(self._numbers.names)
        faults = self._numbers.fill(cells if len(self.names) == F else [row[:F] for row in cells], X) if F else []
        for place, each in enumerate(self._others, F):
            faults += each.fill([row[place] for row in cells], X)
        if faults:
            raise RowsError(sorted(faults, key=attrgetter("row")))
        return X

    def _absent(self, rows: Sequence[object]) -> list[Fault]:
        """The rows that are no rows, and the columns that rows lack."""
        faults = []
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                faults.append(Fault(number, "", "an object with a value for each column", shown(row)))
                continue
            absent = [name for name in self.names if name not in row]
            faults += [Fault(number, name, f"a value{_hint(name, row)}", "nothing") for name in absent]
            if len(faults) >= MOST_FAULTS:
                break
        return faults

    def bounds(self, name: str) -> tuple[float, float]:
        """Between which numbers a column of numbers is read; the largest scaled number is 1e20."""
        place = self._numbers.names.index(name)
        return float(self._numbers.low[place]), float(self._numbers.high[place])


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes the values of these names out of a mapping, as a tuple."""
    if len(names) > 1:
        return itemgetter(*names)
    (name,) = names
    return lambda row: (row[name],)


def table_faults(frame: pl.DataFrame, columns: Columns, *, dtype: DType = "float32") -> list[Fault]:
    """What is wrong with a table that `Columns.encode` refuses: it names the first value, here are all; 20 a column.

    Args:
        frame: the table.
        columns: the encoding.
        dtype: of the matrix that it does not become.

    >>> from chainrule.tables import fit_columns
    >>> columns = fit_columns({"age": [1, 2, 3, 6], "y": [1, 0, 0, 1]}, "y")
    >>> for fault in table_faults(pl.DataFrame({"age": ["4", "old", "inf"]}), columns):
    ...     print(fault)
    row 2, column 'age': expected a number, got 'old'
    row 3, column 'age': expected a finite number, got 'inf'
    """
    if absent := _absent_columns([feature.name for feature in columns.features], frame.columns, "a column"):
        return absent
    table = without_marks(frame.select(feature.name for feature in columns.features), columns.missing)
    pairs = zip(columns.features, table.get_columns(), strict=True)
    return sorted((fault for pair in pairs for fault in _column_faults(*pair, dtype)), key=attrgetter("row"))


def _column_faults(feature: Feature, series: pl.Series, dtype: DType) -> list[Fault]:
    read = feature.understood(series)
    wrong = [(row, feature.expected) for row in unread(series, read)]
    if isinstance(feature, NumberColumn):
        with np.errstate(over="ignore"):
            scaled = ((read.cast(pl.Float64) - feature.center) / feature.scale).to_numpy().astype(dtype)
        wrong += [(row, "a finite number") for row in np.flatnonzero(np.isinf(scaled)).tolist()]
    return [Fault(row + 1, feature.name, expected, shown(series[row])) for row, expected in sorted(wrong)[:MOST_FAULTS]]


def _absent_columns(names: Sequence[str], present: Collection[str], expected: str) -> list[Fault]:
    there = set(present)
    return [Fault(0, name, f"{expected}{_hint(name, present)}", "nothing") for name in names if name not in there]


def _hint(name: str, present: Iterable[str]) -> str:
    """What the row has in its place, perhaps by mistake, for the end of a sentence; empty where nothing is alike."""
    close = get_close_matches(name, [str(other) for other in islice(present, 1000)], n=1)
    return f" ({close[0]!r} is another column)" if close and close[0] != name else ""


def number_rows(rows: Sequence[Any], width: int, dtype: npt.DTypeLike) -> Floats:
    """The matrix X (N, I) of rows that are lists of numbers, for a network without columns.

    Raises:
        RowsError: with each row, and each number of it, that is wrong.

    >>> number_rows([[1, 2.5]], 2, "float32")
    array([[1. , 2.5]], dtype=float32)
    """
    faults = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list | tuple) or len(row) != width:
            got = f"{len(row)}" if isinstance(row, list | tuple) else shown(row)
            faults.append(Fault(number, "", f"a list of {width} numbers", got))
            continue
        if not {int, float}.issuperset(map(type, row)) or not all(-FARTHEST <= value <= FARTHEST for value in row):
            faults += [
                Fault(number, f"column_{place}", f"a number from {-FARTHEST:g} to {FARTHEST:g}", shown(value))
                for place, value in enumerate(row, 1)
                if type(value) not in {int, float} or not -FARTHEST <= value <= FARTHEST
            ]
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise RowsError(faults)
    return np.array(rows, dtype=dtype).reshape(len(rows), width)
