"""Which engine runs an objective, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import unknown_name

if TYPE_CHECKING:
    from chainrule.engines.interface import Engine

ENGINES: dict[str, Engine] = {"reference": ReferenceEngine()}


class EngineChoice(NamedTuple):
    """The engine and the reason, in a sentence."""

    engine: Engine
    reason: str


def choose(name: str = "auto") -> EngineChoice:
    """The engine of that name; ``"auto"``: the fastest that there is.

    Raises:
        ArgumentError: for an unknown name.
    """
    if name == "auto":
        return EngineChoice(ENGINES["reference"], "it is the only engine in this version")
    if name not in ENGINES:
        raise unknown_name("engine", name, ["auto", *ENGINES])
    return EngineChoice(ENGINES[name], "it was asked for by name")
