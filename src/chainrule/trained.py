"""What a training left behind, besides its history: the network as it was then, and the rows; for a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.arrays import Floats, Ints
from chainrule.engines.choose import EngineChoice
from chainrule.engines.interface import Data
from chainrule.objective import Objective


@dataclass(frozen=True, eq=False, kw_only=True)
class Trained:
    """A training that has ended.

    Attributes:
        objective: what was minimised.
        theta: the weights at the end, a copy.
        seed: of the network.
        classes: the labels ``(K,)``; None where the targets are values.
        data: the rows of the training, as the engine took them.
        held: the rows of the validation.
        places: of those among the rows that were given, from 0; None where they are others.
        engine: who ran it, and why.
        watch: who listened to its layers, a `chainrule.report.LayerStatistics`; None where nobody did.
        table: of a training from a table what it knows of it; None for arrays.
    """

    objective: Objective
    theta: Floats
    seed: int
    classes: Any
    data: Data
    held: Data | None
    engine: EngineChoice
    places: Ints | None = None
    watch: Any = None
    table: TableFacts | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class TableFacts:
    """What a training from a table knows besides.

    Attributes:
        name: the path or the built-in name; empty for a frame.
        columns: the encoding, a `chainrule.tables.Columns`.
        settings: the `Settings`, with all that was left open filled in.
        shape: rows and columns of the table.
        test: the rows kept for a test, ``X (N, I)`` and targets ``(N,)``; None where there are none.
        places: of the rows of each part in the table, from 0; a part that came from a file of its own has none.
        given: whether its rows are not those of the training, but others that a report was asked for.
        seeds: asks how good the trainings of all seeds are: a `SeedsReport`, or None of one training alone.
    """

    name: str
    columns: Any
    settings: Any
    shape: tuple[int, int]
    test: tuple[Floats, Any] | None
    places: Mapping[str, Ints]
    seeds: Callable[[], Any]
    given: bool = False
