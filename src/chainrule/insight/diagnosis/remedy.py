"""What to try against a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.insight.diagnosis.setup import Setup


class Remedy(NamedTuple):
    """What to try.

    Attributes:
        words: a clause: ``scale the inputs``.
        argument: as it is written in Python.
        option: as it is written on the command line; empty where it has none.
        change: the training with it; None where no program can do it.
    """

    words: str
    argument: str = ""
    option: str = ""
    change: Callable[[Setup], Setup] | None = None
