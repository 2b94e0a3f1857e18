"""Columns of numbers on their way into the matrix X (N, I): all of them at once, a large table by several threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from chainrule.engines.native import kernels
from chainrule.engines.threads import cores
from chainrule.tables.values import infinite

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from chainrule.arrays import Floats
    from chainrule.tables.features import NumberColumn

_SHARED = 1 << 22  # numbers from which threads share the work: it takes longer than starting them
_BLOCK = 400_000  # numbers encoded at a time: they stay in the cache between reading and writing


def fill_numbers(
    columns: Sequence[NumberColumn], series: Sequence[pl.Series], X: Floats, places: Sequence[int]
) -> None:
    """Write all columns of numbers into X (N, I) at once, a large table by several threads.

    Raises:
        DataError: for the first number that is infinite or becomes so in the type of X.
    """
    if not columns:
        return
    scales, frame = NumberScales(columns, places), pl.DataFrame(series)
    if kernels() is not None and scales.fill_natively(frame, X):
        return  # else a number is not finite, and what follows finds out which
    filling = _Filling(scales, frame, X)
    if X.size < _SHARED:
        filling.rows(0, len(X))
        return
    from concurrent.futures import ThreadPoolExecutor

    threads = cores()
    bounds = [len(X) * i // threads for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(filling.rows, bounds[:-1], bounds[1:]))  # in their order: the first fault is raised


class NumberScales:
    """What columns of numbers learned from the training rows, as vectors: a block of rows is written at once.

    Args:
        columns: the columns.
        places: where each begins in X (N, I).
    """

    def __init__(self, columns: Sequence[NumberColumn], places: Sequence[int]) -> None:
        self.columns, self.places, self.target = columns, places, _as_slice(places)
        self.medians = np.array([each.median for each in columns])
        self.centers = np.array([each.center for each in columns])
        self.scales = np.array([each.scale for each in columns])
        self.flagged = [i for i, each in enumerate(columns) if each.indicator]
        self.flags = [places[i] + 1 for i in self.flagged]

    def fill(
        self,
        block: npt.NDArray[Any],
        X: Floats,
        *,
        whole: bool = False,
        buffer: npt.NDArray[np.float64] | None = None,
    ) -> None:
        """Write (x - center) / scale into the rows of X, in float64, whatever the type of X.

        Args:
            block: a column for each of `columns`, NaN where a number is missing: the median takes its place there.
            X: the rows (N, I).
            whole: whether the block holds whole numbers of which none is missing.
            buffer: room for the block in float64.
        """
        if not whole:
            missing = np.isnan(block)
            X[:, self.flags] = missing[:, self.flagged]
            np.copyto(block, self.medians, where=missing)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = np.subtract(block, self.centers, out=buffer)
            scaled /= self.scales
            X[:, self.target] = scaled

    def fill_natively(self, frame: pl.DataFrame, X: Floats, *, instruction_set: str = "") -> bool:
        """Write a whole table into X, to the bit as `fill` does; whether all numbers are finite.

        Args:
            frame: a column of numbers for each of `columns`, null where one is missing.
            X: zeros (N, I), contiguous.
            instruction_set: one of `instruction_sets()`; the widest if empty.
        """
        flags = [place + 1 if each.indicator else -1 for each, place in zip(self.columns, self.places, strict=True)]
        done: bool = kernels().encode_numbers(
            frame.__arrow_c_stream__(),
            self.medians,
            self.centers,
            self.scales,
            np.array(self.places, np.int64),
            np.array(flags, np.int64),
            cores() if X.size >= _SHARED else 1,
            instruction_set,
            X,
        )
        return done


class _Filling:
    """Columns of numbers on their way into X (N, I), block after block of rows.

    Column after column would touch every line of memory of X once for each column: for 784 columns most of the time.
    """

    def __init__(self, scales: NumberScales, frame: pl.DataFrame, X: Floats) -> None:
        self.scales, self.frame, self.X = scales, frame, X
        self.whole = all(each.dtype.is_integer() and not each.has_nulls() for each in frame.get_columns())

    def rows(self, first: int, last: int) -> None:
        """Write these rows."""
        width = len(self.scales.columns)
        size = max(min(max(_BLOCK // width, 64), last - first), 1)
        buffer = np.empty((size, width))
        for start in range(first, last, size):
            self._block(start, min(start + size, last), buffer)

    def _block(self, start: int, stop: int, buffer: npt.NDArray[np.float64]) -> None:
        """Write a block that fits the buffer."""
        X, block = self.X[start:stop], self.frame.slice(start, stop - start).to_numpy(order="c")
        if not self.whole:
            block = block.astype(np.float64)
        self.scales.fill(block, X, whole=self.whole, buffer=buffer[: len(block)])
        if not self.whole and not np.isfinite(X[:, self.scales.target]).all():
            row, column = np.argwhere(~np.isfinite(X[:, self.scales.target]))[0]
            raise infinite(self.scales.columns[column].name, start + int(row), block[row, column].item())


def _as_slice(places: Sequence[int]) -> slice | list[int]:
    """The places as a slice where they are neighbours: NumPy writes those faster."""
    first, last = places[0], places[-1]
    return slice(first, last + 1) if last - first + 1 == len(places) else list(places)
