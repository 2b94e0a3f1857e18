"""Statistics of many columns at once, against NumPy."""

import numpy as np
import polars as pl
import pytest

from chainrule.tables import fitting
from chainrule.tables.columns import fit_columns
from chainrule.tables.statistics import statistics_of


def test_they_are_those_of_numpy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1001, 5)) * 10.0 ** np.arange(5)
    columns = [pl.Series(f"x{i}", X[:, i]) for i in range(5)]
    for statistics, x in zip(statistics_of(columns, "standard"), X.T, strict=True):
        np.testing.assert_allclose(
            statistics, [x.min(), x.max(), np.median(x), x.mean(), x.std()], rtol=1e-12, atol=1e-12
        )


def test_missing_numbers_do_not_count_and_texts_are_read():
    columns = [pl.Series("a", [None, 3, 1], dtype=pl.UInt8), pl.Series("b", ["1.5", None, "-2"])]
    first, second = statistics_of(columns, "minmax")
    assert (first.low, first.high, first.median) == (1, 3, 2.0)
    assert (second.low, second.high, second.mean) == (-2.0, 1.5, None)


@pytest.mark.parametrize("scaling", ["standard", "minmax", "minmax-matrix", "none"])
def test_columns_side_by_side_are_as_one_after_the_other(monkeypatch, scaling):
    rng = np.random.default_rng(0)
    table = {f"x{i}": rng.normal(size=50) for i in range(30)}
    table |= {"texts": [str(v) for v in rng.integers(0, 9, 50) / 4], "same": np.ones(50), "y": ["a", "b"] * 25}
    rows = np.arange(0, 50, 2)[:20]
    table["y"] = list("aabb" * 12 + "ab")
    alone = fit_columns(table, "y", scaling=scaling, rows=rows)
    monkeypatch.setattr(fitting, "_MANY", 1)
    assert fit_columns(table, "y", scaling=scaling, rows=rows) == alone
