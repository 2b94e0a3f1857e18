"""The kinds of column and how each becomes numbers: records that travel in the model file.

Each kind holds what the training rows said (medians, means, ranges, categories) and nothing of any other row.
A kind fills `width` neighbouring places of the matrix X (N, I); `names` says what stands in each. `understood` is null
wherever a value of a table cannot be read as `expected`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import msgspec
import numpy as np
import polars as pl

from chainrule.errors import DataError, shown
from chainrule.tables.values import as_moments, as_numbers, as_text, as_truth, quoted

if TYPE_CHECKING:
    from chainrule.arrays import Floats

Scaling: TypeAlias = Literal["standard", "minmax", "minmax-matrix", "none"]
Part: TypeAlias = Literal["year", "month", "day of week", "day of year", "hour", "days"]


class NumberColumn(msgspec.Struct, frozen=True, kw_only=True, tag="number", tag_field="kind"):
    """A number: (x - center) / scale, the median where x is missing.

    A second place says 1 where x is missing, if any was missing in the training rows.
    """

    name: str
    median: float
    center: float = 0.0
    scale: float = 1.0
    indicator: bool = False
    range: tuple[float, float] | None = None
    """The smallest and the largest number of the training rows; None in model files of before it was kept."""

    expected: ClassVar[str] = "a number"

    def __post_init__(self) -> None:
        _check_scale(self.name, self.median, self.center, self.scale)
        if self.range is not None and not -math.inf < self.range[0] <= self.range[1] < math.inf:
            raise DataError(f"{quoted(self.name)}: the range", expected="two finite numbers in order", got=self.range)

    @property
    def names(self) -> tuple[str, ...]:
        """What stands in each place."""
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @staticmethod
    def understood(series: pl.Series) -> pl.Series:
        """The column as numbers; null where it says none."""
        return as_numbers(series)

    def read(self, series: pl.Series) -> pl.Series:
        """The column as numbers.

        Raises:
            DataError: for a value that is not a number.
        """
        numbers = self.understood(series)
        if numbers is not series:
            mend = f"Correct it, list it under `missing`, or train with categories=[{self.name!r}]"
            check_read(series, numbers, expected=self.expected, mend=mend)
        return numbers


class CategoryColumn(msgspec.Struct, frozen=True, kw_only=True, tag="category", tag_field="kind"):
    """One of several texts: 1 in the place of that text, 0 in all others.

    The last place stands for every other value: one that is missing, one too rare to be among the `values`, and, when
    the model is used, one that no training row held.
    """

    name: str
    values: tuple[str, ...]
    grouped: int = 0
    """How many different texts of the training rows share the last place, since they were too many."""
    numeric: bool = False
    """Whether the texts are numbers, so that 3, 3.0 and "3.0" mean the same."""

    expected: ClassVar[str] = "any text"

    def __post_init__(self) -> None:
        if not self.values or len(set(self.values)) != len(self.values):
            raise DataError(f"{quoted(self.name)}: the categories", expected="different texts", got=self.values)

    @property
    def names(self) -> tuple[str, ...]:
        """What stands in each place."""
        return (*(f"{self.name}={value}" for value in self.values), f"{self.name} is another or missing")

    @staticmethod
    def understood(series: pl.Series) -> pl.Series:
        """All of it: whatever is no category counts as another."""
        return series

    def fill(self, series: pl.Series, X: Floats, place: int) -> None:
        """Write the places of this column into X (N, I), which holds zeros, from `place` on."""
        texts = category_texts(series, numeric=self.numeric)
        codes = texts.replace_strict(
            pl.Series(self.values, dtype=pl.String),
            pl.Series(np.arange(len(self.values))),
            default=len(self.values),
            return_dtype=pl.Int64,
        )
        X[np.arange(len(X)), place + codes.to_numpy()] = 1


class BooleanColumn(msgspec.Struct, frozen=True, kw_only=True, tag="boolean", tag_field="kind"):
    """A truth value: 1 or 0; where it is missing, the share of true ones among the training rows.

    A word that says neither is as good as missing, as a new category is: `maybe` may be rare, and in no training row.
    A second place says 1 where it is missing, if any was missing in the training rows.
    """

    name: str
    share: float
    indicator: bool = False

    expected: ClassVar[str] = "yes or no, true or false, 1 or 0"

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise DataError(f"{quoted(self.name)}: the share", expected="a number from 0 to 1", got=self.share)

    @property
    def names(self) -> tuple[str, ...]:
        """What stands in each place."""
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @staticmethod
    def understood(series: pl.Series) -> pl.Series:
        """A word that says neither yes nor no is as good as missing; null where a number or a date stands."""
        return series if series.dtype == pl.String else as_truth(series)

    def fill(self, series: pl.Series, X: Floats, place: int) -> None:
        """Write the places of this column into X (N, I), from `place` on.

        Raises:
            DataError: for a number or date.
        """
        mend = f"Correct it, or train with categories=[{self.name!r}]"
        check_read(series, self.understood(series), expected=self.expected, mend=mend)
        truth = as_truth(series)
        X[:, place] = truth.cast(pl.Float64).fill_null(self.share).to_numpy()
        if self.indicator:
            X[:, place + 1] = truth.is_null().to_numpy()


class DatePart(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a date: (x - center) / scale, the median where the date is missing."""

    part: Part
    median: float
    center: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        _check_scale(self.part, self.median, self.center, self.scale)


class DateColumn(msgspec.Struct, frozen=True, kw_only=True, tag="date", tag_field="kind"):
    """A date or moment (UTC) as numbers: year, month, day of week (1 is Monday), day of year, hour, days since 1970.

    Parts that are the same in all training rows are left out. A last place says 1 where the date is missing, if any was
    missing in the training rows.
    """

    name: str
    parts: tuple[DatePart, ...]
    indicator: bool = False
    range: tuple[str, str] | None = None
    """The first and the last date of the training rows, as ISO 8601; None in model files of before it was kept."""

    expected: ClassVar[str] = "a date as 2024-05-31 or 2024-05-31 17:30"

    @property
    def names(self) -> tuple[str, ...]:
        """What stands in each place."""
        names = tuple(f"{self.name}: {each.part}" for each in self.parts)
        return (*names, f"{self.name} is missing") if self.indicator else names

    @staticmethod
    def understood(series: pl.Series) -> pl.Series:
        """The column as datetimes; null where it says none."""
        return as_moments(series)

    def fill(self, series: pl.Series, X: Floats, place: int) -> None:
        """Write the places of this column into X (N, I), from `place` on.

        Raises:
            DataError: for a value that is not a date.
        """
        moments = self.understood(series)
        mend = f"Write it so, list it under `missing`, or train with categories=[{self.name!r}]"
        check_read(series, moments, expected=self.expected, mend=mend)
        for offset, each in enumerate(self.parts):
            numbers = date_part(moments, each.part).fill_null(each.median).to_numpy()
            X[:, place + offset] = (numbers - each.center) / each.scale
        if self.indicator:
            X[:, place + len(self.parts)] = moments.is_null().to_numpy()


Feature: TypeAlias = NumberColumn | CategoryColumn | BooleanColumn | DateColumn


class _Parts:
    """How each part of a date is reckoned."""

    every: ClassVar[dict[Part, Any]] = {
        "year": lambda moments: moments.dt.year(),
        "month": lambda moments: moments.dt.month(),
        "day of week": lambda moments: moments.dt.weekday(),
        "day of year": lambda moments: moments.dt.ordinal_day(),
        "hour": lambda moments: moments.dt.hour() + moments.dt.minute() / 60,
        "days": lambda moments: moments.dt.timestamp("us") / 86_400_000_000,
    }


def date_part(moments: pl.Series, part: Part) -> pl.Series:
    """One number of every moment, null where it is missing."""
    numbers: pl.Series = _Parts.every[part](moments)
    return numbers.cast(pl.Float64)


def category_texts(series: pl.Series, *, numeric: bool) -> pl.Series:
    """The texts of a column of categories; of one that was made of numbers, "3.0" is read as "3"."""
    if numeric and series.dtype == pl.String:
        numbers = as_text(as_numbers(series))
        return pl.select(pl.coalesce(numbers, series)).to_series()
    return as_text(series)


def unread(series: pl.Series, read: pl.Series) -> list[int]:
    """The places of the values that are there and were not understood."""
    places: list[int] = (read.is_null() & series.is_not_null()).arg_true().to_list()
    return places


def check_read(series: pl.Series, read: pl.Series, *, expected: str, mend: str) -> None:
    """Raise for the first value that is there and was not understood.

    Raises:
        DataError: with row, column and value.
    """
    if read.null_count() > series.null_count():
        row = unread(series, read)[0]
        what = f"{quoted(series.name)}, row {row + 1}"
        raise DataError(what, expected=expected, got=series[row], mend=mend).at(row + 1, series.name)


def _check_scale(name: str, *numbers: float) -> None:
    """Raise unless all numbers are finite and the last is positive."""
    if not all(math.isfinite(number) for number in numbers) or numbers[-1] <= 0:
        got = ", ".join(shown(number) for number in numbers)
        raise DataError(f"{quoted(name)}: median, center and scale", expected="finite numbers, scale > 0", got=got)
