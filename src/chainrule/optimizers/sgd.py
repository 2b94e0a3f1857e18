"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.checks import settle_flag
from chainrule.errors import ArgumentError
from chainrule.optimizers.interface import Optimizer, check_shares
from chainrule.optimizers.vectors import times
from chainrule.schedules import AnySchedule

if TYPE_CHECKING:
    from chainrule.arrays import Array
    from chainrule.optimizers.interface import Slots


class SGD(Optimizer, frozen=True):
    """Stochastic gradient descent, with momentum and Nesterov's look ahead.

    ::

        v = momentum * v - r g
        change = v                         plain:    change = - r g
        change = momentum * v - r g        nesterov

    Sources: Polyak 1964; Sutskever et al. 2013, eq. 1-2 and, for Nesterov, eq. 3-4 in the variables of Bengio,
    Boulanger-Lewandowski & Pascanu 2012 (arXiv:1212.0901), as in scikit-learn and Keras. Sources disagree on the place
    of the rate: torch has v = momentum * v + g and change = - r v. With a constant rate that is the same; when the rate
    falls, torch's velocity falls with it at once, the one here keeps the pace that it has.

    >>> import numpy as np
    >>> theta, g = np.array([1.0]), np.array([2.0])
    >>> optimizer = SGD(0.1, momentum=0.5)
    >>> change, slots = optimizer.change(theta, g, optimizer.slots(theta), rate=0.1, t=1, weights=1.0)
    >>> change, slots = optimizer.change(theta, g, slots, rate=0.1, t=2, weights=1.0)
    >>> change  # 0.5 * -0.2 - 0.2
    array([-0.3])
    """

    rate: float | AnySchedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        check_shares(self, "momentum")
        settle_flag(self, "nesterov")
        if self.nesterov and self.momentum == 0.0:
            raise ArgumentError(
                "nesterov", where="SGD", expected="momentum above 0 beside nesterov=True", got=self.momentum
            )

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The velocity, when there is momentum."""
        return ("velocity",) if self.momentum else ()

    @property
    def formulas(self) -> dict[str, str]:
        if not self.momentum:
            return {"change": "-r g"}
        change = "momentum * velocity - r g" if self.nesterov else "velocity"
        return {"velocity": "momentum * velocity - r g", "change": change}

    def scalars(self, rate: float, _t: int, /) -> tuple[float, ...]:
        """-r."""
        return (-rate,)

    def apply(
        self,
        _theta: Array,
        gradient: Array,
        slots: Slots,
        scalars: tuple[float, ...],
        _weights: Array | float,
        /,
        *,
        reuse: bool,
    ) -> tuple[Array, Slots]:
        """The formulas above."""
        step = gradient * scalars[0]
        if not self.momentum:
            return step, slots
        velocity = times(slots["velocity"], self.momentum, reuse)
        velocity += step
        if not self.nesterov:
            return velocity, {"velocity": velocity}
        step += velocity * self.momentum
        return step, {"velocity": velocity}
