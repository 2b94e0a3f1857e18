"""Columns of a network that was made without a table."""

from __future__ import annotations

import polars as pl
import pytest

from chainrule.errors import ArgumentError, DataError
from chainrule.tables.given import given_columns

TABLE = pl.DataFrame({"b": [1.5, None, -2.0], "kind": ["x", "y", "x"], "a": [3, 4, 5], "n": [0, 1, 0]})


def test_numbers_stay_as_they_are_in_their_order():
    columns = given_columns(TABLE.drop("n"), "kind", n_classes=2)
    assert columns.feature_names == ("b", "a")
    assert columns.encode(TABLE, dtype="float64").tolist() == [[1.5, 3.0], [-0.25, 4.0], [-2.0, 5.0]]  # the median
    assert columns.encode_target(TABLE).tolist() == [0, 1, 0]
    assert [feature.range for feature in columns.features] == [(-2.0, 1.5), (3.0, 5.0)]


def test_classes_are_numbers_or_labels_or_as_said():
    rows = TABLE.drop("kind")
    assert given_columns(rows, "n", n_classes=5).classes == (0, 1, 2, 3, 4)
    assert given_columns(TABLE, "kind", n_classes=2, classes=["y", "x"]).encode_target(TABLE).tolist() == [1, 0, 1]
    assert given_columns(rows.with_columns(n=pl.col("n") + 7), "n", n_classes=2).classes == (7, 8)


def test_values_stay_as_they_are():
    columns = given_columns(TABLE.drop("kind"), "a", n_classes=0)
    assert columns.encode_target(TABLE, dtype="float64").tolist() == [3.0, 4.0, 5.0]
    assert columns.decode_values([7.0]).tolist() == [7.0]


@pytest.mark.parametrize(
    ("target", "settings", "words"),
    [
        (
            "a",
            {"n_classes": 0},
            "column 'kind', row 1: expected a number, got 'x'. Leave columns",
        ),
        ("kinds", {"n_classes": 2}, "there is no column 'kinds' to predict. Did you mean 'kind'"),
        ("kind", {"n_classes": 3}, r"holds 2 different labels \(x, y\), and the network tells 3 classes apart"),
        ("b", {"n_classes": 2}, "column 'b' holds numbers with decimals|is missing in row 2"),
        ("kind", {"n_classes": 2, "classes": ["x"]}, "classes: expected 2 labels"),
        ("kind", {"n_classes": 2, "classes": ["x", "z"]}, "row 2 holds 'y'"),
    ],
)
def test_a_table_that_does_not_fit(target, settings, words):
    table = TABLE if target != "b" else TABLE.drop("kind").drop_nulls()
    with pytest.raises((DataError, ArgumentError), match=words):
        given_columns(table, target, **settings)


def test_a_column_without_numbers_or_with_infinite_ones():
    for values in ([None, None, None], [1.0, float("inf"), 2.0]):
        table = TABLE.drop("kind").with_columns(b=pl.Series(values, dtype=pl.Float64))
        with pytest.raises(DataError, match="column 'b': its values: expected finite numbers"):
            given_columns(table, "n", n_classes=2)
