"""Any DataFrame, dict of columns or matrix as a polars frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from chainrule.errors import DataError, MissingExtraError, shown
from chainrule.tables.delimited import check_unique
from chainrule.tables.values import check_names

if TYPE_CHECKING:
    import narwhals as nw


def as_frame(source: object, *, where: str = "data") -> pl.DataFrame:
    """A polars, pandas or pyarrow frame, a dict of columns or an array (N, I) as a polars frame.

    >>> as_frame({"age": [31, 42]}).columns
    ['age']

    Raises:
        DataError: where it is none of these, has no rows, or its columns do not fit together.
    """
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    if isinstance(source, pl.DataFrame):
        frame = source
    elif isinstance(source, Mapping):
        frame = _from_columns(dict(source), where)
    elif isinstance(source, np.ndarray):
        frame = _from_array(source, where)
    else:
        frame = _from_foreign(source, where)
    if frame.height == 0 or frame.width == 0:
        what = f"the table has {frame.height} rows and {frame.width} columns"
        raise DataError(what, where=where, mend="A table needs at least one row and one column")
    check_names(frame, where=where)
    return frame


def _from_columns(columns: dict[Any, Any], where: str) -> pl.DataFrame:
    """A dict of columns: lists, tuples, arrays or Series of one length."""
    series: list[pl.Series] = []
    check_unique([str(name) for name in columns], where=where)
    for name, values in columns.items():
        column = _series(str(name), values, where)
        if series and len(column) != len(series[0]):
            what = f"column {str(name)!r} has {len(column)} values, {series[0].name!r} has {len(series[0])}"
            raise DataError(
                what, where=where, mend="Every column needs a value for every row; None where one is missing"
            )
        series.append(column)
    return pl.DataFrame(series)


def _series(name: str, values: Any, where: str) -> pl.Series:
    """One column."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise DataError(f"column {name!r}", where=where, expected="a list or array of values", got=values)
    try:
        return pl.Series(name, values, strict=False) if _agree(values) else _refuse(name, values, where)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        return _refuse(name, values, where)


def _agree(values: Any) -> bool:
    """Whether the values of a list are all texts, or none is: polars would make texts of numbers beside texts."""
    if not isinstance(values, (list, tuple)):
        return True
    texts = {isinstance(value, str) for value in values if value is not None}
    return len(texts) < 2


def _refuse(name: str, values: Any, where: str) -> pl.Series:
    """Raise for values that are not of one kind; name the first that differs."""
    first = next((type(value) for value in values if value is not None), type(None))
    numbers = (int, float, np.number)
    for row, value in enumerate(values, 1):
        alike = isinstance(value, first) or (isinstance(value, numbers) and issubclass(first, numbers))
        if value is not None and not alike and not _is_nan(value):
            raise DataError(
                f"column {name!r}, row {row} holds {shown(value)}, the rows before it {first.__name__}",
                where=where,
                expected="values of one kind",
                mend="Correct the value, or put None where it is missing",
            )
    raise DataError(f"column {name!r} cannot be read", where=where, expected="numbers, text, truth values or dates")


def _is_nan(value: object) -> bool:
    """Whether the value is NaN, which is missing and no fault."""
    return isinstance(value, float) and math.isnan(value)


def _from_array(array: np.ndarray[Any, Any], where: str) -> pl.DataFrame:
    """A matrix (N, I), its columns named by their place."""
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        got = f"shape {array.shape}, {array.dtype}"
        raise DataError("the array", where=where, expected="a matrix (rows, columns) of numbers", got=got)
    array = array.astype(np.float32) if array.dtype == np.float16 else array
    return pl.DataFrame({f"column_{i}": np.ascontiguousarray(array[:, i - 1]) for i in range(1, array.shape[1] + 1)})


def _from_foreign(source: object, where: str) -> pl.DataFrame:
    """A frame of another library, by narwhals."""
    import narwhals as nw  # only for such a frame: a file is read without

    native: Any = _with_text_names(source, where)
    try:
        frame: nw.DataFrame[Any] = nw.from_native(native, eager_only=True)
    except TypeError:
        expected = "a path, the name of a built-in table, a polars, pandas or pyarrow frame, or a dict of columns"
        raise DataError("the table", where=where, expected=expected, got=source) from None
    try:
        return frame.to_polars()
    except ImportError:
        raise MissingExtraError(
            f"{where}: a frame of {type(source).__module__}", library="pyarrow", extra="frames"
        ) from None
    except Exception:  # noqa: BLE001 - pandas and pyarrow raise errors of their own for a column of mixed values
        return _from_columns({name: frame.get_column(name).to_list() for name in frame.columns}, where)


def _with_text_names(source: object, where: str) -> object:
    """The frame with names that are text and unique: pandas allows numbers, and one name twice."""
    names = getattr(source, "columns", getattr(source, "column_names", None))
    if names is None or not hasattr(source, "shape"):
        return source
    if type(source).__module__.startswith("pyarrow"):
        names = source.column_names  # type: ignore[attr-defined]
    texts = [str(name) for name in names]
    check_unique(texts, where=where)
    return source.set_axis(texts, axis=1) if hasattr(source, "set_axis") else source
