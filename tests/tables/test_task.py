"""The target: which task it asks for and why, its encoding there and back, and its faults."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from chainrule.errors import ArgumentError, DataError
from chainrule.tables import ClassTarget, ValueTarget, fit_columns

NUMBERS = list(range(30))


def fit(values, **settings):
    frame = {"x": np.arange(float(len(values))), "y": values}
    return fit_columns(frame, "y", **settings), frame


@pytest.mark.parametrize(
    ("values", "classes", "reason"),
    [
        (list("bab"), ("a", "b"), "y holds 2 different texts: classification"),
        ([True, False, True], (False, True), "y holds true and false: classification"),
        ([3, 1, 3, 1, 2, 2], (1, 2, 3), "y holds 3 different whole numbers: classification"),
        ([3.0, 1.0, 3.0, 1.0], (1, 3), "y holds 2 different whole numbers: classification"),
        (["1", "0", "1", "0"], ("0", "1"), "y holds 2 different texts: classification"),
        (NUMBERS, (), "y holds 30 different whole numbers, more than 20: regression"),
        ([1, 2, 3], (), "y holds 3 different whole numbers in 3 rows: regression"),
        ([1.5, 1.0, 2.0], (), "y holds numbers with decimals: regression"),
        ([f"{i}.5" for i in NUMBERS], (), "y holds 30 different numbers: regression"),
    ],
)
def test_the_task_is_found_out(values, classes, reason):
    columns, _ = fit(values)
    assert columns.classes == classes
    assert [type(label) for label in columns.classes] == [type(label) for label in classes]
    assert columns.target.reason == reason
    assert columns.task == ("classification" if classes else "regression")


def test_the_task_is_asked_for():
    columns, _ = fit([1, 2, 1, 2], task="regression")
    assert isinstance(columns.target, ValueTarget)
    assert columns.target.reason == "y: regression, as asked"
    columns, _ = fit(NUMBERS, task="classification")
    assert isinstance(columns.target, ClassTarget)
    assert len(columns.classes) == 30


def test_classes_there_and_back():
    for values in (list("baab"), [True, False, False, True], [7, 2, 2, 7]):
        columns, frame = fit(values)
        indices = columns.encode_target(frame)
        assert indices.dtype == np.int64
        assert indices.tolist() == [1, 0, 0, 1]
        assert columns.decode_classes(indices).to_list() == values


@pytest.mark.parametrize(
    ("values", "others"),
    [
        ([7, 2, 2, 7], [["7", "2"], [7.0, 2.0], ["7.0", "2"]]),
        ([True, False, True], [["true", "False"], ["yes", "no"], [1, 0]]),
        (["1", "0", "1"], [[1, 0], [1.0, 0.0]]),
    ],
)
def test_labels_of_another_type_are_the_same_classes(values, others):
    columns, _ = fit(values)
    for other in others:
        assert columns.encode_target({"y": other}).tolist() == [1, 0]


def test_classes_come_from_all_rows():
    columns, frame = fit(list("abac"), rows=[0, 1, 2])
    assert columns.classes == ("a", "b", "c")
    assert columns.encode_target(frame).tolist() == [0, 1, 0, 2]


def test_values_are_scaled_by_the_training_rows_and_come_back():
    values = np.random.default_rng(0).normal(1000, 50, 40)
    columns, frame = fit(values, rows=np.arange(20))
    scaled = columns.encode_target(frame, dtype="float64")
    assert abs(scaled[:20].mean()) < 1e-12
    assert abs(scaled[:20].std() - 1) < 1e-12
    np.testing.assert_allclose(columns.decode_values(scaled), values, rtol=1e-14)
    assert columns.encode_target(frame).dtype == np.float32
    text = {"y": [str(value) for value in values]}
    assert np.array_equal(columns.encode_target(text, dtype="float64"), scaled)


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        (["q"] * 4, {}, "is the target and holds 'q' in every row"),
        ([1.5] * 4, {}, "is the target and holds 1.5 in every row"),
        (["u", None, "v"], {}, "is the target and is missing in row 2"),
        (["u", "?", "v", ""], {}, "is missing in 2 rows, the first of them row 2"),
        ([1.0, float("nan"), 3.5], {}, "is missing in row 2"),
        (list("uuvv"), {"rows": [0, 1]}, "all 2 training rows are of the class 'u': expected rows of two classes"),
        ([1.5, 1.5, 2.5, 3.5], {"rows": [0, 1]}, "holds 1.5 in all 2 training rows"),
        (
            ["1", "b", "1"],
            {"task": "regression"},
            "row 2: expected a number, as task=\"regression\" was asked for, got 'b'",
        ),
        ([0.5, 1.5, 0.5], {"task": "classification"}, "holds numbers with decimals: expected text or whole numbers"),
        ([f"n{i}" for i in NUMBERS], {}, "holds 30 different texts in 30 rows"),
        ([dt.date(2024, 1, 1), dt.date(2024, 1, 2)], {}, "values of the type Date"),
        ([1.5, float("inf"), 2.5], {}, "row 2 holds inf"),
        ([1e308, -1e308, 1.5], {}, "too large"),
    ],
)
def test_faults(values, settings, message):
    with pytest.raises(DataError, match=message):
        fit(values, **settings)


def test_faults_of_later_tables():
    columns, _ = fit(list("abab"))
    with pytest.raises(
        DataError, match=r"^t\.csv: column 'y', row 2 holds 'A', a class that training did not know\. Did"
    ):
        columns.encode_target({"y": ["a", "A"]}, where="t.csv")
    with pytest.raises(DataError, match="the column 'y' is missing"):
        columns.encode_target({"z": [1]})
    with pytest.raises(DataError, match="missing in row 1"):
        columns.encode_target({"y": [None, "a"]})
    with pytest.raises(ArgumentError, match="'y' holds classes"):
        columns.decode_values([0.5])
    values, _ = fit([1.5, 2.5, 3.5])
    with pytest.raises(ArgumentError, match="'y' holds values"):
        values.decode_classes([0])
    with pytest.raises(DataError, match="row 1: expected a number, got 'x'"):
        values.encode_target({"y": ["x"]})
    assert isinstance(values.encode_target(pl.DataFrame({"y": [1]})), np.ndarray)
