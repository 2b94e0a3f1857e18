"""The rate that falls when the loss does not: the only schedule that listens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from chainrule.checks import settle, settle_flag, settle_whole
from chainrule.schedules.interface import Plan, PlateauState, Schedule, settle_rate

if TYPE_CHECKING:
    from chainrule.schedules.interface import Numbers


class ReduceOnPlateau(Schedule, frozen=True):
    """The rate times `factor` whenever more than `patience` epochs in a row did not improve the loss.

    An epoch improves when loss < best - min_delta. After a reduction, `cooldown` epochs do not count as bad. The rate
    never falls below `min_rate`.

    Sources: torch's `ReduceLROnPlateau` with an absolute threshold, and scikit-learn's `learning_rate="adaptive"`, for
    which `factor=0.2, cumulative=False`. They disagree on `best`: in torch it moves only when an epoch improves on it
    by min_delta, so that small gains add up until they count (`cumulative=True`); in scikit-learn it is the lowest loss
    seen, so that a slow descent is a plateau. Keras reduces one epoch earlier.

    >>> schedule, state = ReduceOnPlateau(0.1, factor=0.5, patience=1), None
    >>> for loss in (1.0, 1.0, 1.0):
    ...     state = schedule.observe(state, loss)
    >>> schedule.scale(state)
    0.5
    """

    rate: float
    factor: float = 0.1
    patience: int = 10
    min_delta: float = 1e-4
    cooldown: int = 0
    min_rate: float = 0.0
    cumulative: bool = True

    def __post_init__(self) -> None:
        settle_rate(self)
        settle(self, "factor", "a number above 0 and below 1", lambda factor: 0 < factor < 1)
        settle_whole(self, "patience", 0)
        settle(self, "min_delta", "a number >= 0", lambda delta: delta >= 0)
        settle_whole(self, "cooldown", 0)
        settle(self, "min_rate", "a number from 0 to rate", lambda least: 0 <= least <= self.rate)
        settle_flag(self, "cumulative")

    def _rates(self, t: Numbers, _plan: Plan, /) -> Numbers:
        return np.full(t.shape, self.rate)

    def observe(self, state: PlateauState | None, loss: float) -> PlateauState:
        """The state after an epoch with this loss; one that is not finite does not improve."""
        state = PlateauState() if state is None else state
        loss = float(loss)
        improved = math.isfinite(loss) and (state.best is None or loss < state.best - self.min_delta)
        lower = math.isfinite(loss) and (state.best is None or loss < state.best)
        best = loss if improved or (lower and not self.cumulative) else state.best
        bad = 0 if improved or state.cooling else state.bad_epochs + 1
        if bad > self.patience:
            factor = max(state.factor * self.factor, self.min_rate / self.rate)
            return PlateauState(factor, best, bad_epochs=0, cooling=self.cooldown)
        return PlateauState(state.factor, best, bad, cooling=max(state.cooling - 1, 0))
