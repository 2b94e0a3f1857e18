"""Predictions as pandas or polars frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.errors import MissingExtraError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = ("default", "pandas", "polars")


def check_kind(kind: Any, where: str) -> str:
    """The kind of output.

    Raises:
        ArgumentError: when there is none of that name.
    """
    if kind not in KINDS:
        raise unknown_name("output", kind, KINDS, where=where)
    return str(kind)


def as_frame(values: Any, kind: str, X: Any, names: Sequence[str]) -> Any:
    """Predictions ``(N,)`` as a series, ``(N, K)`` as a frame with these columns; pandas ones keep the index of X.

    Raises:
        MissingExtraError: when pandas is asked for and not installed.
    """
    if kind == "default":
        return values
    values = values.toarray() if hasattr(values, "toarray") else values  # labels learned from a sparse table
    if kind == "polars":
        import polars as pl

        if values.ndim == 1:
            return pl.Series(names[0], values)
        return pl.DataFrame({name: values[:, place] for place, name in enumerate(names)})
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtraError("set_output(predict='pandas')", library="pandas", extra="frames") from None
    index = getattr(X, "index", None)
    index = index if isinstance(index, pd.Index) else None
    if values.ndim == 1:
        return pd.Series(values, index=index, name=names[0])
    return pd.DataFrame(values, index=index, columns=list(names))
