"""Short epochs, several in one call of the engine: to be told of one by one, with the slots at the end of the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from chainrule.arrays import Floats, Ints
    from chainrule.engines.interface import EpochsRun
    from chainrule.orders import Orders

_EPOCHS_AT_ONCE = 10_000  # at most
_BYTES_AT_ONCE = 1 << 24  # for what they need, at most


class Taken(NamedTuple):
    """What came of some epochs.

    Attributes:
        values: of each step ``(epochs, S, 2)``, see `Run.advance`.
        thetas: at the end of each ``(epochs, P)``.
    """

    values: Floats
    thetas: Floats


class _Call(NamedTuple):
    """Where a call began, and what it was made of."""

    theta: Floats
    slots: dict[str, Floats]
    orders: Ints | None
    rates: Floats
    taken: int
    thetas: Floats


class Ahead:
    """Takes epochs, and finds the way back to the end of any of those last taken.

    Args:
        run: an engine's run, at the end of an epoch.
        orders: of the rows, epoch by epoch; None: they stay as they are.
        steps_per_epoch: S.

    Attributes:
        epochs: how many of those taken are still to be told of; whoever tells of them counts.
        most: how many may be taken at once.
    """

    def __init__(self, run: EpochsRun, orders: Orders | None, steps_per_epoch: int) -> None:
        self._run, self._orders, self._S = run, orders, steps_per_epoch
        of_one = (
            run.theta.nbytes + (0 if orders is None else 8 * orders.n_rows) + 24 * steps_per_epoch
        )  # rates and values
        self.epochs, self.most = 0, min(_EPOCHS_AT_ONCE, _BYTES_AT_ONCE // of_one)
        self._call: _Call | None = None

    def take(self, epoch: int, taken: int, rates: Floats) -> Taken | None:
        """Take the epochs from this one on; None, and the run is where it was, when a number is not finite.

        Args:
            epoch: the first, 0 for that of the whole training.
            taken: steps before it.
            rates: one for each step.
        """
        run, count = self._run, len(rates) // self._S
        theta, slots = run.theta.copy(), {name: slot.copy() for name, slot in run.slots.items()}
        orders = None if self._orders is None else self._orders.of_epochs(epoch, count)
        thetas = np.empty((count, theta.size), theta.dtype)
        values = run.advance_epochs(orders, rates, taken, thetas)
        if not (np.isfinite(values).all() and np.isfinite(thetas[-1]).all()):
            run.restore(theta, slots)
            return None
        self.epochs, self._call = count, _Call(theta, slots, orders, rates, taken, thetas)
        return Taken(values.reshape(count, self._S, 2), thetas)

    def settle(self) -> None:
        """Take the slots back to the end of the epoch last told of; theta is there already."""
        if self._call is None or not self.epochs:
            return
        theta, slots, orders, rates, taken, thetas = self._call
        now, told = self._run.theta.copy(), len(thetas) - self.epochs
        self._run.restore(theta, slots)
        if told:
            some = None if orders is None else orders[:told]
            self._run.advance_epochs(some, rates[: told * self._S], taken, thetas[:told])
        self._run.theta[...] = now
        self.epochs = 0
