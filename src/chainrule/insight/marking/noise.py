"""How far a right number of the step may lie from another right one: what rounding of the gradient alone changes.

An optimiser that divides by the size of the gradient makes a whole step of one that is 0 but for rounding, such as that
of a bias in front of a batch norm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.insight.marking.mistake import Mistake, Slip
from chainrule.insight.marking.variant import Start, Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainrule.arrays import Array
    from chainrule.insight.trace import Trace

_ROUNDING = 1e-14  # of the largest entry of the gradient: some additions in float64


def noise(trace: Trace) -> Mapping[str, Array]:
    """By name, for what rounding of the gradient changes; nothing where there is no step."""
    if trace.update is None:
        return {}
    start = Start.of(trace)
    exact = Variant(start).numbers
    found = {name: np.zeros(np.shape(values)) for name, values in exact.items()}
    for sign in (1, -1):
        rounded = Variant(start, (Slip(_rounded(sign)),)).numbers
        for name, values in rounded.items():
            found[name] = np.maximum(found[name], np.abs(values - exact[name]))
    return {name: values for name, values in found.items() if values.any()}


def _rounded(sign: int) -> Mistake:
    return Mistake("", "", "", {"gradient": lambda _, __, g: g + sign * _ROUNDING * np.abs(g).max()}, "once")
