"""Rows that were read, together: inputs, targets and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chainrule.engines.interface import Data
from chainrule.inputs.targets import Targets

if TYPE_CHECKING:
    from chainrule.arrays import Floats, Ints


class Rows(NamedTuple):
    """Rows that were read: inputs ``X (N, I)``, their targets, and the weight of each ``(N,)`` in float64, or None.

    `places` are those of some rows among the rows they were taken from, ``(N,)``; None where they are all.
    """

    X: Floats
    targets: Targets
    weights: Floats | None = None
    places: Ints | None = None

    def take(self, places: Ints) -> Rows:
        """Some of the rows."""
        T, classes, indices = self.targets
        targets = Targets(T[places], classes, None if indices is None else indices[places])
        weights = None if self.weights is None else self.weights[places]
        return Rows(self.X[places], targets, weights, places if self.places is None else self.places[places])

    def data(self, of_class: Floats | None = None) -> Data:
        """The rows as an engine takes them; the weight of a row is the product of its own and its class's."""
        weights = self.weights
        if of_class is not None and self.targets.indices is not None:
            each = of_class[self.targets.indices]
            weights = each if weights is None else weights * each
        return Data(self.X, self.targets.T, None if weights is None else weights.astype(self.X.dtype))
