"""The reference engine: a step of gradient descent, readable from top to bottom, on NumPy. The oracle of the others."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.engines.interface import Data
from chainrule.layers import Mode
from chainrule.optimizers import clip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainrule.arrays import Floats, Ints
    from chainrule.objective import Objective
    from chainrule.optimizers import AnyOptimizer, Optimizer

_ROWS = 8192  # of a block in prediction: bounds the memory of a forward pass over any number of rows
_FLUSH_EVERY = 64  # steps of the whole run, so that no bit depends on how many are taken at once


class ReferenceEngine:
    """Runs every objective, a NumPy call for each line of the mathematics."""

    name = "reference"

    def refuses(
        self,
        objective: Objective | None = None,  # noqa: ARG002 -- it takes everything
        optimizer: AnyOptimizer | None = None,  # noqa: ARG002 -- likewise
    ) -> str:
        """Nothing: this engine runs whatever there is."""
        return ""

    def start(
        self, objective: Objective, theta: Floats, data: Data, *, optimizer: Optimizer, batch_size: int, seed: int
    ) -> ReferenceRun:
        """A run on these data; `theta` is changed in place by it."""
        return ReferenceRun(objective, theta, data, optimizer, batch_size, seed)

    def predict(self, objective: Objective, theta: Floats, X: Floats) -> Floats:
        """The outputs ``Y (N, O)``."""
        params = objective.layout.split(theta)
        Y = np.empty((len(X), *objective.output_shape), dtype=theta.dtype)
        with np.errstate(all="ignore"):
            for first in range(0, len(X), _ROWS):
                Y[first : first + _ROWS] = objective.predict(params, X[first : first + _ROWS])
        return Y

    def evaluate(self, objective: Objective, theta: Floats, data: Data) -> tuple[float, Floats]:
        """The loss over all rows, without penalties, and the outputs ``Y (N, O)``, in prediction mode."""
        params = objective.layout.split(theta)
        X, T, weights = data
        Y, total = np.empty((len(X), *objective.output_shape), dtype=theta.dtype), 0.0
        with np.errstate(all="ignore"):
            for first in range(0, len(X), _ROWS):
                rows = slice(first, first + _ROWS)
                of_rows = None if weights is None else weights[rows]
                value, Y[rows] = objective.evaluate(params, X[rows], T[rows], of_rows)
                total += float(value) * (len(X[rows]) / len(X) if objective.loss.reduction == "mean" else 1)
        return total, Y


class ReferenceRun:
    """See `chainrule.engines.interface.Run`."""

    finished = ""

    def __init__(
        self, objective: Objective, theta: Floats, data: Data, optimizer: Optimizer, batch_size: int, seed: int
    ) -> None:
        self.objective, self.theta, self.data = objective, theta, data
        self.optimizer, self.batch_size, self.seed = optimizer, batch_size, seed
        self.slots: dict[str, Floats] = optimizer.slots(theta)
        self._params = objective.layout.split(theta)
        layout, dtype = objective.layout, str(theta.dtype)
        self._weights = layout.weights(dtype)
        self._clips = optimizer.clip_norm is not None or optimizer.clip_value is not None
        self._trained = None if layout.all_trainable else layout.trainable(dtype) != 0

    def advance(self, order: Ints | None, first: int, rates: Floats, taken: int) -> Floats:
        """Take ``len(rates)`` steps; see the contract."""
        values = np.empty((len(rates), 2))
        with np.errstate(all="ignore"):  # what is not finite is looked for, once a step
            for i, rate in enumerate(rates.tolist()):
                values[i] = loss, penalty = self._step(self._batch(order, first + i), rate, taken + i)
                if not (isfinite(loss) and isfinite(penalty)):
                    return values[: i + 1]
                if (taken + i) % _FLUSH_EVERY == 0:
                    self._flush_subnormals()
        return values

    def restore(self, theta: Floats, slots: Mapping[str, Floats]) -> None:
        """Go back, or on, to these numbers; they are copied."""
        self.theta[...] = theta
        self.slots = {name: slot.copy() for name, slot in slots.items()}

    def _batch(self, order: Ints | None, k: int) -> Data:
        rows: Any = slice(k * self.batch_size, (k + 1) * self.batch_size)
        if order is not None:
            rows = order[rows]
        X, T, weights = self.data
        return Data(X[rows], T[rows], None if weights is None else weights[rows])

    def _step(self, batch: Data, rate: float, taken: int) -> tuple[float, float]:
        objective, theta = self.objective, self.theta
        step = objective.step(theta, self._params, batch, Mode(True, self.seed, taken))
        loss, penalty, gradient = float(step.loss), float(step.penalty), step.gradient
        if not (isfinite(loss) and isfinite(penalty)):
            return loss, penalty
        if self._clips:
            gradient = clip(gradient, self.optimizer)
        change, self.slots = self.optimizer.change(
            theta, gradient, self.slots, rate=rate, t=taken + 1, weights=self._weights, reuse=True
        )
        if self._trained is None:
            theta += change
        else:  # what is frozen keeps its bits, whatever the change is
            np.add(theta, change, out=theta, where=self._trained)
        if objective.layout.has_state:
            self._keep_state(step.saved)
        return loss, penalty

    def _flush_subnormals(self) -> None:
        """Set what decay left below the normal range to 0: such numbers would make every step some ten times slower."""
        where = True if self._trained is None else self._trained
        for vector in (self.theta, *self.slots.values()):
            np.putmask(vector, (np.abs(vector) < np.finfo(vector.dtype).tiny) & where, 0)

    def _keep_state(self, saved: Any) -> None:
        layers, _ = self.objective.trained
        _assign(self._params, layers.new_state(self._params, saved))


def _assign(params: Any, values: Any) -> None:
    """Write nested values into the views of the same names."""
    for key, value in values.items():
        if isinstance(value, dict):
            _assign(params[key], value)
        else:
            params[key][...] = value
