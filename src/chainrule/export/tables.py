"""Random tables that fit an encoding: what is usual in each column, what is missing, and what no row ever held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from chainrule.tables import BooleanColumn, CategoryColumn, DateColumn, NumberColumn
from chainrule.tables.values import TRUTH_WORDS, number_marks

if TYPE_CHECKING:
    from chainrule.tables import Columns
    from chainrule.tables.features import Feature

_MISSING = 0.1  # of the rows, in each column
_FIRST, _LAST = (int(np.datetime64(year, "us").astype(np.int64)) for year in ("1890", "2110"))


def random_table(columns: Columns, rows: int, *, seed: int) -> pl.DataFrame:
    """A table of random rows, always the same for a seed; every column is sometimes missing or strange.

    Raises:
        TypeError: for a kind of column that it does not know.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    return pl.DataFrame([_series(feature, columns, rows, rng) for feature in columns.features])


def _series(feature: Feature, columns: Columns, rows: int, rng: np.random.Generator) -> pl.Series:
    """One column."""
    values: Any
    if isinstance(feature, NumberColumn):
        values = rng.standard_normal(rows) * feature.scale + feature.center
        marks = number_marks(columns.missing)
        if marks:
            values = np.where(rng.random(rows) < _MISSING, rng.choice(marks, rows), values)
    elif isinstance(feature, CategoryColumn):
        known = [float(value) for value in feature.values] if feature.numeric else list(feature.values)
        values = rng.choice([*known, max(known) + 1.5 if feature.numeric else "neither of them"], rows)  # type: ignore[operator]
    elif isinstance(feature, BooleanColumn):
        words = [word for pair in (*TRUTH_WORDS, ("0", "1")) for word in pair]
        values = rng.choice([*words, *map(str.upper, words), *map(str.title, words), "perhaps"], rows)
    elif isinstance(feature, DateColumn):
        values = rng.integers(_FIRST, _LAST, rows).astype("datetime64[us]")
    else:
        raise TypeError(f"no random values for {feature!r}")
    series = pl.Series(feature.name, values)
    return pl.select(pl.when(pl.Series(rng.random(rows) >= _MISSING)).then(series).alias(feature.name)).to_series()
