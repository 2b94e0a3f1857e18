"""The columns of a network that was made without a table: numbers as they are, one for each of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from chainrule.errors import ArgumentError, DataError, did_you_mean
from chainrule.tables.columns import Columns
from chainrule.tables.features import NumberColumn, check_read
from chainrule.tables.frames import as_frame
from chainrule.tables.task import ClassTarget, Label, ValueTarget, different_labels
from chainrule.tables.values import located, quoted, without_marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.tables.task import Target


def given_columns(
    frame: object, target: str, *, n_classes: int, classes: Sequence[Label] | None = None, where: str = ""
) -> Columns:
    """An encoding that changes no number: the columns beside the target, in their order, are the inputs.

    Args:
        frame: a table like that on which the network was trained.
        target: the column that it predicts.
        n_classes: K, how many classes it tells apart; 0 for values.
        classes: their labels, in the order of its outputs; unless given, the numbers 0 to K - 1, or the K different
            labels of the target, sorted.
        where: the name of the file, for messages.

    Raises:
        DataError: where a column holds no numbers, or the target other labels; with row and column.
        ArgumentError: where the labels are not as many as the classes.

    >>> table = {"x": [1, 2, 3], "y": [4, None, 6], "kind": ["b", "a", "b"]}
    >>> columns = given_columns(table, "kind", n_classes=2)
    >>> columns.classes, columns.encode(table).tolist()
    (('a', 'b'), [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    """
    with located(where):
        table = as_frame(frame)
        if target not in table.columns:
            raise DataError(f"there is no column {target!r} to predict", mend=did_you_mean(target, table.columns))
        table = without_marks(table, ("",))
        features = tuple(_feature(series) for series in table.drop(target).get_columns())
        return Columns(features=features, target=_target(table[target], n_classes, classes), scaling="none")


def _feature(series: pl.Series) -> NumberColumn:
    read = NumberColumn.understood(series)
    check_read(series, read, expected="a number", mend="Leave columns that are no input out of the table")
    numbers = read.cast(pl.Float64).drop_nulls()
    if numbers.is_empty() or not numbers.is_finite().all():
        raise DataError(f"{quoted(series.name)}: its values", expected="finite numbers", got="others, or none")
    ends = numbers.to_numpy()
    return NumberColumn(name=series.name, median=float(np.median(ends)), range=(float(ends.min()), float(ends.max())))


def _target(series: pl.Series, n_classes: int, classes: Sequence[Label] | None) -> Target:
    if not n_classes:
        target = ValueTarget(name=series.name, mean=0.0, std=1.0, reason="the network answers values")
        target.encode(series)
        return target
    labels = tuple(classes) if classes is not None else _labels(series, n_classes)
    if len(labels) != n_classes:
        raise ArgumentError("classes", expected=f"{n_classes} labels, as the network has classes", got=labels)
    made = ClassTarget(name=series.name, classes=labels, reason=f"the network tells {n_classes} classes apart")
    made.encode(series)
    return made


def _labels(series: pl.Series, n_classes: int) -> tuple[Label, ...]:
    """Numbers of classes, or the labels that the column holds."""
    try:
        found = different_labels(series)
    except DataError:
        words = f"{quoted(series.name)} holds numbers with decimals, and the network tells {n_classes} classes apart"
        raise DataError(words, mend="Choose another target") from None
    if all(type(label) is int and 0 <= label < n_classes for label in found):
        return tuple(range(n_classes))
    if len(found) != n_classes:
        shown = ", ".join(map(str, found[:10])) + (", …" if len(found) > 10 else "")
        raise DataError(
            f"{quoted(series.name)} holds {len(found)} different labels ({shown}), and the network tells {n_classes} "
            "classes apart",
            mend="Say what its outputs stand for, in their order: classes=[...], on the command line --classes A,B,C",
        )
    return found
