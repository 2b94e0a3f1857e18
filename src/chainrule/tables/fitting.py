"""What each column is, found out from the training rows."""

from __future__ import annotations

import math
from datetime import time
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import polars as pl

from chainrule.engines.threads import cores
from chainrule.errors import DataError, shown
from chainrule.tables.features import (
    BooleanColumn,
    CategoryColumn,
    DateColumn,
    DatePart,
    Feature,
    NumberColumn,
    Part,
    Scaling,
    category_texts,
    date_part,
)
from chainrule.tables.statistics import Statistics, statistics_of
from chainrule.tables.values import TRUTH_WORDS, as_moments, as_numbers, as_truth, infinite, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MANY = 1_000_000  # cells, from which on columns are looked at side by side
_AT_ONCE = 64  # columns, at most
_NEARLY_ALL = 0.8  # such a share of numbers makes the other texts mistakes, not categories


class SetAside(msgspec.Struct, frozen=True):
    """A column that is not used, and why."""

    name: str
    reason: str


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for; see `fit_columns`."""

    scaling: Scaling
    max_categories: int
    categories: frozenset[str]
    drop: frozenset[str]


class _Column(msgspec.Struct, frozen=True):
    """The training rows of one column, which rows of the table these are, and, of numbers, what is known of them."""

    training: pl.Series
    mask: pl.Series | None
    statistics: Statistics | None = None

    @property
    def name(self) -> str:
        return self.training.name

    def row(self, place: int) -> int:
        """The row of the table, 1 for the first, of a place among the training rows."""
        return place + 1 if self.mask is None else int(self.mask.arg_true()[place]) + 1

    @property
    def has_missing(self) -> bool:
        return self.training.has_nulls()

    def numbers(self, scaling: Scaling) -> Statistics:
        """What is known of its numbers."""
        return self.statistics or statistics_of([self.training], scaling)[0]


def fit_features(
    columns: Sequence[pl.Series], mask: pl.Series | None, options: Options
) -> tuple[tuple[Feature, ...], tuple[SetAside, ...], tuple[float, float] | None]:
    """Every column as a feature or set aside, and the range of the whole matrix where that is the scale.

    Args:
        columns: null where a value is missing.
        mask: true for each training row, None where all are.
        options: what was asked for.

    Raises:
        DataError: where a column cannot be read, or none is left.
    """
    fit = partial(_fit_some, mask=mask, options=options)
    if sum(map(len, columns)) < _MANY:
        fitted = fit(columns)
    else:
        from concurrent.futures import ThreadPoolExecutor

        at_once = min(max(len(columns) // (4 * cores()), 1), _AT_ONCE)
        parts = [columns[first : first + at_once] for first in range(0, len(columns), at_once)]
        with ThreadPoolExecutor(cores()) as pool:  # polars computes without the GIL
            fitted = [each for part in pool.map(fit, parts) for each in part]
    features = [each for each in fitted if not isinstance(each, SetAside)]
    set_aside = tuple(each for each in fitted if isinstance(each, SetAside))
    if not features:
        reasons = "; ".join(f"{each.name}: {each.reason}" for each in set_aside[:10])
        what = f"no column is left to learn from ({reasons})" if reasons else "there is no column besides the target"
        raise DataError(what, mend="Give a table with other columns")
    if options.scaling != "minmax-matrix":
        return tuple(features), set_aside, None
    low, high = _matrix_range(features)
    scale = high - low if high > low else 1.0
    over_matrix = tuple(
        msgspec.structs.replace(each, center=low, scale=scale) if isinstance(each, NumberColumn) else each
        for each in features
    )
    return over_matrix, set_aside, (low, high)


def _matrix_range(features: Sequence[Feature]) -> tuple[float, float]:
    """The smallest and the largest number in the training rows of all columns of numbers; 0 and 1 without such."""
    ranges = [each.range for each in features if isinstance(each, NumberColumn) and each.range]
    return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else (0.0, 1.0)


def _fit_some(columns: Sequence[pl.Series], mask: pl.Series | None, options: Options) -> list[Feature | SetAside]:
    """Some columns; what is asked of their numbers is asked of all at once."""
    training = [series if mask is None else series.filter(mask) for series in columns]
    numbers = [series for series in training if series.dtype.is_numeric()]
    known = dict(zip((series.name for series in numbers), statistics_of(numbers, options.scaling), strict=True))
    return [_fit(_Column(series, mask, known.get(series.name)), options) for series in training]


def _fit(column: _Column, options: Options) -> Feature | SetAside:
    """One column: what it is, and what its training rows say."""
    name, dtype = column.name, column.training.dtype
    if name in options.drop:
        return SetAside(name, "left out, as asked")
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return SetAside(name, f"holds values of the type {dtype}, which have no encoding")
    if column.training.null_count() == len(column.training):
        return SetAside(name, "holds no value in the training rows")
    if name in options.categories:
        return _fit_categories(column, options, asked=True)
    return _reader(dtype)(column, options)


def _reader(dtype: pl.DataType) -> Callable[[_Column, Options], Feature | SetAside]:
    """What learns from a column of this type."""
    if dtype == pl.Boolean:
        return _fit_boolean
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        return _fit_date
    return _fit_text if dtype == pl.String else _fit_number


def _constant(value: object) -> str:
    """The reason for setting a constant column aside."""
    return f"holds {shown(value)} in every training row"


def _float(value: Any) -> float:
    """A statistic of polars as a number."""
    return float(value)


def _fit_number(column: _Column, options: Options) -> NumberColumn | SetAside:
    """Median, center and scale of a column of numbers."""
    numbers = column.numbers(options.scaling)
    low, high, median = _float(numbers.low), _float(numbers.high), _float(numbers.median)
    if math.isinf(low) or math.isinf(high):
        values = as_numbers(column.training)
        place = values.is_infinite().arg_max() or 0
        raise infinite(column.name, column.row(place) - 1, _float(values[place]))
    missing = column.has_missing
    if options.scaling in ("minmax-matrix", "none"):
        center, scale = 0.0, 1.0
    elif options.scaling == "minmax":
        center, scale = low, high - low
    else:
        center, scale = _float(numbers.mean), _float(numbers.std)
    if not all(math.isfinite(number) for number in (median, center, scale)):
        raise infinite(column.name, column.row(as_numbers(column.training).abs().arg_max() or 0) - 1, high)
    if low == high or scale == 0:
        if not missing and options.scaling != "minmax-matrix":
            value = column.training[0]
            return SetAside(column.name, _constant(value) if low == high else "varies too little to be scaled")
        center, scale = (low, 1.0) if options.scaling in ("standard", "minmax") else (0.0, 1.0)
    return NumberColumn(
        name=column.name, median=median, center=center, scale=scale, indicator=missing, range=(low, high)
    )


def _fit_boolean(column: _Column, _: Options) -> BooleanColumn | SetAside:
    """The share of true values."""
    truth = as_truth(column.training)
    if truth.drop_nulls().n_unique() == 1 and not column.has_missing:
        return SetAside(column.name, _constant(column.training[0]))
    return BooleanColumn(name=column.name, share=_float(truth.mean()), indicator=column.has_missing)


def _fit_date(column: _Column, options: Options) -> DateColumn | SetAside:
    """Those parts of the dates that are not always the same."""
    moments = as_moments(column.training)
    parts = []
    for part in get_args(Part):
        fitted = _fit_number(
            msgspec.structs.replace(column, training=date_part(moments.drop_nulls(), part), statistics=None),
            msgspec.structs.replace(
                options, scaling="minmax" if options.scaling == "minmax-matrix" else options.scaling
            ),
        )
        if isinstance(fitted, NumberColumn):
            parts.append(DatePart(part=part, median=fitted.median, center=fitted.center, scale=fitted.scale))
    if not parts and not column.has_missing:
        return SetAside(column.name, _constant(column.training[0]))
    return DateColumn(
        name=column.name, parts=tuple(parts), indicator=column.has_missing, range=_first_and_last(moments)
    )


def _first_and_last(moments: pl.Series) -> tuple[str, str]:
    """As ISO 8601, days alone where no row tells an hour."""
    days = moments.drop_nulls().dt.time().eq(time()).all()
    ends: tuple[Any, Any] = (moments.min(), moments.max())
    first, last = (each.date().isoformat() if days else each.isoformat() for each in ends)
    return first, last


def _fit_text(column: _Column, options: Options) -> Feature | SetAside:
    """A column of text: numbers, truth values, dates or categories, by what its training rows say."""
    counts = column.training.drop_nulls().alias("value").value_counts(name="rows")
    texts = counts.get_column("value")
    numbers = as_numbers(texts)
    if not numbers.has_nulls():
        return _fit_number(column, options)
    if texts.str.to_lowercase().unique().sort().to_list() in [list(pair) for pair in TRUTH_WORDS]:
        return _fit_boolean(column, options)
    if not as_moments(texts).has_nulls():
        return _fit_date(column, options)
    _refuse_mistakes(column, counts.filter(numbers.is_null()))
    return _fit_categories(column, options, asked=False)


def _refuse_mistakes(column: _Column, words: pl.DataFrame) -> None:
    """Raise where nearly all values are numbers, so that the few others are mistakes or marks for missing values."""
    mistakes = int(words.get_column("rows").sum())
    there = len(column.training) - column.training.null_count()
    if there - mistakes < 3 or mistakes > max(1, (1 - _NEARLY_ALL) * there):
        return
    place = column.training.is_in(words.get_column("value").to_list()).arg_max() or 0
    value = column.training[place]
    share = f"{there - mistakes:,} of {there:,} values are numbers"
    raise DataError(
        f"{quoted(column.name)}, row {column.row(place)} holds {shown(value)}, and {share}",
        mend=f"Correct the value; or say that it marks a missing value: missing=[{value!r}]; or that the column names "
        f"categories: categories=[{column.name!r}]",
    )


def _fit_categories(column: _Column, options: Options, *, asked: bool) -> CategoryColumn | SetAside:
    """The texts that get a place of their own."""
    numeric = column.training.dtype.is_numeric() or (asked and not as_numbers(column.training.drop_nulls()).has_nulls())
    texts = category_texts(column.training, numeric=numeric).drop_nulls().alias("value")
    counts = texts.value_counts(name="rows")
    distinct, most = counts.height, options.max_categories
    if distinct == 1 and not column.has_missing:
        return SetAside(column.name, _constant(column.training[0]))
    if distinct > most and asked:
        raise DataError(
            f"{quoted(column.name)} holds {distinct:,} different values, more than max_categories={most:,}",
            mend=f"Raise max_categories, merge rare values, or leave the column out: drop=[{column.name!r}]",
        )
    if not asked and distinct == len(texts):
        what = f"holds a different text in each of {distinct:,} training rows, as a name does"
        return SetAside(column.name, what)
    if distinct > most and 2 * distinct > len(texts):
        what = f"holds {distinct:,} different texts in {len(texts):,} training rows: most stand once"
        return SetAside(column.name, what)
    kept = counts.sort(["rows", "value"], descending=[True, False]).get_column("value").head(most)
    values = sorted(kept, key=float) if numeric else sorted(kept)
    return CategoryColumn(name=column.name, values=tuple(values), grouped=max(distinct - most, 0), numeric=numeric)
