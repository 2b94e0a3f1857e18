"""What is asked of columns of numbers, of many at once: polars then shares the work out, without Python in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from chainrule.engines.native import kernels
from chainrule.tables.values import as_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.tables.features import Scaling


class Statistics(NamedTuple):
    """Of the numbers of a column that are there; None where there are none, or nobody needs it."""

    low: Any
    high: Any
    median: Any
    mean: Any = None
    std: Any = None


def statistics_of(columns: Sequence[pl.Series], scaling: Scaling) -> list[Statistics]:
    """The statistics of each column, of text as the numbers that it says; mean and std where one scales by them.

    >>> statistics_of([pl.Series("age", [1, 2, 6])], "minmax")
    [Statistics(low=1, high=6, median=2.0, mean=None, std=None)]
    """
    if not columns:
        return []
    frame = pl.DataFrame([_exact(as_numbers(series)) for series in columns])
    asked = [pl.all().min(), pl.all().max()]
    if scaling == "standard":
        asked += [pl.all().mean(), pl.all().std(ddof=0)]
    low, high, *others = (frame.select(each).row(0) for each in asked)
    return [Statistics(*quantities) for quantities in zip(low, high, _medians(frame), *others, strict=True)]


def _medians(frame: pl.DataFrame) -> Sequence[float | None]:
    """By polars; those of bytes, as in pictures, are counted in an eighth of the time."""
    if kernels() is None or set(frame.dtypes) != {pl.UInt8}:
        return frame.select(pl.all().median()).row(0)
    medians: list[float | None] = kernels().byte_medians(frame.__arrow_c_stream__())
    return medians


def _exact(numbers: pl.Series) -> pl.Series:
    """Numbers with decimals in 64 bits: in 32, what is computed of them would be rounded."""
    return numbers.cast(pl.Float64) if numbers.dtype.is_float() else numbers
