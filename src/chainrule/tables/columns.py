"""A table as a matrix: what each column becomes, learned from the training rows, kept in the model file."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import numpy as np
import polars as pl

from chainrule.arrays import check_dtype
from chainrule.errors import ArgumentError, DataError, did_you_mean, unknown_name
from chainrule.tables.features import CategoryColumn, Feature, NumberColumn, Scaling
from chainrule.tables.filling import fill_numbers
from chainrule.tables.fitting import Options, SetAside, fit_features
from chainrule.tables.frames import as_frame
from chainrule.tables.task import ClassTarget, Label, Target, Task, ValueTarget, fit_target
from chainrule.tables.values import MISSING, located, quoted, without_marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from chainrule.arrays import DType, Floats


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The encoding of a table: features, target, and the columns set aside.

    It is plain data: `msgspec.json.encode(columns)` and `msgspec.json.decode(text, type=Columns)` give it back exactly.
    """

    features: tuple[Feature, ...]
    target: Target
    set_aside: tuple[SetAside, ...] = ()
    scaling: Scaling = "standard"
    matrix_range: tuple[float, float] | None = None
    """Minimum and maximum over the whole training matrix, for `minmax-matrix`."""
    missing: tuple[str, ...] = MISSING

    def __post_init__(self) -> None:
        if not self.features:
            raise DataError("the encoding has no column", expected="one or more")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What stands in each column of X."""
        return tuple(name for feature in self.features for name in feature.names)

    @property
    def spare(self) -> tuple[int, ...]:
        """The columns of X for a category that is missing or that no training row held."""
        ends = accumulate(len(feature.names) for feature in self.features)
        pairs = zip(ends, self.features, strict=True)
        return tuple(end - 1 for end, feature in pairs if isinstance(feature, CategoryColumn))

    @property
    def task(self) -> str:
        """`classification` or `regression`."""
        return "classification" if isinstance(self.target, ClassTarget) else "regression"

    @property
    def classes(self) -> tuple[Label, ...]:
        """The labels of the classes in their order; none for a regression."""
        return self.target.classes if isinstance(self.target, ClassTarget) else ()

    def encode(self, frame: object, *, dtype: DType = "float32", where: str = "") -> Floats:
        """The matrix X (N, I) of a table; its columns may stand in any order, and others beside them.

        Args:
            frame: the table.
            dtype: float32 or float64.
            where: the name of the file, for messages.

        Raises:
            DataError: where columns are missing or a value cannot be read; with row and column.
        """
        widths = [len(feature.names) for feature in self.features]
        places = np.concatenate([[0], np.cumsum(widths)]).tolist()
        with located(where):
            table = self._table(frame, [feature.name for feature in self.features])
            X = self._room((table.height, places.pop()), check_dtype(dtype, where="encode"))
            self._fill(table, X, places)
        return X

    def _room(self, shape: tuple[int, int], dtype: DType) -> Floats:
        """X to be filled: zeros, unless numbers alone will cover it whole."""
        covered = all(isinstance(feature, NumberColumn) and not feature.indicator for feature in self.features)
        make, size = np.empty if covered else np.zeros, shape[0] * shape[1] * np.dtype(dtype).itemsize
        line = 64  # X begins with a line of the cache: vectors are then written into one line each
        try:
            room = make(size + line, np.uint8)
        except MemoryError:
            raise DataError(
                f"the matrix of {shape[0]:,} rows and {shape[1]:,} columns needs {size / 1e9:.1f} GB, "
                "more than there is",
                mend="Use fewer rows, or fewer categories (max_categories)",
            ) from None
        start = -room.ctypes.data % line
        return room[start : start + size].view(dtype).reshape(shape)

    def _fill(self, table: pl.DataFrame, X: Floats, places: Sequence[int]) -> None:
        """Write every column from its place on."""
        numbers, series, their_places = [], [], []
        for feature, column, place in zip(self.features, table.get_columns(), places, strict=True):
            if isinstance(feature, NumberColumn):
                numbers.append(feature)
                series.append(feature.read(column))
                their_places.append(place)
            else:
                feature.fill(column, X, place)
        fill_numbers(numbers, series, X, their_places)

    def encode_target(self, frame: object, *, dtype: DType = "float32", where: str = "") -> npt.NDArray[Any]:
        """The target (N,): numbers of classes (int64), or scaled values.

        Raises:
            DataError: where it is missing, a class is new, or a value is no number.
        """
        with located(where):
            column = self._table(frame, [self.target.name]).get_column(self.target.name)
            if isinstance(self.target, ClassTarget):
                return self.target.encode(column)
            return self.target.encode(column, dtype=check_dtype(dtype, where="encode_target"))

    def decode_values(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """What the network gives for a regression, in the units of the target."""
        if not isinstance(self.target, ValueTarget):
            raise ArgumentError(f"{quoted(self.target.name)} holds classes", where="decode_values")
        return self.target.decode(values)

    def decode_classes(self, indices: npt.ArrayLike) -> pl.Series:
        """The labels of these numbers of classes."""
        if not isinstance(self.target, ClassTarget):
            raise ArgumentError(f"{quoted(self.target.name)} holds values", where="decode_classes")
        return self.target.decode(indices)

    def _table(self, frame: object, names: Sequence[str]) -> pl.DataFrame:
        """These columns of a table, null where a value is missing."""
        table = as_frame(frame)
        present = set(table.columns)
        if absent := [name for name in names if name not in present]:
            raise _absent(absent, table.columns)
        columns = dict(zip(table.columns, table.get_columns(), strict=True))
        # Of many columns, `select` would take as long as the reading of their numbers.
        return without_marks(pl.DataFrame([columns[name] for name in names]), self.missing)


def fit_columns(
    frame: object,
    target: str,
    *,
    rows: npt.ArrayLike | None = None,
    task: Task = "auto",
    scaling: Scaling = "standard",
    max_categories: int = 255,
    categories: Iterable[str] = (),
    drop: Iterable[str] = (),
    missing: Iterable[str] = MISSING,
    where: str = "",
) -> Columns:
    """Learn the encoding of a table from its training rows.

    Args:
        frame: the table, as `read_table` gives it or takes it (but no path).
        target: the column to predict.
        rows: places (0 for the first) of the training rows, all if None. Medians, means, ranges, categories and the
            kinds of the columns come from these rows alone; the classes of the target from all.
        task: `classification`, `regression`, or `auto`: `columns.target.reason` says which and why.
        scaling: of numbers: `standard` (mean 0, variance 1), `minmax` (0 to 1, each column), `minmax-matrix` (0 to 1
            with one minimum and maximum over all columns; constant columns stay), `none`.
        max_categories: a text column with more different texts keeps the most frequent, and the others share one place.
        categories: columns of numbers, dates or mixed text that name categories.
        drop: columns to leave out.
        missing: texts that say that a value is missing.
        where: the name of the file, for messages.

    Raises:
        DataError: where the table cannot be used; with row and column.
        ArgumentError: for an unknown setting or column.

    >>> columns = fit_columns({"age": [1, 2, None, 4], "kind": ["a", "b", "a", "b"]}, "kind")
    >>> columns.feature_names, columns.classes
    (('age', 'age is missing'), ('a', 'b'))
    """
    options = Options(
        scaling=scaling, max_categories=max_categories, categories=frozenset(categories), drop=frozenset(drop)
    )
    marks = tuple(dict.fromkeys(str(mark) for mark in missing))
    with located(where):
        table = without_marks(as_frame(frame), marks)
        _check_settings(table, target, options, task)
        if table.height == 1:
            raise DataError("the table has one row, and a network learns from two or more", mend="Give more rows")
        training = _training_mask(rows, table.height)
        fitted_target = fit_target(table.get_column(target), training, task)
        others = [series for series in table.get_columns() if series.name != target]
        features, set_aside, matrix_range = fit_features(others, training, options)
    return Columns(
        features=features,
        target=fitted_target,
        set_aside=set_aside,
        scaling=scaling,
        matrix_range=matrix_range,
        missing=marks,
    )


def _check_settings(table: pl.DataFrame, target: str, options: Options, task: str) -> None:
    """Raise for unknown names."""
    where = "fit_columns"
    if target not in table.columns:
        raise DataError(f"there is no column {target!r} to predict", mend=did_you_mean(str(target), table.columns))
    if options.scaling not in get_args(Scaling):
        raise unknown_name("scaling", options.scaling, get_args(Scaling), where=where)
    if task not in get_args(Task):
        raise unknown_name("task", task, get_args(Task), where=where)
    most: object = options.max_categories
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise ArgumentError("max_categories", where=where, expected="a whole number >= 1", got=most)
    for name in sorted(options.categories | options.drop):
        if name not in table.columns:
            raise unknown_name("column", name, table.columns, where=where)


def _training_mask(rows: npt.ArrayLike | None, height: int) -> pl.Series | None:
    """True for each training row; None where all are."""
    if rows is None:
        return None
    places = np.asarray(rows)
    if places.dtype == bool and places.shape == (height,):
        places = np.flatnonzero(places)
    if places.ndim != 1 or places.dtype.kind not in "iu" or len(places) == 0:
        raise ArgumentError("rows", where="fit_columns", expected="a list of row numbers", got=rows)
    if places.min() < 0 or places.max() >= height:
        raise ArgumentError("rows", where="fit_columns", expected=f"numbers from 0 to {height - 1}", got=rows)
    mask = np.zeros(height, dtype=bool)
    mask[places] = True
    return None if mask.all() else pl.Series(mask)


def _absent(absent: list[str], present: list[str]) -> DataError:
    """The error for columns that are not there: all of them, each with what it is perhaps called now."""
    meant = [did_you_mean(name, present) for name in absent[:5]]
    hints = [f"{hint.split('?')[0]}?" for hint in meant if hint.startswith("Did")]
    names = ", ".join(repr(name) for name in absent[:20]) + (", …" if len(absent) > 20 else "")
    what = f"the column {names} is missing" if len(absent) == 1 else f"{len(absent)} columns are missing: {names}"
    listed = f"There are: {', '.join(present[:20])}{', …' if len(present) > 20 else ''}"
    return DataError(what, mend=" ".join([*hints, listed]))
