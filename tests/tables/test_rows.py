"""Rows of plain values become the very matrix that a table of them becomes."""

from __future__ import annotations

import math
from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tables import fit_columns, load_dataset
from chainrule.tables.rows import FARTHEST, RowEncoding, RowsError, number_rows

TABLE = {
    "age": [31.5, 42.0, None, 27.25, 60.0, 19.0],
    "weight": [70, 82, 91, 64, 77, -999],
    "city": ["Bern", "Genf", "Bern", None, "Genf", "Bern"],
    "code": [1, 2, 3, 1, 2, 3],
    "member": [True, False, None, True, True, False],
    "paid": ["yes", "no", "no", "yes", "no", "yes"],
    "born": [date(1990, 1, 5), date(1985, 7, 9), None, date(2001, 12, 31), date(1999, 2, 28), date(2000, 2, 29)],
    "y": ["a", "b", "a", "b", "a", "b"],
}
COLUMNS = fit_columns(TABLE, "y", categories=["code"], missing=["NA", "-999"])
ENCODING = RowEncoding(COLUMNS, "float64")
ROW = {"age": 30, "weight": 75, "city": "Bern", "code": 2, "member": True, "paid": "yes", "born": "1999-02-28"}

texts = (
    st.sampled_from(["Bern", " Genf ", "NA", "", "3", "3.0", "-999", "yes", "No", "true", "é", "\u2003Bern"])
    | st.text()
)
whole = st.integers(-(2**62), 2**62)
moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda at: at.replace(microsecond=0).isoformat())  # noqa: DTZ001 -- ISO text without a zone
VALUES = {
    "age": st.none() | whole | st.floats(-1e9, 1e9) | st.just(-999),
    "weight": st.none() | whole | st.floats(-1e9, 1e9) | st.just(-999.0),
    "city": st.none() | texts | st.booleans() | whole | st.floats(allow_nan=False),
    "code": st.none() | texts | st.booleans() | st.integers(0, 4) | st.sampled_from([1.0, 2.5, 1e16, 3e-7]),
    "member": st.none() | texts | st.booleans() | st.sampled_from([0, 1, 0.0, 1.0]),
    "paid": st.none() | texts | st.booleans(),
    "born": st.none() | st.sampled_from(["NA", "", " 1999-02-28 "]) | moments | st.dates().map(str),
}
ROWS = st.fixed_dictionaries(VALUES)


def table_of(row: dict[str, object]) -> np.ndarray:
    return COLUMNS.encode({name: [value] for name, value in row.items()}, dtype="float64")


@pytest.mark.slow
@given(st.lists(ROWS, min_size=1, max_size=3))
def test_each_row_is_what_a_table_of_it_is(rows):
    expected = np.vstack([table_of(row) for row in rows])
    assert np.array_equal(ENCODING.rows(rows), expected)
    assert np.array_equal(ENCODING.columns({name: [row[name] for row in rows] for name in ROW}), expected)


@pytest.mark.parametrize("scaling", ["standard", "minmax", "minmax-matrix", "none"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "target"), [("iris", "species"), ("digits", "digit")])
def test_a_real_table_to_the_bit(name, target, dtype, scaling):
    frame = load_dataset(name)[:60]
    columns = fit_columns(frame, target, scaling=scaling)
    X = RowEncoding(columns, dtype).rows(frame.to_dicts())
    assert X.dtype == dtype
    assert np.array_equal(X, columns.encode(frame, dtype=dtype))


def test_one_column_alone():
    columns = fit_columns({"x": [1.0, 2.0, 3.0], "y": [0.5, 1.5, 2.5]}, "y", scaling="none")
    assert RowEncoding(columns).rows([{"x": 7}]).tolist() == [[7.0]]


def test_no_numbers_at_all():
    columns = fit_columns({"k": ["a", "b", "a", "b"], "y": ["p", "q", "p", "q"]}, "y")
    assert RowEncoding(columns).rows([{"k": "b"}, {"k": "z"}]).tolist() == [[0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("age", "31", "a number or null"),
        ("age", True, "a number or null"),
        ("age", [1], "a number or null"),
        ("age", {}, "a number or null"),
        ("age", math.inf, "a number from"),
        ("age", -1e300, "a number from"),
        ("age", 10**400, "a number from"),
        ("city", ["Bern"], "text, a number"),
        ("member", 2, "true, false"),
        ("member", {}, "true, false"),
        ("born", "1999-02-30", "a date as"),
        ("born", "yesterday", "a date as"),
        ("born", 1999, "a date as"),
        ("born", False, "a date as"),
    ],
)
def test_a_wrong_value_is_named(column, value, expected):
    with pytest.raises(RowsError) as told:
        ENCODING.rows([ROW, {**ROW, column: value}])
    (fault,) = told.value.faults
    assert (fault.row, fault.column) == (2, column)
    assert fault.expected.startswith(expected)


def test_all_that_is_wrong_is_named_row_by_row():
    with pytest.raises(RowsError) as told:
        ENCODING.rows([{**ROW, "born": "x", "age": "y"}, {**ROW, "weight": "z", "city": []}])
    assert [(fault.row, fault.column) for fault in told.value.faults] == [
        (1, "age"),
        (1, "born"),
        (2, "weight"),
        (2, "city"),
    ]


def test_no_more_than_twenty_faults_are_told():
    with pytest.raises(RowsError) as told:
        ENCODING.rows([{**ROW, "age": "x", "weight": "y"}] * 50)
    assert len(told.value.faults) == 20


@pytest.mark.parametrize("row", [None, 3, "text", [1, 2], {}])
def test_what_is_no_row_is_named(row):
    with pytest.raises(RowsError, match="row 2"):
        ENCODING.rows([ROW, row])


def test_a_column_that_is_missing_and_its_likely_name():
    row = {("Age" if name == "age" else name): value for name, value in ROW.items()}
    with pytest.raises(
        RowsError, match=r"row 1, column 'age': expected a value \('Age' is another column\), got nothing"
    ):
        ENCODING.rows([row])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({**{name: [value] for name, value in ROW.items()}, "age": [1, 2]}, "values, as in the column"),
        ({**{name: [value] for name, value in ROW.items()}, "age": 5}, "expected a list of values"),
        ({"age": [1]}, "column 'weight': expected a list of values"),
    ],
)
def test_columns_that_do_not_fit(columns, message):
    with pytest.raises(RowsError, match=message):
        ENCODING.columns(columns)


def test_the_bounds_are_those_that_are_kept():
    low, high = ENCODING.bounds("weight")
    assert np.isfinite(ENCODING.rows([{**ROW, "weight": low}, {**ROW, "weight": high}])).all()
    for beyond in (math.nextafter(low, -math.inf), math.nextafter(high, math.inf)):
        with pytest.raises(RowsError):
            ENCODING.rows([{**ROW, "weight": beyond}])


def test_rows_of_numbers():
    assert number_rows([[1, 2.5], [0, -1e20]], 2, "float32").tolist() == [[1, 2.5], [0, np.float32(-1e20)]]


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([[1, 2], [1]], (2, "")),
        ([[1, 2], 5], (2, "")),
        ([[1, 2], [1, None]], (2, "column_2")),
        ([[True, 2]], (1, "column_1")),
        ([["1", 2]], (1, "column_1")),
        ([[1, 2 * FARTHEST]], (1, "column_2")),
        ([[1, math.nan]], (1, "column_2")),
    ],
)
def test_rows_that_are_no_numbers(rows, place):
    with pytest.raises(RowsError) as told:
        number_rows(rows, 2, "float32")
    assert (told.value.faults[0].row, told.value.faults[0].column) == place
