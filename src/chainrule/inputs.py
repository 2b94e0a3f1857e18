"""What a person hands in, arrays and frames, as the matrices that engines take: X (N, I), T (N, O), weights (N,)."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.checks import NO_ARRAY
from chainrule.engines.interface import Data
from chainrule.errors import ArgumentError, DataError, ShapeError, shown

if TYPE_CHECKING:
    from chainrule.arrays import DType, Floats, Ints
    from chainrule.losses import Loss

_FRAMES = {"pandas", "polars", "pyarrow", "modin", "cudf"}
_BLOCK = 1 << 18  # entries looked at together: bounds the memory of a look at any number of rows


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


class Rows(NamedTuple):
    """Rows that were read: inputs ``X (N, I)``, their targets, and the weight of each ``(N,)`` in float64, or None.

    `places` are those of some rows among the rows they were taken from, ``(N,)``; None where they are all.
    """

    X: Floats
    targets: Targets
    weights: Floats | None = None
    places: Ints | None = None

    def take(self, places: Ints) -> Rows:
        """Some of the rows."""
        T, classes, indices = self.targets
        targets = Targets(T[places], classes, None if indices is None else indices[places])
        weights = None if self.weights is None else self.weights[places]
        return Rows(self.X[places], targets, weights, places if self.places is None else self.places[places])

    def data(self, of_class: Floats | None = None) -> Data:
        """The rows as an engine takes them; the weight of a row is the product of its own and its class's."""
        weights = self.weights
        if of_class is not None and self.targets.indices is not None:
            each = of_class[self.targets.indices]
            weights = each if weights is None else weights * each
        return Data(self.X, self.targets.T, None if weights is None else weights.astype(self.X.dtype))


# ---- inputs ---------------------------------------------------------------------------------------------------------


def as_matrix(X: Any, dtype: DType, *, where: str, name: str = "X") -> Floats:
    """Rows of numbers, from an array, nested lists or a pandas, polars or pyarrow frame: ``(N, I)``, contiguous.

    Raises:
        ShapeError: when it is not a table of at least one row and one column.
        DataError: when an entry is no number, or not finite: names its row and column.
    """
    array, titles = _as_array(X, where=where, name=name)
    if array.ndim != 2 or 0 in array.shape:
        mend = f"For one row use {name}.reshape(1, -1), for one column {name}.reshape(-1, 1)."
        raise ShapeError(
            name,
            where=where,
            expected="a table (N, I) of at least one row and column",
            got=array.shape,
            mend=mend if array.ndim == 1 else "",
        )
    matrix = np.ascontiguousarray(_as_floats(array, dtype, where=where, name=name, titles=titles))
    _check_finite(matrix, array, where=where, name=name, titles=titles)
    return matrix


def _as_array(values: Any, *, where: str, name: str) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    """An array of whatever type, and the titles of its columns where it has any."""
    if isinstance(values, np.ma.MaskedArray):
        return _unmasked(values), ()
    if isinstance(values, np.ndarray):
        return values, ()
    if type(values).__module__.partition(".")[0] in _FRAMES:
        return _from_frame(values, where=where, name=name)
    if values is None or isinstance(values, str | bytes | dict):
        raise ArgumentError(name, where=where, expected="an array, a list or a frame", got=values)
    if hasattr(values, "toarray"):
        raise ArgumentError(name, where=where, expected="a dense array", got=values, mend=f"Use {name}.toarray().")
    try:
        return np.asarray(values), ()
    except NO_ARRAY:
        raise ShapeError(name, where=where, expected="rows of numbers of the same length", got=values) from None


def _unmasked(values: Any) -> np.ndarray[Any, Any]:
    """What is masked is missing: NaN among numbers, None among anything else."""
    if values.dtype.kind in "biuf":
        return np.where(np.ma.getmaskarray(values), np.nan, values.data)
    return np.asarray(values.astype(object).filled(None))


def _from_frame(values: Any, *, where: str, name: str) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    import narwhals as nw

    if type(values).__name__ == "LazyFrame":
        raise ArgumentError(
            name, where=where, expected="a frame in memory", got="a LazyFrame", mend="Call .collect() first."
        )
    try:
        native = nw.from_native(values, eager_only=True, allow_series=True)
        titles = tuple(map(str, native.columns)) if isinstance(native, nw.DataFrame) else ()
        return np.asarray(native.to_numpy()), titles
    except (TypeError, nw.exceptions.NarwhalsError):  # an index, a bare column, a frame with columns of one name
        return np.asarray(values), ()


def _as_floats(
    array: np.ndarray[Any, Any], dtype: DType, *, where: str, name: str, titles: tuple[str, ...] = ()
) -> Floats:
    """The array in this number type; text is not read as numbers, not even ``"1"``."""
    if array.dtype.kind in "biuf":
        with np.errstate(over="ignore"):  # what does not fit float32 becomes infinite, which is reported with its place
            return array.astype(dtype, copy=False)
    mend = "Encode text as numbers, or give the table to cr.train, which does."
    if array.dtype.kind != "O":
        raise DataError(name, where=where, expected="numbers", got=str(array.dtype), mend=mend)
    for place, value in np.ndenumerate(array):
        if not _is_number(value):
            raise DataError(f"{name}: {_place(place, titles)} is {shown(value)}, not a number", where=where, mend=mend)
    return array.astype(np.float64).astype(dtype, copy=False)


def _is_number(value: object) -> bool:
    if not isinstance(value, Number | np.bool_) or isinstance(value, complex | np.complexfloating):
        return False
    try:
        float(value)  # type: ignore[arg-type] # asking is the point
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _place(place: tuple[int, ...], titles: tuple[str, ...] = ()) -> str:
    """``row 3, column 2 (age)``."""
    text = ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column"), place, strict=False))
    return f"{text} ({titles[place[1]]})" if titles and len(place) == 2 else text


def _check_finite(
    values: Floats, given: np.ndarray[Any, Any], *, where: str, name: str, titles: tuple[str, ...] = ()
) -> None:
    """Raise DataError with the place of the first number that is not finite."""
    place = _first_not_finite(values)
    if place is None:
        return
    was = float(given[place])
    mend = "Fill or drop missing values first; cr.train does it for tables."
    if np.isfinite(was):
        mend = f"That is beyond {values.dtype}: scale the numbers, or take dtype='float64'."
    raise DataError(f"{name}: {_place(place, titles)} is {was}", where=where, mend=mend)


def _first_not_finite(values: Floats) -> tuple[int, ...] | None:
    step = max(1, _BLOCK // max(1, values[:1].size))
    for first in range(0, len(values), step):
        finite = np.isfinite(values[first : first + step])
        if not finite.all():
            row, *rest = np.argwhere(~finite)[0].tolist()
            return (first + row, *rest)
    return None


# ---- targets --------------------------------------------------------------------------------------------------------


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
    array, _ = _as_array(y, where=where, name="y")
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
    if y.dtype.kind == "O" and all(map(_is_number, y)):  # Decimal, Fraction
        y = y.astype(np.float64)
    if y.dtype.kind not in "biufU" or y.ndim != 1:
        kind = str(y.dtype) if y.dtype.kind != "O" else type(y.flat[0]).__name__
        raise DataError("y", where=where, expected="numbers, text or booleans", got=kind)
    if y.dtype.kind == "f":
        place = _first_not_finite(y)
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
    T = _as_floats(y, dtype, where=where, name="y")
    _check_finite(T, y, where=where, name="y")
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
    T = np.ascontiguousarray(_as_floats(y, dtype, where=where, name="y"))
    _check_finite(T, y, where=where, name="y")
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


# ---- weights --------------------------------------------------------------------------------------------------------


def sample_weights(given: Any, n_rows: int, *, where: str) -> Floats | None:
    """The weight of each row ``(N,)`` in float64.

    Raises:
        InputError: unless they are finite numbers >= 0, one for each row, not all 0.
    """
    if given is None:
        return None
    array, _ = _as_array(given, where=where, name="sample_weight")
    weights = _as_floats(array, "float64", where=where, name="sample_weight")
    if weights.shape != (n_rows,):
        raise ShapeError("sample_weight", where=where, expected=f"({n_rows},), one for each row", got=weights.shape)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong) or not weights.any():
        got = f"{weights[wrong[0]]} in row {wrong[0]}" if len(wrong) else "only 0"
        raise ArgumentError("sample_weight", where=where, expected="finite numbers >= 0, not all zero", got=got)
    return weights


def class_weights(class_weight: Any, targets: Targets, *, where: str) -> Floats | None:
    """The weight of each class ``(K,)``.

    ``"balanced"`` gives class k the weight N / (K N_k), so that every class counts the same.

    Raises:
        ArgumentError: when they do not fit the classes.
    """
    if class_weight is None:
        return None
    if targets.classes is None or targets.indices is None:
        raise ArgumentError(
            "class_weight", where=where, expected="nothing, since the targets are not classes", got=class_weight
        )
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(targets.indices, minlength=len(targets.classes))
        return np.asarray(counts.sum() / (len(counts) * np.maximum(counts, 1)))
    if not isinstance(class_weight, dict):
        raise ArgumentError(
            "class_weight", where=where, expected="'balanced' or a dict {label: weight}", got=class_weight
        )
    return _weights_by_label(class_weight, targets.classes.tolist(), where)


def _weights_by_label(given: dict[Any, Any], labels: list[Any], where: str) -> Floats:
    unknown = [label for label in given if label not in labels]
    if unknown:
        raise ArgumentError("class_weight", where=where, expected=f"labels among {shown(labels)}", got=unknown[0])
    for label, weight in given.items():
        if not _is_number(weight) or not 0 <= weight < np.inf:
            raise ArgumentError(f"class_weight of {label!r}", where=where, expected="a finite number >= 0", got=weight)
    weights = np.array([float(given.get(label, 1.0)) for label in labels])
    if not weights.any():
        raise ArgumentError("class_weight", where=where, expected="a weight above 0 for some class", got=given)
    return weights
