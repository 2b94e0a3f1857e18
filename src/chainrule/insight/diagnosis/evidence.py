"""What the rules judge by: the training, looks at the network, the course of the losses, and two yardsticks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from chainrule.arrays import Floats, Ints
from chainrule.errors import DivergenceError
from chainrule.insight.diagnosis.look import Look, sample
from chainrule.insight.diagnosis.setup import Setup

SOLVED = 0.1  # of the loss of a constant answer: below it small gradients are what success looks like
FAIR = 0.5  # of the same: below it a network has learned something, whatever its units look like


@dataclass(frozen=True, eq=False)
class Course:
    """How the losses went, a number for each epoch, as means over the rows.

    Attributes:
        losses: without penalties.
        validation: on the rows held out; empty where there were none.
        best_epoch: of the monitored quantity, from 1; 0 where there is none.
        restored: whether the weights at the end are those of the best epoch.
        diverged: what ended it, when NaN or Inf did.
    """

    losses: Floats
    validation: Floats
    best_epoch: int = 0
    restored: bool = False
    diverged: DivergenceError | None = None


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that the rules see.

    Attributes:
        setup: the training.
        now: the latest look.
        first: the look before the first step; None where nobody looked then.
        course: None before the first epoch is over.
        sharpness: the largest eigenvalue of the Hessian; None where it was not measured.
        rows: whose inputs and targets are looked at, at most.
    """

    setup: Setup
    now: Look
    first: Look | None = None
    course: Course | None = None
    sharpness: float | None = None
    rows: int = 1000

    @property
    def chosen(self) -> Ints | slice:
        """The rows whose inputs and targets are looked at."""
        return sample(len(self.setup.data.X), self.rows)

    @cached_property
    def inputs(self) -> Floats:
        """Their inputs in float64, ``(rows, I)``."""
        return np.asarray(self.setup.data.X[self.chosen], dtype=np.float64)

    @cached_property
    def sizes(self) -> Floats:
        """The size of each input, ``sqrt(mean x_i^2)``, ``(I,)``."""
        return np.asarray(np.sqrt(np.einsum("ni,ni->i", self.inputs, self.inputs) / len(self.inputs)))

    @cached_property
    def varied(self) -> Ints:
        """The inputs that are not the same in all of these rows."""
        return np.flatnonzero((self.inputs != self.inputs[:1]).any(axis=0))

    @cached_property
    def targets(self) -> Floats:
        """Their targets in float64, ``(rows, O)``."""
        return np.asarray(self.setup.data.T[self.chosen], dtype=np.float64)

    @cached_property
    def ignorance(self) -> float:
        """The loss of an output that favours nothing: 1/K for each class (ln K under cross-entropy), the mean value."""
        T = self.targets
        if not self.setup.for_classes:
            return self._loss_of(T.mean(axis=0))
        O = T.shape[1]
        return self._loss_of(np.full(O, 1 / O if O > 1 and self._exclusive else 0.5))

    @cached_property
    def constant(self) -> float:
        """The loss of the best constant output: the share of each class, or the mean value."""
        return min(self._loss_of(self.targets.mean(axis=0)), self.ignorance)

    @property
    def _exclusive(self) -> bool:
        return bool(np.allclose(self.targets.sum(axis=1), 1))

    def _loss_of(self, outputs: Floats) -> float:
        value, _ = self.setup.per_row.loss.value_and_gradient(
            np.broadcast_to(outputs, self.targets.shape), self.targets, None
        )
        return float(value)

    @property
    def solved(self) -> bool:
        """Whether the network does well by now: small gradients are then no illness."""
        return self.now.predicted < SOLVED * self.constant

    @property
    def fair(self) -> bool:
        """Whether the network has learned something by now."""
        return self.now.predicted < FAIR * self.constant

    @property
    def trained(self) -> bool:
        """Whether steps were taken before the latest look."""
        return self.now.step > 0
