"""The encoding: against scikit-learn, without leakage, the same from any kind of frame; every fault by its message."""

# ruff: noqa: DTZ001 - the moments of a table have no zone

from __future__ import annotations

import datetime as dt

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from chainrule.errors import ArgumentError, DataError
from chainrule.tables import (
    BooleanColumn,
    CategoryColumn,
    Columns,
    DateColumn,
    NumberColumn,
    filling,
    fit_columns,
    load_dataset,
)

ROWS = 60


def table(seed=0, rows=ROWS):
    """One column of every kind, with missing values, and three that carry nothing."""
    rng = np.random.default_rng(seed)
    day = dt.date(2020, 1, 1)
    columns = {
        "size": rng.normal(50, 10, rows),
        "count": rng.integers(0, 9, rows),
        "age": [None if i % 7 == 3 else float(x) for i, x in enumerate(rng.integers(1, 90, rows))],
        "island": [None if i % 11 == 5 else "xyz"[j] for i, j in enumerate(rng.integers(0, 3, rows))],
        "member": [[True, False, None][j] for j in rng.integers(0, 3, rows)],
        "answer": ["yes" if j else "no" for j in rng.integers(0, 2, rows)],
        "born": [day + dt.timedelta(days=int(j)) for j in rng.integers(0, 2000, rows)],
        "constant": [4] * rows,
        "nothing": [None] * rows,
        "name": [f"person {i}" for i in range(rows)],
        "species": ["ab"[j] for j in rng.integers(0, 2, rows)],
    }
    return pl.DataFrame(columns)


def place(columns, name):
    return columns.feature_names.index(name)


def test_kinds_and_names():
    columns = fit_columns(table(), "species")
    kinds = {feature.name: type(feature) for feature in columns.features}
    assert kinds == {
        "size": NumberColumn,
        "count": NumberColumn,
        "age": NumberColumn,
        "island": CategoryColumn,
        "member": BooleanColumn,
        "answer": BooleanColumn,
        "born": DateColumn,
    }
    assert columns.feature_names == (
        *("size", "count", "age", "age is missing"),
        *("island=x", "island=y", "island=z", "island is another or missing"),
        *("member", "member is missing", "answer"),
        *("born: year", "born: month", "born: day of week", "born: day of year", "born: days"),
    )
    reasons = {aside.name: aside.reason for aside in columns.set_aside}
    assert reasons == {
        "constant": "holds 4 in every training row",
        "nothing": "holds no value in the training rows",
        "name": "holds a different text in each of 60 training rows, as a name does",
    }
    X = columns.encode(table())
    assert X.shape == (ROWS, 16)
    assert X.dtype == np.float32
    assert X.flags.c_contiguous


@pytest.mark.parametrize("rows", [None, np.arange(0, ROWS, 2)], ids=["all", "some"])
def test_numbers_as_scikit_learn(rows):
    frame = table()
    part = frame if rows is None else frame[rows.tolist()]
    matrix, whole = (each.select("size", "count", "age").to_numpy() for each in (part, frame))
    imputer = SimpleImputer(strategy="median").fit(matrix)
    for scaling, scaler in (("standard", StandardScaler()), ("minmax", MinMaxScaler())):
        columns = fit_columns(frame, "species", rows=rows, scaling=scaling)
        # Missing values do not count for the scale, so it is learned from those that are there.
        expected = scaler.fit(matrix).transform(imputer.transform(whole))
        X = columns.encode(frame, dtype="float64")
        np.testing.assert_allclose(X[:, :3], expected, rtol=1e-12, atol=1e-12)
        assert np.array_equal(X[:, 3], np.isnan(whole[:, 2]))


def test_no_scaling_and_the_whole_matrix():
    frame = table()
    matrix = frame.select("size", "count", "age", "constant").to_numpy()
    matrix[np.isnan(matrix[:, 2]), 2] = np.nanmedian(matrix[:, 2])
    plain = fit_columns(frame, "species", scaling="none")
    assert np.array_equal(plain.encode(frame, dtype="float64")[:, :3], matrix[:, :3])
    columns = fit_columns(frame, "species", scaling="minmax-matrix")
    low, high = matrix.min(), matrix.max()
    assert columns.matrix_range == (low, high)
    X = columns.encode(frame, dtype="float64")
    places = [place(columns, name) for name in ("size", "count", "age", "constant")]
    np.testing.assert_allclose(X[:, places], (matrix - low) / (high - low), rtol=1e-12)


@pytest.mark.parametrize("scaling", ["standard", "minmax", "minmax-matrix", "none"])
def test_ranges_are_kept_whatever_the_scaling(scaling):
    frame = table().with_columns(
        at=pl.datetime_range(
            pl.datetime(2020, 1, 1, 6),
            interval="1h",
            eager=True,
            end=pl.datetime(2020, 1, 1, 5) + pl.duration(hours=ROWS),
        )
    )
    training = np.arange(10, ROWS)
    columns = fit_columns(frame, "species", rows=training, scaling=scaling)
    kept = {feature.name: feature.range for feature in columns.features if hasattr(feature, "range")}
    size = frame["size"][10:]
    assert kept["size"] == (size.min(), size.max())
    assert kept["at"] == (frame["at"][10].isoformat(), frame["at"][-1].isoformat())
    again = msgspec.json.decode(msgspec.json.encode(columns), type=Columns)
    assert again == columns
    broken = msgspec.to_builtins(columns.features[0]) | {"range": [2.0, 1.0]}
    with pytest.raises(msgspec.ValidationError, match="two finite numbers in order"):
        msgspec.convert(broken, NumberColumn)


def test_categories_as_scikit_learn():
    frame = load_dataset("penguins").drop_nulls()
    columns = fit_columns(frame.select("island", "sex", "species"), "species")
    expected = OneHotEncoder(sparse_output=False).fit_transform(frame.select("island", "sex").to_numpy())
    X = columns.encode(frame)
    assert np.array_equal(X[:, [0, 1, 2, 4, 5]], expected)
    assert not X[:, [3, 6]].any()


def test_dates_as_the_standard_library_reckons():
    frame = table()
    columns = fit_columns(frame, "species", scaling="none")
    X = columns.encode(frame, dtype="float64")
    start = place(columns, "born: year")
    for row, day in enumerate(frame["born"]):
        calendar = [day.year, day.month, day.isoweekday(), day.timetuple().tm_yday, (day - dt.date(1970, 1, 1)).days]
        assert X[row, start : start + 5].tolist() == calendar


def test_moments_in_text_with_zones():
    texts = [
        "2024-01-31T10:30:00+02:00",
        "2024-02-01",
        "2024-02-01 23:15",
        "2024-02-03T01:00:30.5Z",
        "2024-02-03T01:00-0130",
    ]
    columns = fit_columns({"at": texts, "y": list("ababa")}, "y", scaling="none")
    utc = [dt.datetime(2024, 1, 31, 8, 30), dt.datetime(2024, 2, 1), dt.datetime(2024, 2, 1, 23, 15)]
    utc += [dt.datetime(2024, 2, 3, 1, 0, 30, 500_000), dt.datetime(2024, 2, 3, 2, 30)]
    days = [(each - dt.datetime(1970, 1, 1)) / dt.timedelta(days=1) for each in utc]
    X = columns.encode({"at": texts}, dtype="float64")
    np.testing.assert_allclose(X[:, place(columns, "at: days")], days, rtol=1e-14)
    np.testing.assert_allclose(X[:, place(columns, "at: hour")], [8.5, 0, 23.25, 1, 2.5])


def test_booleans():
    frame = pl.DataFrame({"a": [True, None, False, True], "y": list("uvuv")})
    columns = fit_columns(frame, "y")
    assert columns.encode(frame).tolist() == [[1, 0], [np.float32(2 / 3), 1], [0, 0], [1, 0]]
    expected = [[1, 0], [0, 0]]
    for values in ([True, False], ["Yes", "no"], ["TRUE", "false"], [1, 0], [1.0, 0.0], ["t", "f"]):
        assert columns.encode({"a": values}).tolist() == expected
    assert columns.encode({"a": ["maybe"]}).tolist() == columns.encode({"a": [None]}).tolist()


def test_values_that_training_did_not_hold():
    frame = pl.DataFrame(
        {"c": list("aabb"), "d": ["2024-01-01"] * 2 + ["2024-05-02"] * 2, "n": [1, 2, 3, 4], "y": list("uvuv")}
    )
    columns = fit_columns(frame, "y")
    X = columns.encode({"c": ["a", "new", None], "d": [None] * 3, "n": [None] * 3})
    assert X[:, :3].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
    medians = columns.encode({"c": ["a"], "d": ["2024-03-02"], "n": [2.5]})
    assert X[0, place(columns, "n")] == medians[0, place(columns, "n")] == 0


def test_many_categories():
    texts = [f"t{i % 30:02}" for i in range(70)] + ["often"] * 30
    frame = pl.DataFrame({"c": texts, "x": np.arange(100.0), "y": list("uv") * 50})
    few = fit_columns(frame, "y", max_categories=5).features[0]
    assert few.names[:5] == ("c=often", "c=t00", "c=t01", "c=t02", "c=t03")  # the most frequent
    assert few.grouped == 26
    assert fit_columns(frame, "y", max_categories=31).features[0].grouped == 0
    with pytest.raises(DataError, match=r"column 'c' holds 31 different values, more than max_categories=5\. Raise"):
        fit_columns(frame, "y", categories=["c"], max_categories=5)
    rare = frame.with_columns(c=pl.Series([f"t{i // 2 if i < 20 else i}" for i in range(100)]))
    columns = fit_columns(rare, "y", max_categories=50)
    assert columns.set_aside[0].reason == "holds 90 different texts in 100 training rows: most stand once"


def test_numbers_that_are_categories():
    frame = pl.DataFrame({"c": [3, 1, 3, 10], "y": list("uvuv")})
    columns = fit_columns(frame, "y", categories=["c"])
    assert columns.feature_names == ("c=1", "c=3", "c=10", "c is another or missing")
    expected = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    for values in ([3, 10, 4], [3.0, 10.0, 4.5], ["3", "10.0", "x"], [3, 10, None]):
        assert columns.encode({"c": values}).tolist() == expected
    assert isinstance(fit_columns(frame, "y").features[0], NumberColumn)


def test_drop_and_missing_marks():
    frame = pl.DataFrame({"a": [1, -999, 3, 5], "b": ["u", "-", "v", "u"], "z": [1, 2, 3, 4], "y": list("uvuv")})
    columns = fit_columns(frame, "y", drop=["z"], missing=["-", "-999"])
    assert columns.set_aside[0].reason == "left out, as asked"
    assert columns.feature_names[:2] == ("a", "a is missing")
    assert columns.features[0].median == 3
    # The marks travel with the encoding.
    assert (
        columns.encode({"a": ["-999"], "b": ["-"]})[0].tolist()
        == columns.encode({"a": [None], "b": [None]})[0].tolist()
    )


def test_a_constant_with_gaps_says_whether_there_is_a_value():
    columns = fit_columns({"a": [5, None, 5, None], "c": ["k", None, "k", None], "y": list("uvuv")}, "y")
    assert columns.encode({"a": [5, None], "c": ["k", None]}).tolist() == [[0, 0, 1, 0], [0, 1, 0, 1]]


@pytest.mark.parametrize("scaling", ["standard", "minmax", "minmax-matrix", "none"])
def test_no_leakage(scaling):
    rows = np.arange(0, ROWS, 2)
    frame, other = table(), table(seed=1)
    is_training = pl.int_range(pl.len()) % 2 == 0
    foreign = other.with_columns(
        pl.col("size") * 1000, island=pl.lit("elsewhere"), born=pl.lit(dt.date(1900, 1, 1)), constant=pl.lit(77)
    )
    mixed = pl.DataFrame(
        [
            pl.select(
                pl.when(pl.Series(np.arange(ROWS) % 2 == 0)).then(frame[name]).otherwise(foreign[name]).alias(name)
            ).to_series()
            for name in frame.columns
            if name != "nothing"
        ]
    )
    first = fit_columns(frame.drop("nothing"), "species", rows=rows, scaling=scaling)
    second = fit_columns(mixed, "species", rows=rows, scaling=scaling)
    assert not frame.drop("nothing").equals(mixed)
    assert first == second
    only = fit_columns(frame.drop("nothing").filter(is_training), "species", scaling=scaling)
    assert first.features == only.features


def test_rows_by_mask_and_in_any_order():
    frame, rows = table(), np.arange(0, ROWS, 2)
    mask = np.zeros(ROWS, dtype=bool)
    mask[rows] = True
    first = fit_columns(frame, "species", rows=rows)
    assert first == fit_columns(frame, "species", rows=mask) == fit_columns(frame, "species", rows=rows[::-1].tolist())


def test_every_kind_of_frame_gives_the_same_matrix():
    frame = table().drop("nothing")
    columns = fit_columns(frame, "species")
    X = columns.encode(frame)
    for other in (frame.to_pandas(), frame.to_arrow(), frame.to_dict(as_series=False), frame.lazy()):
        assert fit_columns(other, "species") == columns
        assert np.array_equal(columns.encode(other), X)
    text = frame.cast(pl.String)
    assert np.array_equal(columns.encode(text), X)
    assert np.array_equal(columns.encode(frame.select(reversed(frame.columns)).with_columns(more=1)), X)
    assert np.array_equal(columns.encode(frame.cast({"count": pl.Float32, "island": pl.Categorical})), X)


def test_pandas_types():
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None, 3, 4], dtype="Int64"),
            "c": pd.Categorical(["a", "b", None, "a"]),
            "b": pd.array([True, False, None, True], dtype="boolean"),
            "t": pd.to_datetime(["2024-01-01", "2024-02-01", None, "2024-03-01"]),
            "y": [0, 1, 0, 1],
        }
    )
    columns = fit_columns(frame, "y")
    assert [type(feature) for feature in columns.features] == [NumberColumn, CategoryColumn, BooleanColumn, DateColumn]
    assert columns.encode(frame)[:, 1].tolist() == [0, 1, 0, 0]


def test_rare_types():
    frame = pl.DataFrame(
        {
            "long": pl.Series([1, 2, 3, 4]).cast(pl.Int128),
            "money": pl.Series(["1.10", "2.20", "3.30", "4.40"]).cast(pl.Decimal(10, 2)),
            "span": [dt.timedelta(hours=i) for i in range(4)],
            "clock": [dt.time(1), dt.time(2), dt.time(1), dt.time(2)],
            "list": [[1]] * 4,
            "y": list("uvuv"),
        }
    )
    columns = fit_columns(frame, "y", scaling="none")
    assert columns.encode(frame)[1, :3].tolist() == [2, np.float32(2.2), 3600]
    assert columns.feature_names[3] == "clock=01:00:00"
    assert columns.set_aside[0].name == "list"


@pytest.mark.parametrize("scaling", ["standard", "minmax-matrix"])
def test_json_gives_the_same_encoding(scaling):
    frame = table()
    for target in ("species", "size", "count", "member_"):
        whole = frame.with_columns(member_=pl.col("answer") == "yes")
        columns = fit_columns(whole, target, scaling=scaling)
        text = msgspec.json.encode(columns)
        again = msgspec.json.decode(text, type=Columns)
        assert again == columns
        assert [type(label) for label in again.classes] == [type(label) for label in columns.classes]
        assert np.array_equal(again.encode(whole), columns.encode(whole))
        assert np.array_equal(again.encode_target(whole), columns.encode_target(whole))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"scale":', b'"scale":-'),
        (b'"share":', b'"share":7'),
        (b'"kind":"number"', b'"kind":"spell"'),
        (b'"values":["x","y"', b'"values":["x","x"'),
        (b'"classes":["a","b"]', b'"classes":["a"]'),
        (b'"features":', b'"feature":'),
    ],
)
def test_a_record_that_was_tampered_with(old, new):
    text = msgspec.json.encode(fit_columns(table(), "species"))
    assert old in text
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text.replace(old, new, 1), type=Columns)


def numbers_with(value, place=16):
    values = [str(i) for i in range(40)]
    values[place] = value
    return {"x": values, "y": ["u", "v"] * 20}


def test_text_in_a_column_of_numbers():
    frame = numbers_with("twelve")
    message = (
        r"^f\.csv: column 'x', row 17 holds 'twelve', and 39 of 40 values are numbers\. Correct the value; .*"
        r"missing=\['twelve'\]; .*categories=\['x'\]"
    )
    with pytest.raises(DataError, match=message):
        fit_columns(frame, "y", where="f.csv")
    with pytest.raises(DataError, match="column 'x', row 17 holds 'twelve', and 19 of 20"):
        fit_columns(frame, "y", rows=range(10, 30))
    assert fit_columns(frame, "y", missing=["twelve"]).features[0].indicator
    assert "x=twelve" in fit_columns(frame, "y", categories=["x"]).feature_names
    columns = fit_columns(frame, "y", rows=range(10))
    with pytest.raises(DataError, match=r"^new\.csv: column 'x', row 17: expected a number, got 'twelve'"):
        columns.encode(frame, where="new.csv")


def test_a_table_may_use_the_names_that_the_code_uses():
    frame = pl.DataFrame({"rows": list("aabb"), "value": list("cdcd"), "x": [1.0, 2, 3, 4], "literal": list("uvuv")})
    assert fit_columns(frame, "literal").encode(frame).shape == (4, 7)


FIT = {"x": [1.0, 2.0, 3.0, 4.0], "c": list("ppqq"), "y": list("uvuv")}


@pytest.mark.parametrize(
    ("columns", "settings", "error", "message"),
    [
        (FIT, {"target": "Y"}, DataError, r"there is no column 'Y' to predict\. Did you mean 'y'\?"),
        (FIT, {"scaling": "std"}, ArgumentError, "there is no scaling 'std'"),
        (FIT, {"task": "classify"}, ArgumentError, "there is no task 'classify'. Did you mean 'classification'"),
        (FIT, {"categories": ["C1"]}, ArgumentError, "there is no column 'C1'. Did you mean 'c'|There are"),
        (FIT, {"drop": ["zz"]}, ArgumentError, "there is no column 'zz'"),
        (FIT, {"max_categories": 0}, ArgumentError, "max_categories: expected a whole number >= 1, got 0"),
        (FIT, {"rows": [4]}, ArgumentError, r"rows: expected numbers from 0 to 3, got \[4\]"),
        (FIT, {"rows": []}, ArgumentError, "rows: expected a list of row numbers"),
        (FIT, {"rows": 0.5}, ArgumentError, "rows: expected a list of row numbers, got 0.5"),
        ({"y": list("uvuv")}, {}, DataError, "there is no column besides the target"),
        ({"a": [1, 1], "y": list("uv")}, {}, DataError, "no column is left to learn from .a: holds 1 in every"),
        ({"a": [1.0, float("inf")], "y": list("uv")}, {}, DataError, "column 'a', row 2 holds inf"),
        ({"a": [1e308, -1e308], "y": list("uv")}, {}, DataError, "column 'a', row 1 holds 1e.308"),
        ({"a": [1], "y": ["u"]}, {}, DataError, "the table has one row, and a network learns from two"),
    ],
)
def test_faults_at_training(columns, settings, error, message):
    with pytest.raises(error, match=message):
        fit_columns(columns, **{"target": "y", **settings})


def test_faults_at_prediction():
    frame = table()
    columns = fit_columns(frame, "species")
    renamed = frame.rename({"size": "sizes", "island": "Island", "born": "when"})
    with pytest.raises(
        DataError,
        match=r"3 columns are missing: 'size', 'island', 'born'\. Did you mean 'sizes'\? Did you mean 'Island'\?",
    ):
        columns.encode(renamed)
    with pytest.raises(DataError, match=r"the column 'size' is missing\. There are: count, age"):
        columns.encode(frame.drop("size"))
    for change, message in (
        ({"member": pl.lit(7)}, "column 'member', row 1: expected yes or no, true or false, 1 or 0, got 7"),
        ({"born": pl.lit("31.12.2024")}, "column 'born', row 1: expected a date as 2024-05-31"),
        ({"size": pl.col("born")}, "column 'size', row 1: expected a number"),
        ({"size": pl.lit(float("inf"))}, "column 'size', row 1 holds inf"),
        ({"size": pl.lit(1e300)}, r"column 'size', row 1 holds 1e\+300"),
    ):
        with pytest.raises(DataError, match=message):
            columns.encode(frame.with_columns(**change))
    with pytest.raises(ArgumentError, match="dtype: expected float32 or float64, got 'int8'"):
        columns.encode(frame, dtype="int8")


def test_nothing_but_missing_values_is_no_fault():
    frame = table()
    columns = fit_columns(frame, "species")
    X = columns.encode({name: [None] for name in frame.columns})
    assert np.isfinite(X).all()
    assert X[0, place(columns, "age is missing")] == 1
    assert X[0, place(columns, "island is another or missing")] == 1


# large tables --------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(monkeypatch):
    """Every table counts as large, and is cut into blocks of 64 rows by each of three threads."""
    monkeypatch.setattr(filling, "_SHARED", 1)
    monkeypatch.setattr(filling, "_BLOCK", 1)
    monkeypatch.setattr(filling, "cores", lambda: 3)


def test_threads_fill_the_same_matrix(request):
    frame = pl.DataFrame(table(rows=500))
    columns = fit_columns(frame, "species")
    alone = columns.encode(frame)
    request.getfixturevalue("shared")
    assert np.array_equal(columns.encode(frame), alone)
    one = columns.encode(frame.head(1))  # fewer rows than threads
    assert np.array_equal(one, alone[:1])


@pytest.mark.usefixtures("shared")
def test_of_several_faults_the_first_row_is_told():
    good = pl.DataFrame({"x": np.arange(600.0), "y": np.arange(600) % 2})
    columns = fit_columns(good, "y")
    x = np.arange(600.0)
    x[[150, 450, 599]] = 1e300
    with pytest.raises(DataError, match=r"'x', row 151\b"):
        columns.encode(good.with_columns(pl.Series("x", x)))
