"""What a plain value, as JSON has it, says in a column of each kind: the number that the same cell of a table says.

Where a table knows only text and guesses what was meant, JSON says it: text is no number, and a number is no date.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from chainrule.errors import shown
from chainrule.tables.features import (
    BooleanColumn,
    CategoryColumn,
    DateColumn,
    Feature,
    NumberColumn,
    category_texts,
)
from chainrule.tables.filling import NumberScales
from chainrule.tables.values import TRUTH_WORDS, as_moments, number_marks

if TYPE_CHECKING:
    from chainrule.arrays import Floats

FARTHEST = 1e20
"""The largest scaled number that is taken: sums of such stay finite in float32, through any number of layers."""

MOST_FAULTS = 20

_EXACT = 1e15  # below it polars writes a whole float as Python writes the int
_BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_NUMBERS = {int, float, type(None)}
_NO = {pair[0] for pair in TRUTH_WORDS} | {"0"}
_YES = {pair[1] for pair in TRUTH_WORDS} | {"1"}
_DATES = "a date as 2024-05-31 or 2024-05-31T17:30:00Z, or null"


class Fault(NamedTuple):
    """What is wrong with one value: the row, 1 for the first, and the column, empty where it is the row itself.

    Where a whole column is wrong, the row is 0.
    """

    row: int
    column: str
    expected: str
    got: str

    def __str__(self) -> str:
        row, column = f"row {self.row}" if self.row else "", f"column {self.column!r}" if self.column else ""
        return f"{', '.join(filter(None, (row, column)))}: expected {self.expected}, got {self.got}"


class Marks:
    """What says that a value is missing."""

    def __init__(self, texts: set[str]) -> None:
        self.texts, self.numbers = texts, number_marks(sorted(texts))

    def plain(self, value: Any) -> Any:
        """The value, text without the blanks around it; None where it is missing."""
        if isinstance(value, str):
            text = value.strip(_BLANKS)
            return None if text in self.texts else text
        return None if value in self.numbers and not isinstance(value, bool) else value


class Numbers:
    """All columns of numbers at once."""

    def __init__(self, columns: list[tuple[NumberColumn, int]], marks: Marks) -> None:
        self.names = [column.name for column, _ in columns]
        self.marks = marks.numbers
        if columns:
            self.scales = NumberScales([column for column, _ in columns], [place for _, place in columns])
            with np.errstate(over="ignore"):
                reach = FARTHEST * self.scales.scales
                self.low = np.maximum(self.scales.centers - reach, -np.finfo(float).max)
                self.high = np.minimum(self.scales.centers + reach, np.finfo(float).max)

    def fill(self, cells: list[tuple[Any, ...]], X: Floats) -> list[Fault]:
        """Write the numbers into X (N, I); what is wrong."""
        if not _NUMBERS.issuperset(map(type, chain.from_iterable(cells))):
            return self._faults(cells)
        try:
            block = np.array(cells, dtype=np.float64)
        except OverflowError:  # a whole number beyond the range of floats
            return self._faults(cells)
        if self.marks:
            block[np.isin(block, self.marks)] = math.nan
        if (block < self.low).any() or (block > self.high).any():
            return self._faults(cells)
        self.scales.fill(block, X)
        return []

    def _faults(self, cells: list[tuple[Any, ...]]) -> list[Fault]:
        faults = []
        bounds = self.low.tolist(), self.high.tolist()  # Python's floats compare with whole numbers of any size
        for number, row in enumerate(cells, 1):
            for name, value, low, high in zip(self.names, row, *bounds, strict=True):
                if type(value) not in _NUMBERS:
                    faults.append(Fault(number, name, "a number or null", shown(value)))
                elif not (_is_missing(value) or value in self.marks or low <= value <= high):
                    faults.append(Fault(number, name, f"a number from {low:g} to {high:g}", shown(value)))
            if len(faults) >= MOST_FAULTS:
                break
        return faults


class _CategoryReader:
    """See `CategoryColumn`."""

    def __init__(self, feature: CategoryColumn, place: int, marks: Marks) -> None:
        self.name, self.place, self.numeric, self.plain = feature.name, place, feature.numeric, marks.plain
        self.codes = {text: code for code, text in enumerate(feature.values)}
        self.other = len(feature.values)

    def fill(self, values: list[Any], X: Floats) -> list[Fault]:
        codes = []
        for number, value in enumerate(values, 1):
            if isinstance(value, list | dict):
                return [Fault(number, self.name, "text, a number, true, false or null", shown(value))]
            codes.append(self._code(self.plain(value)))
        X[np.arange(len(X)), self.place + np.array(codes, dtype=np.int64)] = 1
        return []

    def _code(self, value: Any) -> int:
        """The place of a category, or of all others."""
        if _is_missing(value):
            return self.other
        text = _text(value)
        if text in self.codes:
            return self.codes[text]
        if isinstance(value, float) or (self.numeric and isinstance(value, str)):
            read = category_texts(pl.Series([value]), numeric=self.numeric)[0]
            return self.codes.get(read, self.other)
        return self.other


class _BooleanReader:
    """See `BooleanColumn`."""

    def __init__(self, feature: BooleanColumn, place: int, marks: Marks) -> None:
        self.feature, self.name, self.place, self.plain = feature, feature.name, place, marks.plain

    def fill(self, values: list[Any], X: Floats) -> list[Fault]:
        plain = [self.plain(value) for value in values]
        for number, value in enumerate(plain, 1):
            if not (value is None or isinstance(value, bool | str) or (_is_number(value) and value in (0, 1))):
                return [Fault(number, self.name, "true, false, 1, 0, yes, no or null", shown(value))]
        truth = np.array([_truth(value) for value in plain])
        missing = np.isnan(truth)
        X[:, self.place] = np.where(missing, self.feature.share, truth)
        if self.feature.indicator:
            X[:, self.place + 1] = missing
        return []


class _DateReader:
    """See `DateColumn`."""

    def __init__(self, feature: DateColumn, place: int, marks: Marks) -> None:
        self.feature, self.name, self.place, self.plain = feature, feature.name, place, marks.plain

    def fill(self, values: list[Any], X: Floats) -> list[Fault]:
        for number, value in enumerate(values, 1):
            if not (value is None or isinstance(value, str)):
                return [Fault(number, self.name, _DATES, shown(value))]
        texts = pl.Series(self.name, [self.plain(value) for value in values], dtype=pl.String)
        unread = (as_moments(texts).is_null() & texts.is_not_null()).arg_true()
        if len(unread):
            return [Fault(row + 1, self.name, _DATES, shown(texts[row])) for row in unread[:MOST_FAULTS].to_list()]
        self.feature.fill(texts, X, self.place)
        return []


Reader = _CategoryReader | _BooleanReader | _DateReader


def reader(feature: Feature, place: int, marks: Marks) -> Reader:
    """What reads the values of a column that holds no numbers."""
    if isinstance(feature, CategoryColumn):
        return _CategoryReader(feature, place, marks)
    if isinstance(feature, BooleanColumn):
        return _BooleanReader(feature, place, marks)
    if isinstance(feature, DateColumn):
        return _DateReader(feature, place, marks)
    raise TypeError(feature)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _text(value: str | float) -> str:
    """The text that names a category, as `values.as_text` makes it; of a float with decimals only nearly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return str(value)


def _truth(value: bool | str | float | None) -> float:
    """1, 0, or NaN where neither is said."""
    if isinstance(value, str):
        word = value.lower()
        return 1.0 if word in _YES else 0.0 if word in _NO else math.nan
    return math.nan if value is None else float(value)
