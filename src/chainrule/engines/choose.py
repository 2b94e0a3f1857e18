"""Which engine runs an objective, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chainrule.engines.interface import Engine
from chainrule.engines.native import NativeEngine
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import ArgumentError, unknown_name

if TYPE_CHECKING:
    from chainrule.objective import Objective
    from chainrule.optimizers import AnyOptimizer

ENGINES: dict[str, Engine] = {"native": NativeEngine(), "reference": ReferenceEngine()}
"""By name, the fastest first; the last takes everything."""


class EngineChoice(NamedTuple):
    """The engine and the reason, in a sentence."""

    engine: Engine
    reason: str


def choose(
    engine: str | Engine = "auto",
    objective: Objective | None = None,
    optimizer: AnyOptimizer | None = None,
    *,
    threads: int | None = None,
) -> EngineChoice:
    """The engine of that name, or the object itself; ``"auto"``: the fastest that takes the objective.

    Args:
        engine: ``"auto"``, a name, or an engine with settings of its own, such as ``NativeEngine(threads=2)``.
        objective: what it is to run; None: asked in general.
        optimizer: with what.
        threads: how many work on a step of the native engine; None: see `NativeEngine`.

    Raises:
        ArgumentError: for an unknown name, or threads that are none, or beside an engine that has its own.
    """
    if isinstance(engine, Engine) and not isinstance(engine, type):
        if threads is not None:
            expected = "nothing beside an engine with settings of its own, such as NativeEngine(threads=2)"
            raise ArgumentError("threads", where="fit", expected=expected, got=threads)
        return EngineChoice(engine, "it was given")
    if not isinstance(engine, str) or engine not in {"auto", *ENGINES}:
        raise unknown_name("engine", engine, ["auto", *ENGINES])
    engines = ENGINES if threads is None else ENGINES | {"native": NativeEngine(threads)}
    if engine != "auto":
        return EngineChoice(engines[engine], "it was asked for by name")
    refusals = []
    for candidate in engines.values():
        refused = candidate.refuses(objective, optimizer)
        if not refused:
            break
        refusals.append(refused)
    return EngineChoice(candidate, "; ".join(refusals) or "it is the fastest and takes this network")
