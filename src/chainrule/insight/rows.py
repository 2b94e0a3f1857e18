"""What a person hands in to be explained, a network with arrays or a model with a table, as rows of an objective."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.arrays import check_dtype
from chainrule.checks import NO_ARRAY
from chainrule.engines.interface import Data
from chainrule.errors import ArgumentError, DataError, ShapeError
from chainrule.inputs import as_matrix, as_targets, sample_weights
from chainrule.network import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from chainrule.arrays import DType
    from chainrule.model import Model

_FEW = 12  # inputs of a row whose encoding is shown


class Encoded(NamedTuple):
    """How a value of a table became inputs of the network.

    Attributes:
        row: its number in the batch.
        column: of the table.
        value: as it stood there.
        inputs: the names and numbers of the inputs that it became; those that are 0 are left out beside others.
    """

    row: int
    column: str
    value: str
    inputs: str


class Given(NamedTuple):
    """What is explained.

    Attributes:
        network: in the number type of the explanation.
        batch: the rows.
        rows: their numbers in the data.
        encoding: of the rows of a table.
        input_names: what stands in each column of X, where that is known.
        labels: of the outputs, where each is a class.
    """

    network: Network
    batch: Data
    rows: tuple[int, ...]
    encoding: tuple[Encoded, ...] = ()
    input_names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def read(
    what: object,
    x: Any,
    y: Any,
    *,
    rows: Iterable[int] | None,
    sample_weight: Any,
    dtype: DType | None,
    where: str,
) -> Given:
    """The rows to explain.

    Args:
        what: a `Network` or a `Model`.
        x: inputs ``(B, I)``, or one row ``(I,)``; for a model a table.
        y: targets; for a model they stand in the table.
        rows: which of them, from 0; all when None.
        sample_weight: a weight for each row that is there, before `rows` chooses.
        dtype: of all numbers; None for the network's own.
        where: who asks, for messages.

    Raises:
        InputError: when something does not fit; says what.
    """
    if isinstance(what, Network):
        return _from_arrays(what, x, y, rows, sample_weight, dtype, where)
    from chainrule.model import Model  # loads polars: whoever has a network and arrays does without

    if isinstance(what, Model):
        return _from_table(what, x, y, rows, sample_weight, dtype, where)
    raise ArgumentError("the first argument", where=where, expected="a Network or a Model", got=what)


def _from_arrays(
    network: Network, x: Any, y: Any, rows: Any, sample_weight: Any, dtype: DType | None, where: str
) -> Given:
    if y is None:
        raise ArgumentError("y", where=where, expected="the targets of the rows", got=y)
    x, y = _one_row(x, y)
    number_type = network.dtype if dtype is None else check_dtype(dtype, where=where)
    X = as_matrix(x, number_type, where=where)
    try:
        network.objective  # noqa: B018 -- whether there is one
    except AttributeError:
        network.build(X.shape[1])
    if X.shape[1:] != network.input_shape:
        expected = f"{network.input_shape[0]} columns, as this network has inputs"
        raise ShapeError("X", where=where, expected=expected, got=X.shape)
    other = network.astype(number_type)
    return _chosen(other, X, y, rows, sample_weight, where)


def _one_row(x: Any, y: Any) -> tuple[Any, Any]:
    """A row alone, ``(I,)``, and its target, as a batch of one."""
    try:
        alone = x.ndim == 1 if isinstance(x, np.ndarray) else isinstance(x, list | tuple) and np.ndim(x[:1]) == 1
        if alone:
            return [list(x)], [y] if np.ndim(y) == 0 or np.size(y) != 1 else y
    except NO_ARRAY:  # ragged lists: whoever reads them says so
        pass
    return x, y


def _chosen(network: Network, X: Any, y: Any, rows: Any, sample_weight: Any, where: str) -> Given:
    """The rows asked for, checked against the network."""
    (O,) = network.objective.output_shape
    targets = as_targets(y, network.loss, O, network.dtype, classes=network.classes, where=where)
    if len(targets.T) != len(X):
        raise ShapeError("y", where=where, expected=f"{len(X)} rows, as X has", got=len(targets.T))
    weights = sample_weights(sample_weight, len(X), where=where)
    places = row_numbers(rows, len(X), where=where)
    some = list(places)
    batch = Data(
        np.ascontiguousarray(X[some]), targets.T[some], None if weights is None else weights[some].astype(X.dtype)
    )
    labels = () if network.classes is None or O == 1 else tuple(map(str, network.classes.tolist()))
    return Given(network, batch, places, labels=labels)


def row_numbers(rows: Iterable[int] | None, count: int, *, where: str) -> tuple[int, ...]:
    """The rows asked for, from 0.

    Raises:
        ArgumentError: for one that is not there, or is no whole number.
    """
    if rows is None:
        return tuple(range(count))
    given: list[Any] = list(rows) if isinstance(rows, Iterable) else [rows]
    for row in given:
        if isinstance(row, bool) or not isinstance(row, int | np.integer) or not -count <= row < count:
            raise ArgumentError("rows", where=where, expected=f"whole numbers from 0 to {count - 1}", got=row)
    if not given:
        raise ArgumentError("rows", where=where, expected="at least one row", got=given)
    return tuple(int(row) % count for row in given)


def _from_table(
    model: Model, data: Any, y: Any, rows: Any, sample_weight: Any, dtype: DType | None, where: str
) -> Given:
    from chainrule.tables import MISSING, read_table

    if y is not None:
        raise ArgumentError("y", where=where, expected="nothing: the table of a model holds the targets", got=y)
    columns, settings = model.columns, model.settings
    table = data if isinstance(data, str) else where
    frame = read_table(data, missing=(*MISSING, *settings.missing), header=settings.header)
    places = row_numbers(rows, len(frame), where=where)
    weights = sample_weights(sample_weight, len(frame), where=where)
    frame = frame[list(places)]
    network = model.network.astype(model.network.dtype if dtype is None else check_dtype(dtype, where=where))
    X = columns.encode(frame, dtype=network.dtype, where=table)
    if columns.target.name not in frame.columns:
        raise DataError(
            f"there is no column {columns.target.name!r}, the target",
            where=table,
            mend="The loss needs the true answer.",
        )
    t = columns.encode_target(frame, dtype=network.dtype, where=table)
    given = _chosen(network, X, t, None, None if weights is None else weights[list(places)], where)
    encoding = tuple(_encoding(columns.features, frame, X))
    labels = tuple(map(str, columns.classes)) if given.labels else ()
    return given._replace(rows=places, encoding=encoding, input_names=columns.feature_names, labels=labels)


def _encoding(features: Sequence[Any], frame: pl.DataFrame, X: Any) -> list[Encoded]:
    """Of each row and column the value and the inputs that came out of it."""
    lines = []
    for row in range(len(frame)):
        place = 0
        for feature in features[:_FEW]:
            numbers = X[row, place : place + len(feature.names)]
            named = list(zip(feature.names, numbers.tolist(), strict=True))
            place += len(feature.names)
            told = [(name, number) for name, number in named if number or len(named) == 1] or named[:1]
            value = frame.get_column(feature.name)[row]
            text = ", ".join(f"{name} = {number:.6g}" for name, number in told)
            lines.append(Encoded(row, feature.name, "" if value is None else str(value), text))
    return lines
