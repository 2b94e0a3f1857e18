"""What a person hands to an estimator, checked by scikit-learn; where that refuses, with the place in the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from sklearn import get_config
from sklearn.utils import column_or_1d

from chainrule.errors import ArgumentError, DataError, ShapeError
from chainrule.estimators.compat import validated
from chainrule.inputs import as_matrix

if TYPE_CHECKING:
    from chainrule.arrays import Floats

_OPTIONS: dict[str, Any] = {"accept_sparse": ["csr", "csc"], "dtype": (np.float64, np.float32)}
_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
_OF_DATES = "Give dates as numbers, such as the days since the first of them"
_ENCODE = "Encode text as numbers first, for instance by a OneHotEncoder in a Pipeline"
_FILL = "Fill or drop missing values first, for instance by a SimpleImputer in a Pipeline"


def inputs_and_targets(estimator: Any, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
    """X, an array or a sparse matrix, and y; `reset` learns the number and the names of the inputs.

    Raises:
        InputError: or scikit-learn's own ValueError, when they are no rows of numbers with a target each.
    """
    where = type(estimator).__name__
    if y is None:
        raise ArgumentError("fit requires y to be passed, but the target y is None", where=where)
    X = _looked_at(X, where)
    try:
        X, y = validated(estimator, X, y, multi_output=True, reset=reset, **_OPTIONS)
    except (ValueError, TypeError) as fault:
        _explain(fault, X, where)
    if _is_of_dates(y):
        raise DataError("y", where=where, expected="numbers or labels", got=str(y.dtype), mend=_OF_DATES)
    return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def names_of_targets(y: Any) -> list[str] | None:
    """The names of the columns of a frame of several targets."""
    names = getattr(y, "columns", None)
    return None if names is None or len(names) < 2 else [str(name) for name in names]


def inputs_alone(estimator: Any, X: Any) -> Any:
    """X as the network takes it, or a sparse matrix; an array that needs no work is passed on as quickly as may be.

    Raises:
        InputError: or scikit-learn's own ValueError, when X does not fit.
    """
    if _is_ready(estimator, X):
        return X
    where = type(estimator).__name__
    X = _looked_at(X, where)
    try:
        return validated(estimator, X, reset=False, **_OPTIONS)
    except (ValueError, TypeError) as fault:
        _explain(fault, X, where)


def as_dtype(values: Any, dtype: Any, *, name: str, where: str) -> Floats:
    """Finite numbers in the number type of the network.

    Raises:
        DataError: when one is too large for it.
    """
    with np.errstate(over="ignore"):
        cast: Floats = np.ascontiguousarray(values, dtype=dtype)
    if cast is not values and cast.dtype == np.float32 and not np.isfinite(cast).all():
        raise DataError(
            f"{name} holds numbers beyond float32, the type of the network",
            where=where,
            mend="Scale them, or fit on an X of float64",
        )
    return cast


def _is_ready(estimator: Any, X: Any) -> bool:
    """Whether scikit-learn's checks, which take several times as long as a row does, would find nothing to do."""
    plain = type(X) is np.ndarray and X.ndim == 2 and X.dtype in _FLOATS and len(X) > 0
    fits = plain and X.shape[1] == estimator.n_features_in_ and not hasattr(estimator, "feature_names_in_")
    return fits and (get_config()["assume_finite"] or bool(np.isfinite(X).all()))


def _looked_at(X: Any, where: str) -> Any:
    """X, a masked array with NaN in place of what is masked.

    Raises:
        DataError: when it is of dates, which scikit-learn would read as nanoseconds or seconds without a word.
    """
    if isinstance(X, np.ma.MaskedArray) and X.dtype.kind in "biuf":
        return np.where(np.ma.getmaskarray(X), np.nan, X.data)
    if _is_of_dates(X):
        raise DataError("X", where=where, expected="numbers", got="dates or times", mend=_OF_DATES)
    return X


def _is_of_dates(values: Any) -> bool:
    """Whether it is an array, a series or a frame with dates, times or durations in it."""
    if not hasattr(values, "shape"):  # a LazyFrame would have to find its types out
        return False
    kinds = getattr(values, "dtypes", None)
    each = [getattr(values, "dtype", None)] if kinds is None or np.ndim(kinds) == 0 else list(kinds)
    temporal = {"Date", "Datetime", "Duration", "Time"}  # of polars
    return any(getattr(kind, "kind", "") in {"M", "m"} or str(kind).partition("(")[0] in temporal for kind in each)


def _explain(fault: Exception, X: Any, where: str) -> NoReturn:
    """Raise scikit-learn's error again, with the row and the column that ours knows."""
    if hasattr(X, "toarray") or (isinstance(fault, TypeError) and isinstance(X, np.ndarray)):
        raise fault  # of objects that are no numbers it wants a TypeError
    try:
        as_matrix(X, "float64", where=where)
    except ArgumentError as ours:
        raise ours from None
    except DataError as ours:
        if ours.what == "X":  # it knows no place either
            raise fault from None
        first = str(fault).partition("\n")[0].rstrip(". ")
        mend = _FILL if "missing" in ours.mend else _ENCODE
        raise DataError(f"{first}. {ours.what}", where=where, mend=mend) from None
    except ShapeError:
        raise fault from None  # theirs tells more
    raise fault
