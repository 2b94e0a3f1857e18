"""Where the first number that is not finite stood, and the way back to the weights of before."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainrule.arrays import Floats, Ints
    from chainrule.engines.interface import Data, Run
    from chainrule.layers import Mode
    from chainrule.objective import Objective

_SHARE = 0.02  # of the time that copies may take


class Stretch(NamedTuple):
    """Steps about to be taken: see `Run.advance`."""

    epoch: int
    step: int
    taken: int
    rates: Floats


class Rewind:
    """A copy of theta and the slots, made anew as often as it costs little, and a journal of the steps since.

    A run is repeatable to the bit, so a fault that is noticed late can be found: go back and take the steps one by one.
    """

    def __init__(self) -> None:
        self._copy: tuple[Floats, dict[str, Floats]] | None = None
        self._journal: list[Stretch] = []
        self._next = 0.0

    def before(self, run: Run, stretch: Stretch) -> None:
        """Note the steps; copy the numbers as they are before them, if it is time to."""
        start = perf_counter()
        if start >= self._next:
            self._copy = run.theta.copy(), {name: slot.copy() for name, slot in run.slots.items()}
            self._journal.clear()
            end = perf_counter()
            self._next = end + (end - start) / _SHARE
        self._journal.append(stretch)

    def first_bad_update(self, run: Run, order_of: Callable[[int], Ints | None]) -> tuple[Stretch, Floats]:
        """The step whose update made theta not finite, and the theta of before it; `run` is left behind that update.

        Where a callback wrote into theta, the steps go another way when they are taken again, and none may be found:
        then it is the last one, and the theta of the copy.
        """
        if self._copy is not None:
            run.restore(*self._copy)
        before = run.theta.copy()
        for here in self._single_steps():
            before[...] = run.theta
            run.advance(order_of(here.epoch), here.step, here.rates, here.taken)
            if not np.isfinite(run.theta).all():
                return here, before
        last = self._journal[-1]
        end = len(last.rates) - 1
        good = before if self._copy is None else self._copy[0]
        return Stretch(last.epoch, last.step + end, last.taken + end, last.rates[end:]), good

    def _single_steps(self) -> Iterator[Stretch]:
        for epoch, step, taken, rates in self._journal:
            for i in range(len(rates)):
                yield Stretch(epoch, step + i, taken + i, rates[i : i + 1])


def place_in_pass(objective: Objective, theta: Floats, data: Data, mode: Mode) -> str:
    """The first quantity of the forward pass over these rows that is not finite."""
    layers, loss = objective.trained
    params = objective.layout.split(theta)
    with np.errstate(all="ignore"):
        if not np.isfinite(data.X).all():
            return "the input"
        X = data.X
        for index, (name, layer, _) in enumerate(layers.named(objective.input_shape)):
            X, _ = layer.forward(params.get(index, {}), X, mode.child(index) if layer.random else mode)
            if not np.isfinite(X).all():
                return f"the output of layer {name}"
        value, _ = loss.value_and_gradient(X, data.T, data.weights)
    return f"the loss {objective.loss.name}" if not np.isfinite(value) else "the penalty"


def place_in_theta(objective: Objective, theta: Floats) -> str:
    """The first parameter that is not finite."""
    layout = objective.layout
    bad = [p.name for p in layout.parameters if not np.isfinite(layout.view(theta, p.name)).all()]
    return f"the parameter {bad[0]}" if bad else "theta"
