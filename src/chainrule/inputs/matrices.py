"""Arrays, lists and frames as a matrix of finite numbers, contiguous, in one number type."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.checks import NO_ARRAY
from chainrule.errors import ArgumentError, DataError, ShapeError, shown

if TYPE_CHECKING:
    from chainrule.arrays import DType, Floats

_FRAMES = {"pandas", "polars", "pyarrow", "modin", "cudf"}
_BLOCK = 1 << 18  # entries looked at together: bounds the memory of a look at any number of rows


def as_matrix(X: Any, dtype: DType, *, where: str, name: str = "X") -> Floats:
    """Rows of numbers, from an array, nested lists or a pandas, polars or pyarrow frame: ``(N, I)``, contiguous.

    Raises:
        ShapeError: when it is not a table of at least one row and one column.
        DataError: when an entry is no number, or not finite: names its row and column.
    """
    array, titles = as_array(X, where=where, name=name)
    if array.ndim != 2 or 0 in array.shape:
        mend = f"For one row use {name}.reshape(1, -1), for one column {name}.reshape(-1, 1)."
        raise ShapeError(
            name,
            where=where,
            expected="a table (N, I) of at least one row and column",
            got=array.shape,
            mend=mend if array.ndim == 1 else "",
        )
    matrix = np.ascontiguousarray(as_floats(array, dtype, where=where, name=name, titles=titles))
    check_finite(matrix, array, where=where, name=name, titles=titles)
    return matrix


def as_array(values: Any, *, where: str, name: str) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
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


def as_floats(
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
        if not is_number(value):
            raise DataError(f"{name}: {_place(place, titles)} is {shown(value)}, not a number", where=where, mend=mend)
    return array.astype(np.float64).astype(dtype, copy=False)


def is_number(value: object) -> bool:
    """Whether it is one real number, of any kind; missing ones among them."""
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


def check_finite(
    values: Floats, given: np.ndarray[Any, Any], *, where: str, name: str, titles: tuple[str, ...] = ()
) -> None:
    """Raise DataError with the place of the first number that is not finite."""
    place = first_not_finite(values)
    if place is None:
        return
    was = float(given[place])
    mend = "Fill or drop missing values first; cr.train does it for tables."
    if np.isfinite(was):
        mend = f"That is beyond {values.dtype}: scale the numbers, or take dtype='float64'."
    raise DataError(f"{name}: {_place(place, titles)} is {was}", where=where, mend=mend)


def first_not_finite(values: Floats) -> tuple[int, ...] | None:
    """The place of the first NaN or infinite number."""
    step = max(1, _BLOCK // max(1, values[:1].size))
    for first in range(0, len(values), step):
        finite = np.isfinite(values[first : first + step])
        if not finite.all():
            row, *rest = np.argwhere(~finite)[0].tolist()
            return (first + row, *rest)
    return None
