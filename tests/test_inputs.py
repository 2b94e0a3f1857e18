"""What a person may hand in: every form of the same numbers gives the same result, every fault has its place."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

import chainrule as cr
from chainrule.inputs import as_matrix, as_targets, class_weights, sample_weights
from chainrule.losses import BinaryCrossEntropy, CrossEntropy, HalfSquaredError, Loss, MeanSquaredError, Poisson

WHOLE = np.arange(12).reshape(4, 3)
TITLES = ["age", "height", "weight"]


def read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


FORMS: dict[str, Any] = {
    "float64": WHOLE.astype(float),
    "float32": WHOLE.astype(np.float32),
    "float16": WHOLE.astype(np.float16),
    "long double": WHOLE.astype(np.longdouble),
    "int64": WHOLE,
    "uint8": WHOLE.astype(np.uint8),
    "big endian": WHOLE.astype(">f8"),
    "big endian int": WHOLE.astype(">i4"),
    "Fortran order": np.asfortranarray(WHOLE.astype(float)),
    "every other row": np.repeat(WHOLE, 2, axis=0)[::2].astype(float),
    "a view of columns": np.hstack([WHOLE, WHOLE]).astype(np.float32)[:, :3],
    "reversed twice": WHOLE[::-1].copy()[::-1],
    "transposed": WHOLE.T.copy().T,
    "read-only": read_only(WHOLE.astype(np.float32)),
    "matrix": np.asmatrix(WHOLE),
    "masked, nothing masked": np.ma.masked_array(WHOLE, mask=False),
    "object": WHOLE.astype(object),
    "decimals": [[Decimal(int(v)) for v in row] for row in WHOLE],
    "fractions": np.array([[Fraction(int(v)) for v in row] for row in WHOLE]),
    "lists": WHOLE.tolist(),
    "tuples": tuple(map(tuple, WHOLE.tolist())),
    "rows": list(WHOLE),
    "pandas": pd.DataFrame(WHOLE, columns=TITLES),
    "pandas, odd index": pd.DataFrame(WHOLE, columns=TITLES, index=[7, 7, 1, 0]),
    "pandas, one name twice": pd.DataFrame(WHOLE, columns=["a", "a", "b"]),
    "pandas, nullable": pd.DataFrame(WHOLE, columns=TITLES).convert_dtypes(),
    "pandas, mixed": pd.DataFrame(WHOLE, columns=TITLES).astype({"age": "float32", "height": "int8"}),
    "polars": pl.DataFrame(WHOLE, schema=TITLES),
    "polars, mixed": pl.DataFrame(WHOLE, schema=TITLES).with_columns(pl.col("age").cast(pl.Float32)),
    "pyarrow": pa.table({name: WHOLE[:, i] for i, name in enumerate(TITLES)}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_numbers_is_the_same_matrix(form: str) -> None:
    matrix = as_matrix(FORMS[form], "float32", where="fit")
    assert type(matrix) is np.ndarray
    assert (matrix.dtype, matrix.flags.c_contiguous, matrix.dtype.isnative) == (np.float32, True, True)
    np.testing.assert_array_equal(matrix, WHOLE)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_trains_to_the_same_bits(form: str) -> None:
    nets = [cr.Network([cr.Dense(2, "softmax")]) for _ in range(2)]
    for net, X in zip(nets, (FORMS[form], WHOLE.astype(np.float32)), strict=True):
        net.fit(X, [0, 1, 1, 0], epochs=2)
    assert nets[0].theta.tobytes() == nets[1].theta.tobytes()


def test_booleans_are_zeros_and_ones() -> None:
    flags = WHOLE % 2 == 0
    for X in (
        flags,
        flags.tolist(),
        pd.DataFrame(flags),
        flags.astype(object),
        pd.DataFrame({"a": [1.5], "b": [True]}),
    ):
        assert as_matrix(X, "float64", where="fit").max() == (1.5 if len(X) == 1 else 1.0)


def with_value(value: object, kind: type = float) -> np.ndarray:
    X = WHOLE.astype(kind)
    X[2, 1] = value
    return X


class _Sparse:
    X = sparse.csr_matrix(WHOLE)


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "NaN": (with_value(np.nan), cr.DataError, "fit: X: row 2, column 1 is nan. Fill or drop missing values"),
    "infinity": (with_value(-np.inf), cr.DataError, "row 2, column 1 is -inf"),
    "beyond float32": (with_value(1e39), cr.DataError, r"row 2, column 1 is 1e\+39. That is beyond float32"),
    "masked": (np.ma.masked_equal(WHOLE, 7), cr.DataError, "row 2, column 1 is nan"),
    "pandas": (pd.DataFrame(with_value(np.nan), columns=TITLES), cr.DataError, r"row 2, column 1 \(height\) is nan"),
    "pandas NA": (
        pd.DataFrame(WHOLE, columns=TITLES).convert_dtypes().replace(7, pd.NA),
        cr.DataError,
        r"row 2, column 1 \(height\) is",
    ),
    "polars null": (
        pl.DataFrame(WHOLE, schema=TITLES).with_columns(pl.col("height").replace(7, None)),
        cr.DataError,
        r"row 2, column 1 \(height\) is nan",
    ),
    "pyarrow null": (pa.table({"a": [1, 2], "b": [1, None]}), cr.DataError, r"row 1, column 1 \(b\) is nan"),
    "text": (with_value("x", object), cr.DataError, "row 2, column 1 is 'x', not a number. Encode text"),
    "text that looks like a number": (with_value("1", object), cr.DataError, "row 2, column 1 is '1', not a number"),
    "None": (with_value(None, object), cr.DataError, "row 2, column 1 is None, not a number"),
    "complex among objects": (with_value(1j, object), cr.DataError, "row 2, column 1 is 1j"),
    "beyond floats": (with_value(10**400, object), cr.DataError, "row 2, column 1 is 1000"),
    "a date": (with_value(dt.date(2020, 1, 1), object), cr.DataError, r"row 2, column 1 is datetime.date"),
    "a text column": (pd.DataFrame({"a": [1.0, 2], "b": ["u", "v"]}), cr.DataError, r"row 0, column 1 \(b\) is 'u'"),
    "all text": (WHOLE.astype(str), cr.DataError, "expected numbers, got '<U21'"),
    "complex": (WHOLE * 1j, cr.DataError, "expected numbers, got 'complex128'"),
    "dates": (WHOLE.astype("datetime64[D]"), cr.DataError, "expected numbers, got 'datetime64"),
    "one axis": (WHOLE[0], cr.ShapeError, r"got \(3,\). For one row use X.reshape\(1, -1\)"),
    "three axes": (WHOLE[None], cr.ShapeError, r"got \(1, 4, 3\)"),
    "no rows": (WHOLE[:0], cr.ShapeError, r"at least one row and column, got \(0, 3\)"),
    "no columns": (WHOLE[:, :0], cr.ShapeError, r"got \(4, 0\)"),
    "no frame rows": (pd.DataFrame({"a": []}), cr.ShapeError, r"got \(0, 1\)"),
    "ragged": ([[1, 2], [3]], cr.ShapeError, "expected rows of numbers of the same length"),
    "nothing": (None, cr.ArgumentError, "expected an array, a list or a frame"),
    "a path": ("iris.csv", cr.ArgumentError, "expected an array, a list or a frame, got 'iris.csv'"),
    "a dict": ({"a": [1]}, cr.ArgumentError, "expected an array"),
    "a number": (3.0, cr.ShapeError, r"got \(\)"),
    "an object": (object(), cr.ShapeError, r"got \(\)"),
    "sparse": (_Sparse.X, cr.ArgumentError, r"expected a dense array.*Use X.toarray\(\)"),
    "lazy": (pl.LazyFrame({"a": [1]}), cr.ArgumentError, r"Call .collect\(\) first"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_is_told_with_its_place(case: str) -> None:
    X, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        as_matrix(X, "float32", where="fit")


def test_a_fault_far_down_has_its_row() -> None:
    X = np.zeros((500_000, 2), dtype=np.float32)
    X[400_001, 1] = np.nan
    with pytest.raises(cr.DataError, match="row 400001, column 1 is nan"):
        as_matrix(X, "float32", where="fit")


def test_a_look_at_the_data_takes_no_memory_of_its_size() -> None:
    X = np.zeros((500_000, 8), dtype=np.float32)
    tracemalloc.start()
    assert as_matrix(X, "float32", where="fit") is X
    assert tracemalloc.get_traced_memory()[1] < X.nbytes / 20
    tracemalloc.stop()


# ---- targets ---------------------------------------------------------------------------------------------------------

LABELS: dict[str, tuple[Any, list[Any]]] = {
    "whole numbers": ([0, 2, 1, 2], [0, 1, 2]),
    "some do not occur": ([0, 2, 2, 0], [0, 1, 2]),
    "other whole numbers": ([5, -7, 9, 9], [-7, 5, 9]),
    "floats": (np.array([1.0, 3.0, 2.0]), [1.0, 2.0, 3.0]),
    "small unsigned": (np.array([1, 3, 2], dtype=np.uint8), [1, 2, 3]),
    "big endian": (np.array([1, 3, 2], dtype=">i2"), [1, 2, 3]),
    "text": (["b", "a", "c"], ["a", "b", "c"]),
    "bytes": (np.array([b"b", b"a", b"c"]), ["a", "b", "c"]),
    "objects": (np.array(["b", "a", "c"], dtype=object), ["a", "b", "c"]),
    "object numbers": (np.array([3, 1, 2], dtype=object), [1, 2, 3]),
    "mixed objects become text": (np.array(["b", 1, True], dtype=object), ["1", "True", "b"]),
    "a column": (np.array([["b"], ["a"], ["c"]]), ["a", "b", "c"]),
    "a column of numbers": (np.array([[3], [1], [2]]), [1, 2, 3]),
    "pandas": (pd.Series(["b", "a", "c"], index=[9, 9, 9]), ["a", "b", "c"]),
    "pandas categories": (pd.Series(["b", "a", "c"], dtype="category"), ["a", "b", "c"]),
    "pandas nullable": (pd.Series([3, 1, 2], dtype="Int64"), [1, 2, 3]),
    "a pandas column": (pd.DataFrame({"y": ["b", "a", "c"]}), ["a", "b", "c"]),
    "polars": (pl.Series(["b", "a", "c"]), ["a", "b", "c"]),
    "polars categories": (pl.Series(["b", "a", "c"], dtype=pl.Categorical), ["a", "b", "c"]),
    "pyarrow": (pa.array(["b", "a", "c"]), ["a", "b", "c"]),
    "pyarrow chunks": (pa.chunked_array([["b"], ["a", "c"]]), ["a", "b", "c"]),
}


@pytest.mark.parametrize("form", LABELS)
def test_labels_become_one_hot_rows(form: str) -> None:
    y, classes = LABELS[form]
    T, found, indices = as_targets(y, CrossEntropy(), 3, "float32")
    assert found is not None
    assert indices is not None
    assert (found.tolist(), T.dtype) == (classes, np.float32)
    np.testing.assert_array_equal(T, np.eye(3)[indices])
    texts = [str(value.decode() if isinstance(value, bytes) else value) for value in np.asarray(y).ravel().tolist()]
    assert [str(label) for label in found[indices].tolist()] == texts


def test_two_classes_under_one_output_are_zero_and_one() -> None:
    for y, classes in (
        (["no", "yes", "no"], ["no", "yes"]),
        ([False, True, False], [False, True]),
        ([3, 8, 3], [3, 8]),
    ):
        T, found, _ = as_targets(y, BinaryCrossEntropy(), 1, "float64")
        assert (T.tolist(), found.tolist()) == ([[0.0], [1.0], [0.0]], classes)


def test_values_are_a_column() -> None:
    for y in ([1.5, 2, 3], np.array([[1.5], [2], [3]]), [Decimal("1.5"), 2, 3], pd.Series([1.5, 2, 3], dtype=object)):
        T, classes, indices = as_targets(y, MeanSquaredError(), 1, "float64")
        assert (T.tolist(), classes, indices) == ([[1.5], [2.0], [3.0]], None, None)


def test_whole_numbers_are_values_under_a_loss_for_values() -> None:
    assert as_targets([1, 2, 3], HalfSquaredError(), 1, "float64").classes is None


def test_tables_of_targets_are_taken_as_they_are() -> None:
    soft = np.array([[0.25, 0.75], [1, 0]])
    T, classes, indices = as_targets(soft, CrossEntropy(), 2, "float64")
    np.testing.assert_array_equal(T, soft)
    assert (classes.tolist(), indices.tolist()) == ([0, 1], [1, 0])
    several = np.array([[1, 1], [0, 1]])
    T, classes, indices = as_targets(several, BinaryCrossEntropy(), 2, "float64")
    assert (T.tolist(), classes, indices) == ([[1, 1], [0, 1]], None, None)
    values = np.array([[-1.5, 7], [0, 1]])
    assert as_targets(values, MeanSquaredError(), 2, "float64").T.tolist() == values.tolist()
    assert as_targets(np.array([[0.5], [0.25]]), BinaryCrossEntropy(), 1, "float64").T.tolist() == [[0.5], [0.25]]


@pytest.mark.parametrize(
    ("y", "loss", "outputs", "message"),
    [
        ([0, 1, np.nan], CrossEntropy(), 2, "y: row 2 is nan. Drop the rows without a target"),
        ([0, np.inf], CrossEntropy(), 2, "y: row 1 is inf"),
        (["a", None], CrossEntropy(), 2, "y: row 1 is missing"),
        (pd.Series(["a", pd.NA], dtype="string"), CrossEntropy(), 2, "y: row 1 is missing"),
        (pd.Series(["a", np.nan]), CrossEntropy(), 2, "y: row 1 is missing"),
        (pl.Series([1, None]), CrossEntropy(), 2, "y: row 1 is nan"),
        (np.ma.masked_array([1, 2], mask=[False, True]), CrossEntropy(), 2, "y: row 1 is nan"),
        ([0, 1.5], CrossEntropy(), 2, r"class labels \(N,\), or probabilities of shape \(N, 2\)"),
        ([0.5, 1.5], BinaryCrossEntropy(), 1, r"numbers from 0 to 1 under binary_cross_entropy, got \[0.5, 1.5\]"),
        ([0, 1], CrossEntropy(), 1, "one output cannot tell classes apart under cross_entropy"),
        ([[0.5, 0.6]], CrossEntropy(), 2, "y: row 0: expected probabilities that sum to 1, got 1.1"),
        ([[1.5, -0.5]], CrossEntropy(), 2, "numbers from 0 to 1 under cross_entropy"),
        ([[0, 2]], BinaryCrossEntropy(), 2, "numbers from 0 to 1 under binary_cross_entropy"),
        ([[0, 1, 0]], CrossEntropy(), 2, r"expected \(N, 2\) for 2 outputs, got \(1, 3\)"),
        ([[0.0, np.nan]], MeanSquaredError(), 2, "y: row 0, column 1 is nan"),
        ([["a", "b"]], MeanSquaredError(), 2, "y: expected numbers"),
        ([1.0, 2.5], MeanSquaredError(), 2, r"values of shape \(N, 2\) for 2 outputs, got \(2,\)"),
        ([1.0, 1e39], MeanSquaredError(), 1, r"y: row 1 is 1e\+39. That is beyond float32"),
        ([-1.0, 3.0], Poisson(), 1, "numbers >= 0 under poisson, got -1.0"),
        (["a", "b", "c", "a"], CrossEntropy(), 2, "got '3 classes'. The last layer needs 3 units"),
        (["a", "a"], CrossEntropy(), 2, "There must be at least two classes"),
        ([], CrossEntropy(), 2, r"got \(0,\)"),
        (np.zeros((2, 2, 2)), CrossEntropy(), 2, r"got \(2, 2, 2\)"),
        (3, CrossEntropy(), 2, r"got \(\)"),
        (None, CrossEntropy(), 2, "y: expected an array, a list or a frame"),
        ("y", CrossEntropy(), 2, "y: expected an array, a list or a frame, got 'y'"),
        (
            np.array(["2020-01-01", "2020-01-02"], "M8[D]"),
            CrossEntropy(),
            2,
            r"numbers, text or booleans, got 'datetime64",
        ),
        ([dt.date(2020, 1, 1)] * 2, CrossEntropy(), 2, "numbers, text or booleans, got 'date'"),
        ([1j, 2j], MeanSquaredError(), 1, "numbers, text or booleans, got 'complex128'"),
        ([{"a": 1}, {"b": 1}], CrossEntropy(), 2, "numbers, text or booleans, got 'dict'"),
    ],
)
def test_wrong_targets_are_told(y: Any, loss: Loss, outputs: int, message: str) -> None:
    with pytest.raises(cr.InputError, match=message):
        as_targets(y, loss, outputs, "float32")


@pytest.mark.parametrize(
    ("y", "known", "first"),
    [
        (["a", "d"], ["a", "b"], "row 1 is 'd'"),
        ([0, 1], ["a", "b"], "row 0 is 0"),
        (["a", "b"], [0, 1], "row 0 is 'a'"),
        ([True, False], ["a", "b"], "row 0 is True"),
        ([0, 7], [0, 1], "row 1 is 7"),
        ([-1, 0], [0, 1], "row 0 is -1"),
    ],
)
def test_labels_that_are_none_of_the_known_classes(y: Any, known: list[Any], first: str) -> None:
    with pytest.raises(cr.DataError, match=rf"y: {first}, which is none of the classes: expected one of"):
        as_targets(y, CrossEntropy(), 2, "float32", classes=np.array(known))


# ---- weights ---------------------------------------------------------------------------------------------------------


def test_no_weights_are_none() -> None:
    targets = as_targets([0, 1], CrossEntropy(), 2, "float64")
    assert sample_weights(None, 2, where="fit") is None
    assert class_weights(None, targets, where="fit") is None


def test_weights_come_in_any_form() -> None:
    for given in (
        [1, 2],
        np.array([1, 2], dtype=">f4"),
        pd.Series([1, 2]),
        pl.Series([1, 2]),
        (Decimal(1), Decimal(2)),
    ):
        weights = sample_weights(given, 2, where="fit")
        assert weights is not None
        assert (weights.tolist(), weights.dtype) == ([1.0, 2.0], np.float64)


def test_class_weights_are_by_label() -> None:
    targets = as_targets(["a", "b", "b", "b"], CrossEntropy(), 2, "float64")
    np.testing.assert_array_equal(class_weights({"b": 0.5}, targets, where="fit"), [1.0, 0.5])
    np.testing.assert_allclose(class_weights("balanced", targets, where="fit"), [2.0, 2 / 3])


def test_values_have_no_class_weights() -> None:
    targets = as_targets([0.5, 1.5], MeanSquaredError(), 1, "float64")
    with pytest.raises(cr.ArgumentError, match="class_weight: expected nothing, since the targets are not classes"):
        class_weights("balanced", targets, where="fit")
