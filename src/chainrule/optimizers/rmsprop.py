"""RMSProp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.optimizers.interface import Optimizer, check_epsilon, check_shares
from chainrule.optimizers.vectors import root, running_square, times
from chainrule.schedules import AnySchedule

if TYPE_CHECKING:
    from chainrule.arrays import Array
    from chainrule.optimizers.interface import Slots


class RMSProp(Optimizer, frozen=True):
    """The gradient over the root of its running mean square.

    ::

        s = decay * s + (1 - decay) g²
        change = - r g / (√s + epsilon)
        v = momentum * v - r g / (√s + epsilon),  change = v          with momentum

    Source: Tieleman & Hinton 2012, Neural Networks for Machine Learning, lecture 6e. Sources disagree on epsilon:
    outside of the root in torch, as here; inside, √(s + epsilon), in TensorFlow and in Graves 2013 (arXiv:1308.0850),
    whose form also subtracts the squared mean. The rate stands inside the velocity, as for `SGD`; torch's stands
    outside.

    >>> import numpy as np
    >>> theta, g, optimizer = np.array([1.0]), np.array([2.0]), RMSProp(0.1, decay=0.75)
    >>> change, slots = optimizer.change(theta, g, optimizer.slots(theta), rate=0.1, t=1, weights=1.0)
    >>> change.round(6)  # s = 0.25 * 4
    array([-0.2])
    """

    rate: float | AnySchedule = 1e-3
    decay: float = 0.9
    epsilon: float = 1e-8
    momentum: float = 0.0

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        check_shares(self, "decay", "momentum")
        check_epsilon(self)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The running mean square s, and the velocity when there is momentum."""
        return ("square", "velocity") if self.momentum else ("square",)

    @property
    def formulas(self) -> dict[str, str]:
        square, step = "decay * square + (1 - decay) g^2", "r g / (sqrt(square) + epsilon)"
        if not self.momentum:
            return {"square": square, "change": f"-{step}"}
        return {"square": square, "velocity": f"momentum * velocity - {step}", "change": "velocity"}

    def scalars(self, rate: float, _t: int, /) -> tuple[float, ...]:
        """-r."""
        return (-rate,)

    def apply(
        self,
        theta: Array,
        gradient: Array,
        slots: Slots,
        scalars: tuple[float, ...],
        _weights: Array | float,
        /,
        *,
        reuse: bool,
    ) -> tuple[Array, Slots]:
        """The formulas above."""
        square = running_square(slots["square"], gradient, self.decay, reuse)
        step = gradient * scalars[0]
        step /= root(theta, square, self.epsilon)
        if not self.momentum:
            return step, {"square": square}
        velocity = times(slots["velocity"], self.momentum, reuse)
        velocity += step
        return velocity, {"square": square, "velocity": velocity}
