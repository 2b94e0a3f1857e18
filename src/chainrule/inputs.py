"""What a person hands in, arrays and frames, as the matrices that engines take: X (N, I), T (N, O), weights (N,)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import ArgumentError, DataError, ShapeError, shown

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


def as_matrix(X: Any, dtype: DType, *, where: str, name: str = "X") -> Floats:
    """Rows of numbers, from an array, nested lists or a pandas, polars or pyarrow frame: ``(N, I)``, contiguous.

    Raises:
        ShapeError: when it is not a table of at least one row and one column.
        DataError: when an entry is no number, or not finite: names its row and column.
    """
    columns = None if isinstance(X, np.ndarray) else getattr(X, "columns", None)
    array = _as_array(X, where=where, name=name)
    if array.ndim != 2 or 0 in array.shape:
        mend = (
            f"For one row use {name}.reshape(1, -1), for one column {name}.reshape(-1, 1)." if array.ndim == 1 else ""
        )
        raise ShapeError(
            name, where=where, expected="a table (N, I) of at least one row and column", got=array.shape, mend=mend
        )
    matrix = np.ascontiguousarray(_as_floats(array, dtype, where=where, name=name))
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        title = (
            column
            if columns is None
            else f"{column} ({getattr(columns, '_name', None) or list(map(str, columns))[column]})"
        )
        raise DataError(
            f"{name}: row {row}, column {title} is {matrix[row, column]}",
            where=where,
            mend="Fill or drop missing values first; cr.train does it for tables.",
        )
    return matrix


def as_targets(y: Any, loss: Loss, n_outputs: int, dtype: DType, *, classes: Any = None, where: str = "fit") -> Targets:
    """Targets as a matrix of the shape of the outputs.

    Labels (text, booleans, whole numbers under a loss for classes or for several outputs) become one-hot rows, or 0 and 1 for
    a single output. A table ``(N, O)`` is taken as it is.

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
    array = _as_array(y, where=where, name="y")
    if array.ndim == 2 and array.shape[1] == 1 and n_outputs != 1:
        array = array[:, 0]
    if array.ndim == 2:
        return _table(array, loss, n_outputs, dtype, classes, where)
    if array.ndim != 1 or not len(array):
        raise ShapeError("y", where=where, expected=f"(N,) or (N, {n_outputs})", got=array.shape)
    if _are_labels(array, loss, n_outputs):
        return _labels(array, n_outputs, dtype, classes, where)
    if n_outputs != 1:
        raise ShapeError(
            "y", where=where, expected=f"values of shape (N, {n_outputs}) for {n_outputs} outputs", got=array.shape
        )
    return Targets(_finite(_as_floats(array, dtype, where=where, name="y"), where)[:, None])


def row_weights(
    sample_weight: Any, class_weight: Any, targets: Targets, dtype: DType, *, where: str = "fit"
) -> Floats | None:
    """One weight for each row, the product of its own and its class's; None when all are 1.

    ``class_weight="balanced"`` gives class k the weight N / (K N_k), so that every class counts the same.

    Raises:
        ArgumentError, ShapeError: when they do not fit.
    """
    weights = np.ones(len(targets.T))
    if sample_weight is not None:
        weights = _as_floats(
            _as_array(sample_weight, where=where, name="sample_weight"), "float64", where=where, name="sample_weight"
        )
        if weights.shape != (len(targets.T),):
            raise ShapeError(
                "sample_weight", where=where, expected=f"({len(targets.T)},), one for each row", got=weights.shape
            )
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise ArgumentError(
                "sample_weight", where=where, expected="finite numbers >= 0, not all 0", got=weights.min()
            )
    if class_weight is not None:
        weights = weights * _class_weights(class_weight, targets, where)[targets.indices]
    given = sample_weight is not None or class_weight is not None
    return weights.astype(dtype) if given else None


def _class_weights(class_weight: Any, targets: Targets, where: str) -> Floats:
    if targets.classes is None or targets.indices is None:
        raise ArgumentError(
            "class_weight", where=where, expected="nothing, since the targets are not classes", got=class_weight
        )
    counts = np.bincount(targets.indices, minlength=len(targets.classes))
    if isinstance(class_weight, str) and class_weight == "balanced":
        return counts.sum() / (len(counts) * np.maximum(counts, 1))
    if not isinstance(class_weight, dict):
        raise ArgumentError(
            "class_weight", where=where, expected="'balanced' or a dict {label: weight}", got=class_weight
        )
    labels = targets.classes.tolist()
    unknown = [label for label in class_weight if label not in labels]
    if unknown:
        raise ArgumentError("class_weight", where=where, expected=f"labels among {shown(labels)}", got=unknown[0])
    return np.array([float(class_weight.get(label, 1.0)) for label in labels])


def _as_array(values: Any, *, where: str, name: str) -> np.ndarray[Any, Any]:
    """An array of whatever type, from arrays, lists and frames."""
    if isinstance(values, np.ndarray):
        return values
    if type(values).__module__.partition(".")[0] in {"pandas", "polars", "pyarrow", "modin", "cudf"}:
        import narwhals as nw

        return np.asarray(nw.from_native(values, eager_only=True, allow_series=True).to_numpy())
    if values is None or isinstance(values, str | bytes | dict):
        raise ArgumentError(name, where=where, expected="an array, a list or a frame", got=values)
    try:
        return np.asarray(values)
    except (ValueError, TypeError):
        raise ShapeError(name, where=where, expected="rows of the same length", got=values) from None


def _as_floats(array: np.ndarray[Any, Any], dtype: DType, *, where: str, name: str) -> Floats:
    if array.dtype.kind in "biuf":
        with np.errstate(over="ignore"):  # what does not fit float32 becomes infinite, which is reported with its place
            return array.astype(dtype, copy=False)
    mend = "Encode text as numbers, or give the table to cr.train, which does."
    if array.dtype.kind in "cmMV":
        raise DataError(name, where=where, expected="numbers", got=str(array.dtype), mend=mend)
    try:
        return array.astype(dtype)
    except (ValueError, TypeError):
        place = _first_not_a_number(array)
        raise DataError(f"{name}: {place[0]} is {shown(place[1])}, not a number", where=where, mend=mend) from None


def _first_not_a_number(array: np.ndarray[Any, Any]) -> tuple[str, object]:
    for place, value in np.ndenumerate(array):
        try:
            float(value)
        except (ValueError, TypeError):
            return ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column"), place, strict=False)), value
    return "an entry", array.dtype


def _finite(values: Floats, where: str) -> Floats:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        raise DataError(
            f"y: row {bad[0][0]} is {values[tuple(bad[0])]}", where=where, mend="Drop rows without a target."
        )
    return values


def _are_labels(y: np.ndarray[Any, Any], loss: Loss, n_outputs: int) -> bool:
    """Whether `y (N,)` names classes rather than giving values."""
    if y.dtype.kind in "OSUb":
        return True
    whole = y.dtype.kind in "iu" or bool((y == np.floor(y)).all())
    return whole and (loss.for_classes or n_outputs > 1)


def _labels(y: np.ndarray[Any, Any], n_outputs: int, dtype: DType, classes: Any, where: str) -> Targets:
    K = max(n_outputs, 2)
    if classes is None:
        classes = _find_classes(y, K, where)
    order = np.argsort(classes)
    places = np.searchsorted(classes, y, sorter=order).clip(max=K - 1)
    indices = order[places]
    strange = np.flatnonzero(classes[indices] != y)
    if len(strange):
        row = strange[0]
        raise DataError(
            f"y: row {row} is {shown(y[row].item() if hasattr(y[row], 'item') else y[row])}, which is none of the classes",
            where=where,
            expected=f"one of {shown(classes.tolist())}",
        )
    if n_outputs == 1:
        return Targets(indices[:, None].astype(dtype), classes, indices)
    T = np.zeros((len(y), K), dtype=dtype)
    T[np.arange(len(y)), indices] = 1
    return Targets(T, classes, indices)


def _find_classes(y: np.ndarray[Any, Any], K: int, where: str) -> np.ndarray[Any, Any]:
    """The labels in order; whole numbers from 0 to K - 1 stand for themselves, though some may not occur."""
    if y.dtype.kind == "O":
        if any(value is None or value != value for value in y):  # noqa: PLR0124 -- NaN is not itself
            raise DataError("y: some labels are missing", where=where, mend="Drop the rows without a target.")
        y = y.astype(str) if len({type(value) for value in y}) > 1 else y
    found = np.unique(y)
    if y.dtype.kind in "iuf" and found[0] >= 0 and found[-1] < K:
        return np.arange(K).astype(y.dtype)
    if len(found) != K:
        mend = (
            f"The last layer needs {len(found)} units (or 1, with sigmoid, for two classes)."
            if len(found) > 1
            else "There must be at least two classes."
        )
        raise ArgumentError(
            "y", where=where, expected=f"{K} classes for {K} outputs", got=f"{len(found)} classes", mend=mend
        )
    return found


def _table(y: np.ndarray[Any, Any], loss: Loss, n_outputs: int, dtype: DType, classes: Any, where: str) -> Targets:
    if y.shape[1] != n_outputs or not len(y):
        raise ShapeError("y", where=where, expected=f"(N, {n_outputs}) for {n_outputs} outputs", got=y.shape)
    T = np.ascontiguousarray(_finite(_as_floats(y, dtype, where=where, name="y"), where))
    if not loss.for_classes:
        return Targets(T)
    if (T < 0).any() or (T > 1).any():
        raise DataError(
            "y", where=where, expected=f"numbers from 0 to 1 under {loss.name}", got=[float(T.min()), float(T.max())]
        )
    if loss.name == "binary_cross_entropy":
        return Targets(T)
    sums = T.sum(axis=1)
    wrong = np.flatnonzero(np.abs(sums - 1) > 1e-4)
    if len(wrong):
        raise DataError(
            f"y: row {wrong[0]}", where=where, expected="probabilities that sum to 1", got=float(sums[wrong[0]])
        )
    indices = T.argmax(axis=1)
    return Targets(T, np.arange(n_outputs) if classes is None else classes, indices)
