"""How far a number may lie from the right one and be right: what rounding alone changes.

Two right programs differ in the last bits. A mean and a variance of numbers that are nearly equal make more of it, and
an optimiser that divides by the size of the gradient makes a whole step of one that is 0 but for rounding, such as that
of a bias in front of a batch norm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.insight.marking.mistake import Mistake, Slip
from chainrule.insight.marking.variant import Start, Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainrule.arrays import Array, Floats
    from chainrule.insight.trace import Trace

_INPUTS = 1e-15  # by which inputs and parameters are moved: some units in the last place
_TIMES = 8  # what that changes, for the orders in which people add
_MOST = 1e-6  # of the largest entry: a kink that is crossed is no rounding
_GRADIENT = 1e-14  # of the largest entry of the gradient: some additions


def noise(trace: Trace) -> Mapping[str, Array]:
    """By name, for what rounding changes."""
    start = Start.of(trace)
    exact = Variant(start)
    passes = start._replace(optimizer=None)
    others = [Variant(_moved(passes, sign)) for sign in (1, -1)]
    found: dict[str, Array] = {}
    for name in others[0].numbers:
        right = exact.numbers[name]
        off = np.maximum(*(np.abs(other.numbers[name] - right) for other in (others[0], others[1])))
        found[name] = np.minimum(_TIMES * off, _MOST * np.abs(right).max(initial=0.0))
    return found if start.optimizer is None else found | _of_step(start, exact, others[0])


def _moved(start: Start, sign: int) -> Start:
    """From inputs and parameters that are rounded otherwise."""
    batch = start.batch
    return start._replace(
        theta=start.theta * (1 + sign * _INPUTS * _turns(start.theta)),
        batch=batch._replace(X=batch.X * (1 - sign * _INPUTS * _turns(batch.X))),
    )


def _turns(values: Floats) -> Floats:
    """1 and -1 without a pattern that sums could cancel."""
    return np.random.default_rng(0).choice([-1.0, 1.0], size=np.shape(values))


def _of_step(start: Start, exact: Variant, other: Variant) -> dict[str, Array]:
    """Of what the optimiser makes, from a gradient that is rounded as in that other pass, both ways."""
    g = np.abs(exact.gradient).max(initial=0.0)
    moved = np.clip(_TIMES * np.abs(other.gradient - exact.gradient), _GRADIENT * g, _MOST * g)
    found: dict[str, Array] = {}
    for by in (moved, -moved):
        rounded = Variant(start, (Slip(_rounded(by)),))
        for name, values in rounded.numbers.items():
            off = np.abs(values - exact.numbers[name])
            found[name] = np.maximum(found[name], off) if name in found else off
    return {name: off for name, off in found.items() if name not in other.numbers}


def _rounded(by: Floats) -> Mistake:
    return Mistake("", "", "", {"gradient": lambda _, __, g: g + by}, "once")
