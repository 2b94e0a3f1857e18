"""Whatever a table holds: through CSV, Parquet and JSON it comes out as the same matrix."""

# ruff: noqa: DTZ001 - the moments of a table have no zone

from __future__ import annotations

import datetime as dt
import string
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from chainrule.errors import DataError
from chainrule.tables import Columns, fit_columns, read_table, write_table

NUMBERS = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)
DAYS = st.dates(dt.date(1950, 1, 1), dt.date(2050, 1, 1))
KINDS = {
    "float": (NUMBERS, pl.Float64),
    "whole": (st.integers(-1000, 1000), pl.Int64),
    "large": (st.integers(-(2**53), 2**53), pl.Int64),
    "truth": (st.booleans(), pl.Boolean),
    "word": (st.sampled_from(["red", "green", "blue", "a,b", 'say "x"', "two\nlines", " blank ", "NA"]), pl.String),
    "yes": (st.sampled_from(["yes", "no"]), pl.String),
    "text": (st.text(string.ascii_letters + "äß,;'\"", max_size=4), pl.String),
    "day": (DAYS, pl.Date),
    "moment": (st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2050, 1, 1)), pl.Datetime("us")),
}


@st.composite
def tables(draw):
    """A frame of random columns with gaps, and a target of two classes."""
    rows = draw(st.integers(4, 12))
    series = []
    for place, kind in enumerate(draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))):
        values, dtype = KINDS[kind]
        optional = values if draw(st.booleans()) else st.none() | values
        series.append(pl.Series(f"{kind} {place}", draw(st.lists(optional, min_size=rows, max_size=rows)), dtype=dtype))
    series.append(pl.Series("target", ["u", "v"] * (rows // 2) + ["u"] * (rows % 2)))
    return pl.DataFrame(series)


def fit_or_none(frame):
    """The encoding, or None where the table says nothing or is at fault: then it must be so in every form."""
    try:
        return fit_columns(frame, "target")
    except DataError:
        return None


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.sampled_from([".csv", ".tsv", ".parquet", ".csv.gz"]))
def test_files_give_the_same_matrix(frame, ending):
    columns = fit_or_none(frame)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{ending}"
        write_table(frame, path)
        read = read_table(path)
    assert read.height == frame.height
    again = fit_or_none(read)
    assert (columns is None) == (again is None)
    if columns is not None and again is not None:
        assert again.features == columns.features
        assert {each.name for each in again.set_aside} == {each.name for each in columns.set_aside}
        for encoding in (columns, again):
            assert np.array_equal(encoding.encode(read), columns.encode(frame))
            assert np.array_equal(encoding.encode_target(read), columns.encode_target(frame))


@settings(max_examples=30, deadline=None)
@given(tables(), st.sampled_from(["standard", "minmax", "minmax-matrix", "none"]))
def test_json_gives_the_same_matrix_bit_for_bit(frame, scaling):
    try:
        columns = fit_columns(frame, "target", scaling=scaling)
    except DataError:
        reject()
    again = msgspec.json.decode(msgspec.json.encode(columns), type=Columns)
    assert again == columns
    X = columns.encode(frame, dtype="float64")
    assert again.encode(frame, dtype="float64").tobytes() == X.tobytes()
    assert X.shape == (frame.height, len(columns.feature_names))
    assert np.isfinite(X).all()
    if scaling == "minmax":
        assert X.min() >= -1e-9
        assert X.max() <= 1 + 1e-9


@settings(max_examples=30, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_order_of_rows_and_columns_changes_nothing_but_the_order(frame, random):
    columns = fit_or_none(frame)
    assume(columns is not None)
    order = list(range(frame.height))
    random.shuffle(order)
    names = list(frame.columns)
    random.shuffle(names)
    assert np.array_equal(columns.encode(frame.select(names)[order]), columns.encode(frame)[order])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=8))
def test_any_numbers_are_encoded_or_refused_in_words(values):
    frame = {"x": values, "y": ["u", "v"] * (len(values) // 2) + ["u"] * (len(values) % 2)}
    try:
        X = fit_columns(frame, "y").encode(frame)
    except DataError:
        return
    assert np.isfinite(X).all()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(string.digits + 'ab,;"\n\t. ', max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused_in_words(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(content)
        try:
            frame = read_table(path)
        except DataError:
            return
    assert frame.height > 0
