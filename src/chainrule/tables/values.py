"""What a cell says: missing or not, a number, a truth value, a moment.

A table that comes from a CSV file, from Parquet or from a DataFrame must give the same matrix, although the first knows
only text. So every reading of text stands here, once, and both training and prediction use it.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from chainrule.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MISSING = ("", "?", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "none", "<NA>", "#N/A", "NaT")
"""Texts that say that a value is missing; a person's own (`-`, `unknown`, `-999`) are named beside them."""

TRUTH_WORDS = (("no", "yes"), ("false", "true"), ("n", "y"), ("f", "t"))
"""Pairs of words, false then true, that make a text column a boolean one."""

_OF_NUMPY = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64)
_DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$"
_ZONE = r"([+-]\d{2}:?\d{2})$"


def quoted(name: str) -> str:
    """A column as a message names it."""
    return f"column {name!r}"


def check_names(frame: pl.DataFrame, *, where: str) -> None:
    """Raise where a column has a zero byte in its name: handing on such a frame ends the whole process.

    Raises:
        DataError: with the name.
    """
    for name in frame.columns:
        if "\0" in name:
            raise DataError(f"{quoted(name)} has a zero byte in its name", where=where, mend="Rename it")


def without_marks(frame: pl.DataFrame, missing: Iterable[str]) -> pl.DataFrame:
    """The frame with null wherever a value is missing: a mark, blank text, NaN; text loses the blanks around it."""
    marks = sorted({mark.strip() for mark in missing} | {""})
    numbers = number_marks(marks)
    changed = [_without(series, marks, numbers) for series in frame.get_columns()]
    if all(new is old for new, old in zip(changed, frame.get_columns(), strict=True)):
        return frame
    return pl.DataFrame(changed)


def number_marks(missing: Iterable[str]) -> list[float]:
    """Marks such as `-999`, which stand in columns of numbers as numbers."""
    parsed = (
        pl.Series([mark.strip() for mark in missing], dtype=pl.String)
        .cast(pl.Float64, strict=False)
        .drop_nulls()
        .to_list()
    )
    return [number for number in parsed if math.isfinite(number)]


def _without(series: pl.Series, marks: list[str], numbers: list[float]) -> pl.Series:
    """One column of `without_marks`; the very same object where nothing changes."""
    if series.dtype in (pl.Categorical, pl.Enum, pl.Time):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        text = series.str.strip_chars()
        return pl.select(pl.when(~text.is_in(marks)).then(text).alias(series.name)).to_series()
    if series.dtype.is_float() and series.is_nan().any():
        series = series.fill_nan(None)
    if numbers and series.dtype.is_numeric():
        marked = series.cast(pl.Float64).is_in(numbers)
        if marked.any():
            series = pl.select(pl.when(~marked).then(series).alias(series.name)).to_series()
    return series


def as_numbers(series: pl.Series) -> pl.Series:
    """The column as numbers, null where a value is missing or says no number.

    Text is read as Python reads it; truth values become 0 and 1. A column of numbers comes back as it is, not copied.
    """
    dtype = series.dtype
    if dtype in _OF_NUMPY:
        return series
    if dtype.is_numeric():  # decimals, whole numbers of 128 bits
        return series.cast(pl.Float64)
    if dtype == pl.String:
        return series.str.strip_chars().cast(pl.Float64, strict=False).fill_nan(None)
    if dtype in (pl.Boolean, pl.Null):
        return series.cast(pl.Float64)
    if dtype == pl.Duration:
        return series.dt.total_microseconds().cast(pl.Float64) / 1e6
    return pl.Series(series.name, [None] * len(series), dtype=pl.Float64)


def as_text(series: pl.Series) -> pl.Series:
    """The column as the texts that name categories and classes: 3, 3.0 and "3" of a number column are all "3"."""
    if series.dtype == pl.String:
        return series
    if series.dtype.is_float() or isinstance(series.dtype, pl.Decimal):
        return (series.cast(pl.Float64) + 0.0).cast(pl.String).str.replace(r"\.0$", "")  # -0.0 + 0.0 is 0.0
    return series.cast(pl.String, strict=False)


def as_truth(series: pl.Series) -> pl.Series:
    """The column as truth values, null where a value is missing or says neither true nor false."""
    if series.dtype == pl.Boolean:
        return series
    words = as_text(series).str.to_lowercase()
    no = [pair[0] for pair in TRUTH_WORDS] + ["0"]
    yes = [pair[1] for pair in TRUTH_WORDS] + ["1"]
    truth = pl.when(words.is_in(yes)).then(statement=True).when(words.is_in(no)).then(statement=False)
    return pl.select(truth.alias(series.name)).to_series()


def as_moments(series: pl.Series) -> pl.Series:
    """The column as datetimes in UTC, null where a value is missing or says no date.

    Text is read in the forms of ISO 8601: `2024-05-31`, `2024-05-31 17:30`, `2024-05-31T17:30:15.25Z`, `...+02:00`.
    """
    kind = pl.Datetime("us")
    if series.dtype == pl.Date:
        return series.cast(kind)
    if isinstance(series.dtype, pl.Datetime):
        if series.dtype.time_zone is not None:
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return series.cast(kind)
    if series.dtype != pl.String:
        return pl.Series(series.name, [None] * len(series), dtype=kind)
    return _moments_of_text(series).cast(kind).alias(series.name)


def _moments_of_text(series: pl.Series) -> pl.Series:
    """ISO 8601 text as datetimes in UTC."""
    text = pl.select(pl.when(series.str.contains(_DATE)).then(series)).to_series()
    length = text.str.len_bytes().max()
    if length is None or length == len("2024-05-31"):
        return text.str.to_date("%Y-%m-%d", strict=False)
    zones = text.str.slice(len("2024-05-31")).str.extract(_ZONE)
    clock = text.str.slice(11).str.strip_suffix("Z")
    if zones.null_count() < len(zones):
        clock = clock.str.replace(_ZONE, "")
    size, column = pl.col("clock").str.len_bytes(), pl.col("clock")
    full = pl.when(size == 0).then(pl.lit("00:00:00")).when(size == 5).then(column + ":00").otherwise(column)
    moment = (pl.col("day") + " " + full).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    frame = pl.DataFrame({"day": text.str.slice(0, 10), "clock": clock, "zone": zones})
    return frame.select(moment - pl.duration(minutes=_minutes(pl.col("zone")))).to_series()


def _minutes(zone: pl.Expr) -> pl.Expr:
    """Zones such as `+02:00` in minutes, 0 where there is none."""
    minutes = zone.str.slice(1, 2).cast(pl.Int64) * 60 + zone.str.slice(-2).cast(pl.Int64)
    return pl.when(zone.str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0)


@contextmanager
def located(where: str) -> Iterator[None]:
    """Give every `DataError` raised within that names no place this one: the file, mostly."""
    try:
        yield
    except DataError as error:
        if error.where or not where:
            raise
        located = DataError(error.what, where=where, expected=error.expected, got=error.got, mend=error.mend)
        located.row, located.column = error.row, error.column
        raise located from None


def check_finite(frame: pl.DataFrame, *, where: str) -> None:
    """Raise for the first infinite number, by row and column.

    Raises:
        DataError: where a column of numbers holds Inf or -Inf.
    """
    for series in frame.get_columns():
        if series.dtype.is_float() and series.is_infinite().any():
            row = series.is_infinite().arg_max() or 0
            raise infinite(series.name, row, series[row], where=where)


def infinite(name: str, row: int, value: object, *, where: str = "") -> DataError:
    """The error for a number that is infinite, or so large that it becomes so."""
    return DataError(
        f"{quoted(name)}, row {row + 1} holds {value!r}, and a network computes with finite numbers",
        where=where,
        got=value,
        mend="Correct the value, leave it empty, or remove the row",
    ).at(row + 1, name)
