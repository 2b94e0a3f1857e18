"""The orders of the rows, epoch after epoch: drawn by compiled code where it is there, to the bit those of NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.engines.native import kernels
from chainrule.splitting import epoch_order, order_entropy

if TYPE_CHECKING:
    from chainrule.arrays import Ints

_END = 2**32  # rows and epochs below it the compiled code can number


class Orders:
    """Orders of the same rows, each `chainrule.splitting.epoch_order`.

    The compiled code seeds NumPy's generator and shuffles without Python and its lock: NumPy takes several times as
    long for a few rows, and trainings side by side then wait for each other.

    Args:
        n_rows: N.
        seed: what they depend on, with the epoch.

    >>> Orders(8, seed=0).of_epoch(0).tolist()
    [3, 1, 6, 5, 7, 2, 0, 4]
    """

    def __init__(self, n_rows: int, seed: int) -> None:
        self.n_rows, self._seed, self._entropy = n_rows, seed, order_entropy(seed)

    def of_epoch(self, epoch: int) -> Ints:
        """The rows in the order of this epoch ``(N,)``."""
        order: Ints = self.of_epochs(epoch, 1)[0]
        return order

    def of_epochs(self, first: int, count: int) -> Ints:
        """The orders of so many epochs, from `first` on: ``(count, N)``."""
        if kernels() is None or max(self.n_rows, first + count) >= _END:
            epochs = range(first, first + count)
            return np.stack([epoch_order(self.n_rows, seed=self._seed, epoch=epoch) for epoch in epochs])
        orders = np.empty((count, self.n_rows), np.int64)
        kernels().draw_orders(self._entropy, first, orders)
        return orders
