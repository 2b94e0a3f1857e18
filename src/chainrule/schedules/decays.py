"""Rates that stay as they are, or fall by a rule of the epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.checks import settle, settle_flag
from chainrule.schedules.interface import Plan, Schedule, settle_rate

if TYPE_CHECKING:
    from chainrule.schedules.interface import Numbers


class Constant(Schedule, frozen=True):
    """rate(t) = rate.

    >>> Constant(0.1).rates(np.arange(2), Plan(2, 1, 32))
    array([0.1, 0.1])
    """

    rate: float

    def __post_init__(self) -> None:
        settle_rate(self)

    def _rates(self, t: Numbers, _plan: Plan, /) -> Numbers:
        return np.full(t.shape, self.rate)


class Step(Schedule, frozen=True):
    """rate(t) = rate * drop^floor(epoch / every),  epoch = floor(t / steps_per_epoch).

    >>> Step(0.8, drop=0.5, every=2).rates(np.arange(6), Plan(1, 6, 32))
    array([0.8, 0.8, 0.4, 0.4, 0.2, 0.2])
    """

    rate: float
    drop: float = 0.5
    every: float = 10.0  # epochs

    def __post_init__(self) -> None:
        settle_rate(self)
        settle(self, "drop", "a number above 0 and at most 1", lambda drop: 0 < drop <= 1)
        settle(self, "every", "a number of epochs above 0", lambda every: every > 0)

    def _rates(self, t: Numbers, plan: Plan, /) -> Numbers:
        drops = np.floor(t / (plan.steps_per_epoch * self.every))
        return self.rate * self.drop**drops


class Exponential(Schedule, frozen=True):
    """rate(t) = rate * decay^(t / steps_per_epoch): `decay` is the factor of one epoch, spread evenly over its steps.

    Sources disagree on what happens inside an epoch: Keras and optax spread the factor by default, as here; torch holds
    the rate and multiplies at the end of the epoch: `staircase=True`. At the first step of every epoch both are equal.

    >>> Exponential(1.0, decay=0.25).rates(np.arange(3), Plan(2, 2, 32))
    array([1.  , 0.5 , 0.25])
    """

    rate: float
    decay: float = 0.95
    staircase: bool = False

    def __post_init__(self) -> None:
        settle_rate(self)
        settle(self, "decay", "a number above 0 and at most 1", lambda decay: 0 < decay <= 1)
        settle_flag(self, "staircase")

    def _rates(self, t: Numbers, plan: Plan, /) -> Numbers:
        epochs = t / plan.steps_per_epoch
        return self.rate * self.decay ** (np.floor(epochs) if self.staircase else epochs)


class InverseScaling(Schedule, frozen=True):
    """rate(epoch) = rate / (rows seen in the epochs before + 1)^power.

    Source: scikit-learn's `learning_rate="invscaling"`, whose t counts rows, not steps, and moves at the end of an
    epoch: the first epoch has the full rate, the second one divided by about rows^power.

    >>> InverseScaling(1.0, power=0.5).rates(np.arange(4), Plan(2, 2, 12))
    array([1. , 1. , 0.2, 0.2])
    """

    rate: float
    power: float = 0.5

    def __post_init__(self) -> None:
        settle_rate(self)
        settle(self, "power", "a number >= 0", lambda power: power >= 0)

    def _rates(self, t: Numbers, plan: Plan, /) -> Numbers:
        rows_seen = np.floor(t / plan.steps_per_epoch) * plan.rows_per_epoch
        return self.rate / (rows_seen + 1.0) ** self.power
