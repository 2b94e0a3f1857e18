"""Labels, values and tables of targets as a matrix T (N, O) of the shape of the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import ArgumentError, DataError, ShapeError, shown
from chainrule.inputs.matrices import as_array, as_floats, check_finite, first_not_finite, is_number

if TYPE_CHECKING:
    from chainrule.arrays import DType, Floats, Ints
    from chainrule.losses import Loss


class Targets(NamedTuple):
    """Targets as a matrix, and what they mean.

    Attributes:
        T: ``(N, O)``.
        classes: the label of each class; None when the targets are values.
        indices: the class of each row ``(N,)``; None when the targets are values, or several classes at once.
    """

    T: Floats
    classes: np.ndarray[Any, Any] | None = None
    indices: Ints | None = None


def as_targets(y: Any, loss: Loss, n_outputs: int, dtype: DType, *, classes: Any = None, where: str = "fit") -> Targets:
    """Targets as a matrix of the shape of the outputs.

    Labels (text, booleans, whole numbers under a loss for classes or for several outputs) become one-hot rows, or 0 and
    1 for a single output. A table ``(N, O)`` is taken as it is.

    Args:
        y: labels ``(N,)``, values ``(N,)`` or a table ``(N, O)``.
        loss: decides whether numbers are classes.
        n_outputs: O.
        dtype: of T.
        classes: known from an earlier fit; labels outside them are an error.
        where: who asks, for messages.

    Raises:
        ShapeError, DataError, ArgumentError: when the targets do not fit the outputs or the loss.
    """
    if loss.name == "cross_entropy" and n_outputs == 1:
        raise ArgumentError(
            "one output cannot tell classes apart under cross_entropy",
            where=where,
            mend="Take binary_cross_entropy, or an output for each class.",
        )
    array, _ = as_array(y, where=where, name="y")
    if array.ndim not in {1, 2} or 0 in array.shape:
        raise ShapeError("y", where=where, expected=f"(N,) or (N, {n_outputs})", got=array.shape)
    if array.ndim == 2 and array.shape[1] > 1:
        return _table(array, loss, n_outputs, dtype, classes, where)
    column = _plain(array.reshape(-1), where)
    if _are_labels(column, loss, n_outputs):
        return _labels(column, n_outputs, dtype, classes, where)
    return _values(column, loss, n_outputs, dtype, where)


def _plain(y: np.ndarray[Any, Any], where: str) -> np.ndarray[Any, Any]:
    """A column of targets as booleans, numbers or text, with nothing missing.

    Raises:
        DataError: when it holds anything else.
    """
    if y.dtype.kind == "O":
        missing = [row for row, value in enumerate(y) if _is_missing(value)]
        if missing:
            raise DataError(f"y: row {missing[0]} is missing", where=where, mend="Drop the rows without a target.")
        y = np.array(y.tolist(), dtype=None if _same_kind(y) else str)
    if y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8", "replace")
    if y.dtype.kind == "O" and all(map(is_number, y)):  # Decimal, Fraction
        y = y.astype(np.float64)
    if y.dtype.kind not in "biufU" or y.ndim != 1:
        kind = str(y.dtype) if y.dtype.kind != "O" else type(y.flat[0]).__name__
        raise DataError("y", where=where, expected="numbers, text or booleans", got=kind)
    if y.dtype.kind == "f":
        place = first_not_finite(y)
        if place is not None:
            raise DataError(f"y: row {place[0]} is {y[place]}", where=where, mend="Drop the rows without a target.")
    return y


def _is_missing(value: object) -> bool:
    """None, NaN, NaT and pandas' NA, which will not say whether it equals itself."""
    try:
        return value is None or bool(value != value)  # noqa: PLR0124 -- NaN is not itself
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _same_kind(y: np.ndarray[Any, Any]) -> bool:
    """Whether all entries are text, all booleans, all numbers, or something else altogether."""
    text = [isinstance(value, str) for value in y]
    flag = [isinstance(value, bool | np.bool_) for value in y]
    return (all(text) or not any(text)) and (all(flag) or not any(flag))


def _are_labels(y: np.ndarray[Any, Any], loss: Loss, n_outputs: int) -> bool:
    """Whether `y (N,)` names classes rather than giving values."""
    if y.dtype.kind in "Ub":
        return True
    whole = y.dtype.kind in "iu" or bool((y == np.floor(y)).all())
    return whole and (loss.for_classes or n_outputs > 1)


def _values(y: np.ndarray[Any, Any], loss: Loss, n_outputs: int, dtype: DType, where: str) -> Targets:
    """A value for each row, of a single output."""
    if n_outputs != 1:
        kind = "class labels (N,), or probabilities" if loss.for_classes else "values"
        raise ShapeError(
            "y", where=where, expected=f"{kind} of shape (N, {n_outputs}) for {n_outputs} outputs", got=y.shape
        )
    T = as_floats(y, dtype, where=where, name="y")
    check_finite(T, y, where=where, name="y")
    _check_range(T, loss, where)
    return Targets(T[:, None])


def _labels(y: np.ndarray[Any, Any], n_outputs: int, dtype: DType, classes: Any, where: str) -> Targets:
    K = max(n_outputs, 2)
    if classes is None:
        classes = _find_classes(y, K, where)
    if (classes.dtype.kind == "U") != (y.dtype.kind == "U"):
        places = np.zeros(len(y), dtype=int)
        strange = places[:1]
    else:
        order = np.argsort(classes)
        places = order[np.searchsorted(classes, y, sorter=order).clip(max=K - 1)]
        strange = np.flatnonzero(classes[places] != y)
    if len(strange):
        raise DataError(
            f"y: row {strange[0]} is {shown(y[strange[0]].item())}, which is none of the classes",
            where=where,
            expected=f"one of {shown(classes.tolist())}",
        )
    if n_outputs == 1:
        return Targets(places[:, None].astype(dtype), classes, places)
    T = np.zeros((len(y), K), dtype=dtype)
    T[np.arange(len(y)), places] = 1
    return Targets(T, classes, places)


def _find_classes(y: np.ndarray[Any, Any], K: int, where: str) -> np.ndarray[Any, Any]:
    """The labels in order; whole numbers from 0 to K - 1 stand for themselves, though some may not occur."""
    found = np.unique(y)
    if y.dtype.kind in "iuf":  # as a model file gives them back
        found = found.astype(np.float64 if y.dtype.kind == "f" else np.int64)
        if found[0] >= 0 and found[-1] < K:
            return np.arange(K).astype(found.dtype)
    if len(found) != K:
        mend = f"The last layer needs {len(found)} units (or 1, with sigmoid, for two classes)."
        raise ArgumentError(
            "y",
            where=where,
            expected=f"{K} classes for {K} outputs",
            got=f"{len(found)} classes",
            mend=mend if len(found) > 1 else "There must be at least two classes.",
        )
    return found


def _table(y: np.ndarray[Any, Any], loss: Loss, n_outputs: int, dtype: DType, classes: Any, where: str) -> Targets:
    """A target for each output of each row."""
    if y.shape[1] != n_outputs:
        raise ShapeError("y", where=where, expected=f"(N, {n_outputs}) for {n_outputs} outputs", got=y.shape)
    T = np.ascontiguousarray(as_floats(y, dtype, where=where, name="y"))
    check_finite(T, y, where=where, name="y")
    _check_range(T, loss, where)
    if loss.name != "cross_entropy":
        return Targets(T)
    sums = T.sum(axis=1)
    wrong = np.flatnonzero(np.abs(sums - 1) > 1e-4)
    if len(wrong):
        raise DataError(
            f"y: row {wrong[0]}", where=where, expected="probabilities that sum to 1", got=float(sums[wrong[0]])
        )
    return Targets(T, np.arange(n_outputs) if classes is None else classes, T.argmax(axis=1))


def _check_range(T: Floats, loss: Loss, where: str) -> None:
    """Probabilities under a loss for classes, counts under Poisson."""
    low, high = float(T.min()), float(T.max())
    if loss.for_classes and (low < 0 or high > 1):
        raise DataError("y", where=where, expected=f"numbers from 0 to 1 under {loss.name}", got=[low, high])
    if loss.name == "poisson" and low < 0:
        raise DataError("y", where=where, expected="numbers >= 0 under poisson", got=low)
