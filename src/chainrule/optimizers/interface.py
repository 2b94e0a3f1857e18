"""What an optimiser is: pure updates of flat vectors.

An optimiser is a frozen record of settings. Its memory, the *slots*, are vectors like ``theta (P,)``::

    slots = optimizer.slots(theta)
    change, slots = optimizer.change(theta, gradient, slots, rate=rate, t=t, weights=weights)   # t = 1, 2, ...
    theta += change

Nothing that came from outside is changed in place, unless the caller has no more use for the old slots and says so by
``reuse=True``: then their memory is used again, which on NumPy saves up to half of the time with large networks and
changes no bit of the result. `change` may be the same array as one of the new slots: add it, do not write into it. Only
the array-API standard is used, and all scalars are Python's own, so float32 stays float32.

Each `change` is two parts. `scalars` makes the few numbers of a step (bias corrections and the like) in Python floats;
`apply` is the arithmetic on vectors. An engine that compiles its loop computes the scalars of all its steps beforehand
and hands them in, so that every engine steps with the same numbers.

In the formulas: g gradient, r rate, t the step from 1, operations by element; all vectors ``(P,)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from chainrule.arrays import namespace
from chainrule.checks import settle
from chainrule.schedules import AnySchedule, settle_schedule
from chainrule.schedules import get as get_schedule

if TYPE_CHECKING:
    from chainrule.arrays import Array

    Slots: TypeAlias = dict[str, Array]


class Optimizer(Struct, frozen=True, kw_only=True, tag=True):
    """What the optimisers that take steps have in common.

    Attributes:
        rate: the learning rate, or a schedule of it.
        clip_norm: the largest norm that the whole gradient may have; see `clip`.
        clip_value: the largest absolute value that an entry of the gradient may have; see `clip`.
    """

    rate: float | AnySchedule
    clip_norm: float | None = None
    clip_value: float | None = None

    def __post_init__(self) -> None:
        settle_schedule(self, "rate")
        for field in ("clip_norm", "clip_value"):
            if getattr(self, field) is not None:
                settle(self, field, "a number above 0, or None", lambda limit: limit > 0)

    @property
    def schedule(self) -> AnySchedule:
        """The schedule of the learning rate."""
        return get_schedule(self.rate)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The names of the vectors that it remembers from step to step."""
        raise NotImplementedError

    @property
    def formulas(self) -> dict[str, str]:
        """How each slot and the change are made, by name, from the letters above; for explanations."""
        raise NotImplementedError

    def slots(self, theta: Array) -> Slots:
        """The slots before the first step."""
        xp = namespace(theta)
        return {name: xp.zeros_like(theta) for name in self.slot_names}

    def scalars(self, rate: float, t: int, /) -> tuple[float, ...]:
        """The numbers that `apply` needs in step t; the rate enters nowhere else."""
        raise NotImplementedError

    def apply(
        self,
        theta: Array,
        gradient: Array,
        slots: Slots,
        scalars: tuple[float, ...],
        weights: Array | float,
        /,
        *,
        reuse: bool,
    ) -> tuple[Array, Slots]:
        """The arithmetic on vectors; see `change`."""
        raise NotImplementedError

    def change(
        self,
        theta: Array,
        gradient: Array,
        slots: Slots,
        *,
        rate: float,
        t: int,
        weights: Array | float,
        reuse: bool = False,
    ) -> tuple[Array, Slots]:
        """What to add to theta in step t (1 for the first), and the new slots.

        Args:
            theta: the parameters.
            gradient: dLoss/dtheta, clipped where that is asked for.
            slots: as `slots` or the step before returned them.
            rate: the learning rate of this step.
            t: the number of this step, 1 for the first.
            weights: 1 where theta holds a weight, 0 where it holds anything else; only `AdamW` looks at it.
            reuse: whether the old slots may be overwritten.
        """
        # Plain numbers: a NumPy float64 scalar would make float64 vectors of float32 ones.
        return self.apply(theta, gradient, slots, self.scalars(float(rate), int(t)), weights, reuse=reuse)


def check_shares(record: Struct, *fields: str) -> None:
    """Refuse a field that is no share of 1."""
    for field in fields:
        settle(record, field, "a number from 0 up to, not including, 1", lambda share: 0 <= share < 1)


def check_epsilon(record: Struct) -> None:
    """Refuse an epsilon that is not above 0."""
    settle(record, "epsilon", "a number above 0", lambda epsilon: epsilon > 0)
