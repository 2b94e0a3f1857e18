"""The target: what is to be predicted, and whether that is a class or a value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from chainrule.errors import DataError, did_you_mean, shown
from chainrule.tables.features import check_read
from chainrule.tables.values import as_numbers, as_text, as_truth, infinite, quoted

if TYPE_CHECKING:
    from chainrule.arrays import DType, Floats

Task: TypeAlias = Literal["auto", "classification", "regression"]
Label: TypeAlias = bool | int | str

FEW = 20  # so many different whole numbers, and no more, are taken for classes


class ClassTarget(msgspec.Struct, frozen=True, kw_only=True, tag="class", tag_field="kind"):
    """A target that is one of several classes; they are numbered in their order."""

    name: str
    classes: tuple[Label, ...]
    reason: str

    def __post_init__(self) -> None:
        kinds = {type(label) for label in self.classes}
        if len(self.classes) < 2 or len(kinds) != 1 or len(set(self.classes)) != len(self.classes):
            raise DataError(f"{quoted(self.name)}: the classes", expected="two or more of one kind", got=self.classes)

    def encode(self, series: pl.Series) -> npt.NDArray[np.int64]:
        """The number of the class of every row, (N,).

        Raises:
            DataError: for a class that was not there in training.
        """
        check_complete(series)
        texts = self._texts(series)
        names = pl.Series([_label_text(label) for label in self.classes], dtype=pl.String)
        numbers = pl.Series(np.arange(len(names), dtype=np.int64))
        codes = texts.replace_strict(names, numbers, default=None, return_dtype=pl.Int64)
        if codes.has_nulls():
            row = codes.is_null().arg_max() or 0
            what = (
                f"{quoted(series.name)}, row {row + 1} holds {shown(series[row])}, a class that training did not know"
            )
            raise DataError(what, mend=did_you_mean(str(series[row]), names))
        return codes.to_numpy()

    def _texts(self, series: pl.Series) -> pl.Series:
        """The texts that name the classes, whether the column holds text, numbers or truth values."""
        if isinstance(self.classes[0], bool):
            return as_text(as_truth(series))
        if isinstance(self.classes[0], int) and series.dtype in (pl.String, pl.Boolean):
            return as_text(as_numbers(series))
        return as_text(series)

    def decode(self, indices: npt.ArrayLike) -> pl.Series:
        """The labels of these class numbers, (N,)."""
        labels = pl.Series(self.name, list(self.classes))
        return labels.gather(np.asarray(indices, dtype=np.int64))


class ValueTarget(msgspec.Struct, frozen=True, kw_only=True, tag="value", tag_field="kind"):
    """A target that is a number; the network learns (t - mean) / std."""

    name: str
    mean: float
    std: float
    reason: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std > 0):
            got = f"{self.mean}, {self.std}"
            raise DataError(f"{quoted(self.name)}: mean and std", expected="finite numbers, std > 0", got=got)

    def encode(self, series: pl.Series, *, dtype: DType = "float32") -> Floats:
        """The values, scaled, (N,).

        Raises:
            DataError: for a value that is missing, no number, or infinite.
        """
        check_complete(series)
        numbers = _numbers(series).to_numpy()
        with np.errstate(over="ignore"):
            scaled = ((numbers - self.mean) / self.std).astype(dtype)
        if not np.isfinite(scaled).all():
            row = int(np.argmin(np.isfinite(scaled)))
            raise infinite(series.name, row, numbers[row].item())
        return scaled

    def decode(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """What the network gives, in the units of the target: y * std + mean."""
        return np.asarray(values, dtype=np.float64) * self.std + self.mean


Target: TypeAlias = ClassTarget | ValueTarget


def fit_target(series: pl.Series, mask: pl.Series | None, task: Task) -> Target:
    """Classes from the whole column, mean and standard deviation from the training rows (where `mask` is true).

    Raises:
        DataError: where nothing can be learned from this target; with the reason.
    """
    _check_kind(series)
    check_complete(series)
    if series.n_unique() == 1:
        raise DataError(
            f"{quoted(series.name)} is the target and holds {shown(series[0])} in every row",
            mend="There is nothing to learn: choose another target",
        )
    training = series if mask is None else series.filter(mask)
    classes, reason = _choose(series, task)
    if not classes:
        return _fit_values(training, series, reason)
    target = ClassTarget(name=series.name, classes=different_labels(series), reason=reason)
    if training.n_unique() == 1:
        raise DataError(
            f"{quoted(series.name)}: all {len(training)} training rows are of the class {shown(training[0])}",
            expected="rows of two classes or more",
            mend="Shuffle the rows, give more of them, or hold fewer back",
        )
    return target


def check_complete(series: pl.Series) -> None:
    """Raise where the target is missing.

    Raises:
        DataError: with the number of rows and the first.
    """
    if count := series.null_count():
        row = (series.is_null().arg_max() or 0) + 1
        rows = f"row {row}" if count == 1 else f"{count} rows, the first of them row {row}"
        raise DataError(
            f"{quoted(series.name)} is the target and is missing in {rows}", mend="Fill it in or remove the rows"
        )


def _check_kind(series: pl.Series) -> None:
    """Raise for a type that is neither class nor value."""
    dtype = series.dtype
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object) or dtype.is_temporal():
        raise DataError(
            f"{quoted(series.name)} is the target and holds values of the type {dtype}",
            expected="numbers, text or truth values",
            mend="Turn them into one of these first",
        )


def _choose(series: pl.Series, task: Task) -> tuple[bool, str]:
    """Whether the target asks for classification, and why."""
    if task == "regression":
        _refuse_words(series)
    if task != "auto":
        return task == "classification", f"{series.name}: {task}, as asked"
    classes, what = _look(series)
    return classes, f"{series.name} holds {what}: {'classification' if classes else 'regression'}"


def _look(series: pl.Series) -> tuple[bool, str]:
    """Whether the values look like classes, and what they are."""
    distinct, numbers = series.n_unique(), as_numbers(series)
    if series.dtype == pl.Boolean:
        return True, "true and false"
    if series.dtype == pl.String:
        if distinct > FEW and not numbers.has_nulls():
            return False, f"{distinct:,} different numbers"
        _refuse_names(series, distinct)
        return True, f"{distinct:,} different texts"
    if not _whole(numbers):
        return False, "numbers with decimals"
    what = f"{distinct:,} different whole numbers"
    if distinct > FEW:
        return False, f"{what}, more than {FEW}"
    return (True, what) if 2 * distinct <= len(series) else (False, f"{what} in {len(series):,} rows")


def _refuse_names(series: pl.Series, distinct: int) -> None:
    """Raise for text of which nearly every row holds another: names, not classes."""
    if distinct > FEW and 2 * distinct > len(series):
        raise DataError(
            f"{quoted(series.name)} is the target and holds {distinct:,} different texts in {len(series):,} rows",
            expected="classes that stand in several rows each",
            mend='Choose another target; if these are classes, say task="classification"',
        )


def _refuse_words(series: pl.Series) -> None:
    """Raise where a regression is asked for and the target is text."""
    mend = 'Correct the value, list it under `missing` and remove the row, or say task="classification"'
    check_read(series, as_numbers(series), expected='a number, as task="regression" was asked for', mend=mend)


def _whole(numbers: pl.Series) -> bool:
    """Whether all numbers are whole."""
    return numbers.dtype.is_integer() or bool((numbers.is_finite() & (numbers == numbers.round())).all())


def different_labels(series: pl.Series) -> tuple[Label, ...]:
    """The different labels in their order, of their own type; 1.0 is 1."""
    labels: list[Any] = series.unique().sort().to_list()
    if series.dtype.is_numeric() and not series.dtype.is_integer():
        if not _whole(as_numbers(series)):
            raise DataError(
                f"{quoted(series.name)} is the target and holds numbers with decimals",
                expected='text or whole numbers, as task="classification" was asked for',
                mend="Turn the numbers into classes first",
            )
        return tuple(int(label) for label in labels)
    return tuple(labels)


def _label_text(label: Label) -> str:
    """The text that names a class, as `as_text` makes it."""
    return str(label).lower() if isinstance(label, bool) else str(label)


def _numbers(series: pl.Series) -> pl.Series:
    """The target as float64."""
    numbers = as_numbers(series)
    check_read(series, numbers, expected="a number", mend="Correct the value, or remove the row")
    return numbers.cast(pl.Float64)


def _fit_values(training: pl.Series, series: pl.Series, reason: str) -> ValueTarget:
    """Mean and standard deviation of the training rows."""
    numbers = _numbers(training)
    if not numbers.is_finite().all():
        everything = _numbers(series)
        row = int((~everything.is_finite()).arg_max() or 0)
        raise infinite(series.name, row, everything[row])
    if numbers.n_unique() == 1:
        raise DataError(
            f"{quoted(series.name)} is the target and holds {shown(training[0])} in all {len(training)} training rows",
            mend="Shuffle the rows, or choose another target",
        )
    values = numbers.to_numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(values.mean()), float(values.std())
    if not math.isfinite(std) or std == 0:
        raise DataError(f"{quoted(series.name)}: the numbers are too large or too close to be scaled", got=std)
    return ValueTarget(name=series.name, mean=mean, std=std, reason=reason)
