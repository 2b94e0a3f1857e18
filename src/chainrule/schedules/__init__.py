"""Learning-rate schedules: the rate of every step of a run, known before the run begins.

A schedule is a function of the step number alone, so an engine takes one vector of rates for an epoch.
`ReduceOnPlateau` also listens to the loss: what it has heard is a small record beside it (`PlateauState`, part of every
checkpoint), and its factor multiplies the rates. All the others hear nothing and have the factor 1, so that the
training loop treats them alike::

    rates = schedule.rates(steps, plan) * schedule.scale(state)
    state = schedule.observe(state, loss)                        # after every epoch
"""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from msgspec.structs import replace

from chainrule.checks import settle, settle_flag, settle_whole
from chainrule.errors import ArgumentError, unknown_name
from chainrule.schedules.interface import Plan, PlateauState, Schedule

if TYPE_CHECKING:
    from msgspec import Struct

    from chainrule.schedules.interface import Numbers

__all__ = [
    "NAMES",
    "AnySchedule",
    "Constant",
    "Cosine",
    "Exponential",
    "InverseScaling",
    "OneCycle",
    "Plan",
    "PlateauState",
    "ReduceOnPlateau",
    "Schedule",
    "Step",
    "WarmUp",
    "get",
    "named",
    "settle_schedule",
]


def settle_rate(record: Struct, field: str = "rate") -> None:
    """Check a learning rate: a number above 0."""
    settle(record, field, "a number above 0", lambda rate: rate > 0)


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


class Cosine(Schedule, frozen=True):
    """rate(t) = final + (rate - final) / 2 * (1 + cos(pi t / total)),  total = steps of the run.

    Source: Loshchilov & Hutter 2017, "SGDR", eq. 5, with one period (no restarts) as long as the run. The last step of
    the run still takes a rate a little above `final`, which stands for the step after it, as in torch.

    >>> Cosine(1.0).rates(np.array([0, 5, 10]), Plan(5, 2, 32))
    array([1. , 0.5, 0. ])
    """

    rate: float
    final: float = 0.0

    def __post_init__(self) -> None:
        settle_rate(self)
        settle(self, "final", "a number from 0 to rate", lambda final: 0 <= final <= self.rate)

    def _rates(self, t: Numbers, plan: Plan, /) -> Numbers:
        done = np.minimum(t / plan.total_steps, 1.0)
        return self.final + (self.rate - self.final) * _cosine(done)


def _cosine(done: Numbers) -> Numbers:
    """Half a cosine: from 1 at done = 0 to 0 at done = 1."""
    return 0.5 * (1.0 + np.cos(math.pi * done))


class WarmUp(Schedule, frozen=True):
    """rate(t) = inner(0) * (t + 1) / w  for t < w;  inner(t - w) after;  w = ceil(epochs * steps_per_epoch).

    The inner schedule begins when the warm-up ends and has the rest of the run for itself, so that a cosine still comes
    down to its end. Source: Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2 (gradual warm-up), which
    starts from a small rate; here, as is usual now, from rate / w.

    >>> WarmUp(0.3, epochs=1).rates(np.arange(5), Plan(3, 2, 32))
    array([0.1, 0.2, 0.3, 0.3, 0.3])
    """

    schedule: float | AnySchedule
    epochs: float = 1.0

    def __post_init__(self) -> None:
        settle(self, "epochs", "a number of epochs above 0", lambda epochs: epochs > 0)
        settle_schedule(self, "schedule")

    @property
    def inner(self) -> AnySchedule:
        """The schedule that follows the warm-up."""
        return get(self.schedule)

    def _rates(self, t: Numbers, plan: Plan, /) -> Numbers:
        length = math.ceil(self.epochs * plan.steps_per_epoch)
        rest = replace(plan, steps=max(1, plan.total_steps - length))
        return self.inner.rates(np.maximum(t - length, 0), rest) * np.minimum((t + 1) / length, 1.0)

    def observe(self, state: PlateauState | None, loss: float) -> PlateauState | None:
        """What the inner schedule makes of it."""
        return self.inner.observe(state, loss)


class OneCycle(Schedule, frozen=True):
    """Up from peak / start_div to `peak` over the share `warm` of the run, then down to peak / (start_div * final_div).

    Both ways along half a cosine. Source: Smith & Topin 2017, "Super-Convergence", and Smith 2018, arXiv:1803.09820,
    in the form of torch's `OneCycleLR`: the peak is step warm * total - 1, the end step total - 1. The papers go in
    straight lines and move the momentum against the rate; the momentum stays as it is here.

    >>> OneCycle(1.0, start_div=10, final_div=100, warm=0.5).rates(np.array([0, 4, 9]), Plan(10, 1, 32))
    array([0.1  , 1.   , 0.001])
    """

    peak: float
    start_div: float = 25.0
    final_div: float = 1e4
    warm: float = 0.3

    def __post_init__(self) -> None:
        settle_rate(self, "peak")
        settle(self, "start_div", "a number >= 1", lambda div: div >= 1)
        settle(self, "final_div", "a number >= 1", lambda div: div >= 1)
        settle(self, "warm", "a share of the run, above 0 and below 1", lambda share: 0 < share < 1)

    def _rates(self, t: Numbers, plan: Plan, /) -> Numbers:
        start = self.peak / self.start_div
        end = start / self.final_div
        top, last = self.warm * plan.total_steps - 1, plan.total_steps - 1
        t = np.minimum(t, last)
        # A run of so few steps that the top lies at or before the first has no way up.
        up = self.peak + (start - self.peak) * _cosine(t / top) if top > 0 else np.full(t.shape, self.peak)
        down = end + (self.peak - end) * _cosine((t - top) / (last - top))
        return np.where(t <= top, up, down)


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


AnySchedule: TypeAlias = Constant | Step | Exponential | Cosine | WarmUp | OneCycle | InverseScaling | ReduceOnPlateau
"""Every schedule; msgspec reads the right one from its tag."""

_NAMES: dict[str, tuple[type[AnySchedule], dict[str, Any]]] = {
    "constant": (Constant, {}),
    "step": (Step, {}),
    "exponential": (Exponential, {}),
    "cosine": (Cosine, {}),
    "warm_up": (WarmUp, {}),
    "one_cycle": (OneCycle, {}),
    "inverse_scaling": (InverseScaling, {}),
    "reduce_on_plateau": (ReduceOnPlateau, {}),
    "adaptive": (ReduceOnPlateau, {"factor": 0.2, "cumulative": False}),
}
_ALIASES = {
    "warmup": "warm_up",
    "onecycle": "one_cycle",
    "invscaling": "inverse_scaling",
    "plateau": "reduce_on_plateau",
}

NAMES: tuple[str, ...] = tuple(_NAMES)
"""The names that `named` knows."""


def get(schedule: float | AnySchedule, *, where: str = "learning rate") -> AnySchedule:
    """A schedule from a number (the constant rate) or from a schedule.

    Raises:
        ArgumentError: for anything else, and for a rate that is not above 0.

    >>> get(0.1)
    Constant(rate=0.1)
    """
    value: object = schedule
    if isinstance(value, AnySchedule):
        return value
    if not isinstance(value, bool) and isinstance(value, Real):
        return Constant(float(value))
    raise _no_schedule(where, value)


def _no_schedule(where: str, value: object) -> ArgumentError:
    mend = ""
    if isinstance(value, str):
        name = _canonical(value)
        if name not in _NAMES:
            return unknown_name("schedule", value, NAMES, where=where)
        made = _NAMES[name][0].__name__
        mend = f"A name alone has no rate: give schedules.{made}(0.1), or schedules.named({name!r}, rate=0.1)"
    return ArgumentError("rate", where=where, expected="a number above 0 or a schedule", got=value, mend=mend)


def settle_schedule(record: Struct, field: str) -> None:
    """Check a field that is a rate or a schedule; a rate becomes a plain `float`."""
    value = getattr(record, field)
    if isinstance(value, Schedule):
        return
    if isinstance(value, str):
        raise _no_schedule(type(record).__name__, value)
    settle(record, field, "a number above 0 or a schedule", lambda rate: rate > 0)


def _canonical(name: str) -> str:
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    return _ALIASES.get(plain, plain)


def named(name: str, rate: float, **options: Any) -> AnySchedule:
    """The schedule of a name with its (highest) rate, and options by the names of its fields.

    Raises:
        ArgumentError: for an unknown name or option, or a value out of range.

    >>> named("cosine", rate=0.1)
    Cosine(rate=0.1, final=0.0)
    """
    plain = _canonical(str(name))
    if plain not in _NAMES:
        raise unknown_name("schedule", name, NAMES)
    make, preset = _NAMES[plain]
    fields = make.__struct_fields__[1:]  # all but the rate
    for option in options:
        if option not in fields:
            raise unknown_name("option", option, fields, where=f"schedule {plain}")
    return make(rate, **(preset | options))
