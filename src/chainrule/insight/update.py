"""The step of gradient descent that a trace shows: the engine takes it, and the optimiser tells what it made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule import optimizers
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import ArgumentError
from chainrule.insight.quantities import Quantity, Section
from chainrule.optimizers import LBFGS
from chainrule.schedules import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Floats
    from chainrule.engines.interface import Data
    from chainrule.objective import Objective
    from chainrule.optimizers import AnyOptimizer, AnyStepper
    from chainrule.parameters import Layout


class Update(NamedTuple):
    """One step.

    Attributes:
        optimizer: that took it.
        rate: the learning rate.
        clipped: the gradient as the optimiser takes it; None where nothing limits it.
        change: what the optimiser adds, ``(P,)``; frozen parameters leave it.
        slots: after the step, by name.
        theta: after the step.
    """

    optimizer: AnyStepper
    rate: float
    clipped: Floats | None
    change: Floats
    slots: dict[str, Floats]
    theta: Floats


def stepper(optimizer: str | AnyOptimizer, *, where: str) -> AnyStepper:
    """The optimiser, if it takes steps along gradients.

    Raises:
        ArgumentError: for an unknown one, and for L-BFGS.
    """
    chosen = optimizers.get(optimizer, where=where)
    if isinstance(chosen, LBFGS):
        raise ArgumentError(
            "optimizer", where=where, expected="one that takes a step along the gradient, such as SGD(0.5)", got=chosen
        )
    return chosen


def in_words(optimizer: AnyStepper) -> str:
    """The optimiser with the settings that are not its defaults.

    >>> in_words(optimizers.SGD(0.5))
    'SGD(rate=0.5)'
    """
    given = ((field, getattr(optimizer, field)) for field in optimizer.__struct_fields__)
    defaults = type(optimizer)()
    told = (f"{field}={value!r}" for field, value in given if field == "rate" or value != getattr(defaults, field))
    return f"{type(optimizer).__name__}({', '.join(told)})"


def step(
    objective: Objective, theta: Floats, batch: Data, gradient: Floats, optimizer: AnyStepper, seed: int
) -> Update:
    """The first step of a training on these rows as one batch: `ReferenceEngine` takes it."""
    B = len(batch.X)
    rates = np.asarray(optimizer.schedule.rates(np.zeros(1), Plan(steps_per_epoch=1, epochs=1, batch_size=B)))
    engine = ReferenceEngine().start(objective, theta.copy(), batch, optimizer=optimizer, batch_size=B, seed=seed)
    engine.advance(None, 0, rates, 0)
    limited = optimizer.clip_norm is not None or optimizer.clip_value is not None
    g = optimizers.clip(gradient, optimizer) if limited else gradient
    weights = objective.layout.weights(str(theta.dtype))
    change, _ = optimizer.change(theta, g, optimizer.slots(theta), rate=float(rates[0]), t=1, weights=weights)
    if not objective.layout.all_trainable:
        change = change * objective.layout.trainable(str(theta.dtype))
    return Update(optimizer, float(rates[0]), g if limited else None, change, engine.slots, engine.theta)


def update_sections(layout: Layout, made: Update) -> Iterator[Section]:
    """A section for each layer that has parameters: slots, change and new numbers."""
    names: dict[str, list[str]] = {}
    for parameter in layout.parameters:
        layer, _, _ = parameter.name.rpartition(".")
        names.setdefault(layer, []).append(parameter.name)
    by_name = {parameter.name: parameter for parameter in layout.parameters}
    for layer, parameters in names.items():
        found: list[Quantity] = []
        for name in parameters:
            found += _of_parameter(layout, made, name, by_name[name])
        yield Section(layer, tuple(found))


def _of_parameter(layout: Layout, made: Update, name: str, parameter: Any) -> Iterator[Quantity]:
    own = name.rpartition(".")[2]
    new = Quantity(f"{name}.new", layout.view(made.theta, name), f"{own} + change")
    if parameter.kind == "state":
        yield new._replace(formula="", note="the running average, moved towards this batch")
        return
    if not parameter.trainable:
        yield new._replace(formula=own, note="frozen: as it was")
        return
    if made.clipped is not None:
        layer = name.rpartition(".")[0]
        yield Quantity(f"{layer}.d{own}.clipped", layout.view(made.clipped, name), "", "within the optimizer's limits")
    formulas = made.optimizer.formulas
    for slot, values in made.slots.items():
        yield Quantity(f"{name}.{slot}", layout.view(values, name), formulas.get(slot, ""))
    yield Quantity(f"{name}.change", layout.view(made.change, name), formulas["change"])
    yield new
