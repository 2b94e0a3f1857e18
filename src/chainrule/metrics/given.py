"""What metrics are given, checked: targets, predictions and the weights of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.checks import NO_ARRAY
from chainrule.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from chainrule.arrays import Floats, Ints

MOST_CLASSES = 1_000_000  # a larger class index is an identifier taken for a class: counting it would fill the memory


def numbers(values: npt.ArrayLike, *, name: str, where: str) -> npt.NDArray[Any]:
    """The values as an array of numbers or booleans, of the dtype they came in."""
    try:
        array = np.asarray(values)
    except NO_ARRAY:
        raise ShapeError(name, where=where, expected="rows of one length", got=values) from None
    if array.dtype.kind not in "biuf":
        mend = "Class names become indices by: classes, t = numpy.unique(names, return_inverse=True)"
        got = array.flat[0] if array.size else array.dtype.name
        raise ArgumentError(name, where=where, expected="numbers", got=got, mend=mend)
    if array.ndim == 0 or array.size == 0:
        raise ShapeError(name, where=where, expected="at least one row", got=array.shape)
    return array


def class_indices(values: npt.ArrayLike, *, name: str, where: str) -> Ints:
    """Class indices ``(N,)``, checked."""
    array = numbers(values, name=name, where=where)
    if array.ndim != 1:
        mend = "One-hot rows become indices by: T.argmax(axis=1)"
        raise ShapeError(name, where=where, expected="class indices of shape (N,)", got=array.shape, mend=mend)
    if array.dtype.kind != "b":
        wrong = ~((array >= 0) & (array < MOST_CLASSES) & (array == np.floor(array)))
        refuse(wrong, array, name, where, f"a class index, a whole number from 0 to {MOST_CLASSES - 1}")
    indices: Ints = array.astype(np.intp)
    return indices


def class_scores(values: npt.ArrayLike, *, name: str, where: str) -> Floats:
    """Scores or probabilities ``(N, K)``, K >= 2, finite; ``(N,)`` and ``(N, 1)`` are taken for those of class 1."""
    P = numbers(values, name=name, where=where)
    if P.ndim > 2:
        raise ShapeError(name, where=where, expected="probabilities of shape (N, K), (N, 1) or (N,)", got=P.shape)
    refuse(~np.isfinite(P), P, name, where, "finite numbers")
    if P.dtype.kind != "f":
        P = P.astype(np.float64)
    column = P.reshape(len(P), -1)
    return np.hstack([1 - column, column]) if column.shape[1] == 1 else P


def predicted_classes(y: npt.ArrayLike, *, name: str = "y", where: str) -> Ints:
    """Class indices ``(N,)`` from indices ``y (N,)`` or from scores ``P (N, K)``: the first largest of a row."""
    array = numbers(y, name=name, where=where)
    if array.ndim == 1:
        return class_indices(array, name=name, where=where)
    if array.shape[1:] == (1,) and array.dtype.kind != "f":
        expected = "class indices of shape (N,) or probabilities of shape (N, K)"
        raise ShapeError(name, where=where, expected=expected, got=array.shape, mend="Drop the axis: y[:, 0]")
    indices: Ints = class_scores(array, name=name, where=where).argmax(axis=1)
    return indices


def row_weights(sample_weight: npt.ArrayLike | None, rows: int, *, where: str) -> Floats | None:
    """Weights ``w (N,)`` >= 0, not all 0; None where every row counts 1."""
    if sample_weight is None:
        return None
    w = numbers(sample_weight, name="sample_weight", where=where)
    if w.shape != (rows,):
        raise ShapeError("sample_weight", where=where, expected=f"one weight a row, shape ({rows},)", got=w.shape)
    refuse(~((w >= 0) & np.isfinite(w)), w, "sample_weight", where, "a finite weight >= 0")
    if not w.any():
        raise ArgumentError("sample_weight", where=where, expected="a weight > 0 in at least one row", got="only 0")
    return w.astype(np.float64)


def value_pair(t: npt.ArrayLike, y: npt.ArrayLike, *, where: str) -> tuple[Floats, Floats]:
    """True and predicted values, both ``(N, O)`` in float64; ``(N,)`` against ``(N, 1)`` is an error."""
    pair = [numbers(values, name=name, where=where) for name, values in (("t", t), ("y", y))]
    T, Y = (array.astype(np.float64) for array in pair)
    if T.ndim > 2:
        raise ShapeError("t", where=where, expected="values of shape (N,) or (N, O)", got=T.shape)
    if T.shape != Y.shape:
        raise ShapeError(
            "y", where=where, expected=f"the shape of t, {T.shape}", got=Y.shape, mend="Reshape one of them"
        )
    for name, array in (("t", T), ("y", Y)):
        refuse(~np.isfinite(array), array, name, where, "finite numbers")
    return T.reshape(len(T), -1), Y.reshape(len(Y), -1)


def refuse(wrong: npt.NDArray[np.bool_], array: npt.NDArray[Any], name: str, where: str, expected: str) -> None:
    """Raise for the first row that is wrong."""
    if wrong.any():
        place = np.unravel_index(int(wrong.argmax()), wrong.shape)
        at = f"row {place[0]}" + (f", column {place[1]}" if len(place) > 1 else "")
        raise ArgumentError(f"{name}, {at}", where=where, expected=expected, got=array[place].item())
