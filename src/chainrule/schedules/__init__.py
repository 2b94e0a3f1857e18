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

from chainrule.checks import settle
from chainrule.errors import ArgumentError, unknown_name
from chainrule.schedules.cosines import Cosine, OneCycle
from chainrule.schedules.decays import Constant, Exponential, InverseScaling, Step
from chainrule.schedules.interface import Plan, PlateauState, Schedule
from chainrule.schedules.plateau import ReduceOnPlateau

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
