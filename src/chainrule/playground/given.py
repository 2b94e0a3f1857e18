"""A network and rows in arrays as what a session begins with: columns that are taken as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from chainrule.errors import ArgumentError
from chainrule.model import Model
from chainrule.playground.models import begun_with
from chainrule.settings import Settings
from chainrule.tables import Columns
from chainrule.tables.features import NumberColumn
from chainrule.tables.task import ClassTarget, ValueTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.network import Network
    from chainrule.playground.tables import Begun

_WHERE = "view"
_TARGET = "target"


class Given(NamedTuple):
    """A table, and the model to begin with on it."""

    frame: pl.DataFrame
    begun: Begun


def given_rows(network: Network, X: Any, y: Any, names: Sequence[str] | None, *, data: str) -> Given:
    """Rows as `Network.fit` takes them.

    Raises:
        InputError: when they do not fit the network, or the page has no place for its targets.
    """
    rows = network.read(X, y, where=_WHERE)
    network.forward(rows.X[:1])  # one that has no weights yet gets them
    inputs = _names(names, X, rows.X.shape[1])
    T, classes, indices = rows.targets
    if indices is None and T.shape[1] > 1:
        raise ArgumentError("y", where=_WHERE, expected="one target: the page draws one at a time", got=T.shape)
    labels = None if indices is None else _labels(network, classes)
    answers = T[:, 0].astype(np.float64) if indices is None or labels is None else np.array(labels)[indices]
    target: ClassTarget | ValueTarget = ValueTarget(name=_TARGET, mean=0.0, std=1.0, reason="given as values")
    if labels is not None:
        target = ClassTarget(name=_TARGET, classes=tuple(labels), reason="given as classes")
    frame = pl.DataFrame({**dict(zip(inputs, rows.X.T.astype(np.float64), strict=True)), _TARGET: answers})
    features = tuple(NumberColumn(name=name, median=0.0) for name in inputs)
    columns = Columns(features=features, target=target, scaling="none")
    settings = Settings(l1=network.l1, l2=network.l2, seed=network.seed, dtype=network.dtype, scaling="none")
    return Given(frame, begun_with(Model(network, columns, settings), data))


def _labels(network: Network, classes: Any) -> list[Any]:
    """Of the classes, those of the network before those of the rows: their numbers where nobody named them."""
    known = network.classes if network.classes is not None else classes
    count = max(network.objective.output_shape[0], 2)
    return list(range(count)) if known is None else np.asarray(known).tolist()


def _names(names: Sequence[str] | None, X: Any, count: int) -> list[str]:
    """Of the inputs: as given, those of a frame, or x1, x2, ..."""
    found = [str(name) for name in (names if names is not None else getattr(X, "columns", ()))]
    if names is not None and (len(found) != count or len(set(found)) != count or _TARGET in found):
        raise ArgumentError("names", where=_WHERE, expected=f"{count} different ones, none {_TARGET!r}", got=found)
    if len(set(found)) == count and _TARGET not in found:
        return found
    return [f"x{place}" for place in range(1, count + 1)]
