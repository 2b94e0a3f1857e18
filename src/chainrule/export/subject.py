"""What is exported, and what is made of it: the two sides of a format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.export.tables import random_table
from chainrule.model import Model

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from chainrule.arrays import Floats
    from chainrule.exported import Check, Unchecked
    from chainrule.network import Network
    from chainrule.tables import Columns

RANDOM_ROWS = 1000
MOST_ROWS = 10_000
OWN = "Every format has the layers and activations of chainrule, and none has those of your own"
"""What to say where something of a person's own is refused."""


class Subject(NamedTuple):
    """A network, or a model: a network with the encoding of its columns.

    Attributes:
        network: the network; it has weights, all of them finite.
        model: what encodes raw columns and names answers; None for a network alone.
        X: rows that were given to compare on or to train on, encoded ``(N, I)``; None when there were none.
        frame: the same rows as the table that they came from; None for a network alone, or without rows.
        name: what to call it in files: letters, digits and underscores.
    """

    network: Network
    model: Model | None
    X: Floats | None
    frame: pl.DataFrame | None
    name: str

    @property
    def columns(self) -> Columns | None:
        """The encoding of the columns; None for a network alone."""
        return None if self.model is None else self.model.columns

    def random_inputs(self, rows: int = RANDOM_ROWS) -> Floats:
        """Rows ``(rows, I)`` drawn from a normal distribution, always the same; the first is all zeros."""
        rng = np.random.Generator(np.random.PCG64(self.network.seed))
        X = rng.standard_normal((rows, *self.network.input_shape)) * 1.5
        X[0] = 0
        return X.astype(self.network.dtype)

    def random_table(self, rows: int = RANDOM_ROWS) -> pl.DataFrame:
        """Rows of raw columns, always the same; every column is sometimes missing or strange. Of a model only."""
        if self.columns is None:
            raise TypeError("a network alone has no columns")
        return random_table(self.columns, rows, seed=self.network.seed)

    def inputs(self) -> Floats:
        """All the rows to compare on: the first of those given, then random ones."""
        random = self.random_inputs()
        return random if self.X is None else np.vstack([self.X[:MOST_ROWS], random])


class Draft(NamedTuple):
    """What a format has made and checked, before it is put in place.

    Attributes:
        files: names and contents, the main one first; it is named like the path asked for, the others lie beside it.
        check: how it was compared with ours; or why it was not.
        notes: what whoever uses the files has to know, a sentence each.
    """

    files: dict[str, bytes]
    check: Check | Unchecked
    notes: tuple[str, ...] = ()


class Maker(Protocol):
    """How a format is made: ``make(subject, path, **options)``; its keyword arguments are the options of the format."""

    def __call__(self, subject: Subject, path: Path, **options: Any) -> Draft:
        """Make and check, and write nothing but temporary files.

        Raises:
            ArgumentError: for what cannot be exported; names the layer or the column.
            ExportError: when the check fails.
        """
        ...


def subject_of(what: Network | Model, data: Any, *, network_only: bool, name: str) -> Subject:
    """What is to be exported, with the rows to compare on.

    Raises:
        ArgumentError: when a number of the network is not finite.
        NotFittedError: when it has no weights yet.
        DataError: when the rows do not fit.
    """
    model = what if isinstance(what, Model) else None
    network: Network = what.network if isinstance(what, Model) else what
    for parameter, values in network.parameters.items():
        if not np.isfinite(values).all():
            raise ArgumentError(f"{parameter} holds NaN or infinity", where="export", mend="Train it again")
    X, frame = _rows(network, model, data)
    if network_only:
        model = frame = None
    return Subject(network, model, X, frame, _identifier(name))


def _rows(network: Network, model: Model | None, data: Any) -> tuple[Floats | None, pl.DataFrame | None]:
    """The rows given, as the network takes them and, of a model, as a table."""
    if data is None:
        return None, None
    if model is None:
        return network.read_inputs(data, where="export: data"), None
    frame = model.read(data)
    return model.columns.encode(frame, dtype=network.dtype), frame


def _identifier(name: str) -> str:
    """The name as every language takes it.

    >>> _identifier("my model-2"), _identifier("2 moons")
    ('my_model_2', 'net_2_moons')
    """
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name).strip("_").lower()
    return plain if plain and not plain[0].isdigit() else f"net_{plain}".rstrip("_")
