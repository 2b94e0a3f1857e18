"""Adagrad."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.arrays import namespace
from chainrule.checks import settle
from chainrule.optimizers.interface import Optimizer, check_epsilon
from chainrule.optimizers.vectors import root
from chainrule.schedules import AnySchedule

if TYPE_CHECKING:
    from chainrule.arrays import Array
    from chainrule.optimizers.interface import Slots


class Adagrad(Optimizer, frozen=True):
    """The gradient over the root of the sum of all its squares.

    ::

        s = s + g²                        s = initial before the first step
        change = - r g / (√s + epsilon)

    Source: Duchi, Hazan & Singer 2011, figure 1, diagonal form, whose delta is epsilon. Sources disagree on how to
    begin: `initial` is 0 in the paper and in torch, 0.1 in TensorFlow and optax.

    >>> import numpy as np
    >>> theta, g, optimizer = np.array([1.0]), np.array([2.0]), Adagrad(0.1)
    >>> change, slots = optimizer.change(theta, g, optimizer.slots(theta), rate=0.1, t=1, weights=1.0)
    >>> change.round(6)  # s = 4
    array([-0.1])
    """

    rate: float | AnySchedule = 0.01
    epsilon: float = 1e-10
    initial: float = 0.0

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        check_epsilon(self)
        settle(self, "initial", "a number >= 0", lambda initial: initial >= 0)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The sum of squares s."""
        return ("square",)

    @property
    def formulas(self) -> dict[str, str]:
        return {"square": "square + g^2", "change": "-r g / (sqrt(square) + epsilon)"}

    def slots(self, theta: Array) -> Slots:
        """The sum of squares before the first step."""
        return {"square": namespace(theta).full_like(theta, self.initial)}

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
        reuse: bool,  # noqa: ARG002 - nothing is gained by it here
    ) -> tuple[Array, Slots]:
        """The formulas above."""
        square = gradient * gradient
        square += slots["square"]
        step = gradient * scalars[0]
        step /= root(theta, square, self.epsilon)
        return step, {"square": square}
