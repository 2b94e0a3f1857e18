"""Readers of a CSV of pixels with the label first; each answers with the sum of all pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peers import Race

if TYPE_CHECKING:
    from collections.abc import Callable


def polars(path: str) -> Race:
    import polars as pl

    return _race(lambda: pl.read_csv(path), lambda frame: _sum(frame.drop("label").to_numpy()), pl.__version__)


def pandas(path: str) -> Race:
    import pandas as pd

    return _race(lambda: pd.read_csv(path), lambda frame: _sum(frame.drop(columns="label").to_numpy()), pd.__version__)


def chainrule_read(path: str) -> Race:
    import chainrule as cr
    from chainrule.tables import read_table

    return _race(lambda: read_table(path), lambda frame: _sum(frame.drop("label").to_numpy()), cr.__version__)


def chainrule(path: str) -> Race:
    import chainrule as cr
    from chainrule.tables import fit_columns, read_table

    def encode() -> tuple[Any, Any, Any]:
        frame = read_table(path)
        columns = fit_columns(frame, "label")
        return columns, columns.encode(frame), columns.encode_target(frame)

    def answer(encoded: tuple[Any, Any, Any]) -> float:
        columns, X, _ = encoded
        scales = np.array([each.scale for each in columns.features])
        centers = np.array([each.center for each in columns.features])
        return float((X.sum(axis=0, dtype=np.float64) * scales + len(X) * centers).sum())

    return _race(encode, answer, cr.__version__)


def scikit_learn(path: str) -> Race:
    import polars as pl
    import sklearn
    from sklearn.preprocessing import StandardScaler

    def encode() -> tuple[Any, Any]:
        scaler = StandardScaler()
        return scaler, scaler.fit_transform(pl.read_csv(path).drop("label").to_numpy().astype(np.float32))

    def answer(encoded: tuple[Any, Any]) -> float:
        scaler, X = encoded
        return float((X.sum(axis=0, dtype=np.float64) * scaler.scale_ + len(X) * scaler.mean_).sum())

    return _race(encode, answer, sklearn.__version__)


def _race(work: Callable[[], Any], answer: Callable[[Any], float], version: str) -> Race:
    kept: list[Any] = []

    def once() -> None:
        kept.clear()  # two answers at once would be memory that nobody needs
        kept.append(work())

    return Race(once, lambda: answer(kept[0]), version)


def _sum(pixels: Any) -> float:
    return float(pixels.sum(dtype=np.int64))
