"""An objective as functions that a gradient check can differentiate: the loss, and its penalties apart from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.insight.gradcheck.kinks import Sides, sides_of_layers, sides_of_loss
from chainrule.insight.gradcheck.probing import Function, Part
from chainrule.layers import PREDICTION, Mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainrule.arrays import Floats
    from chainrule.objective import Objective


PENALTY = "penalty: "  # before the names of its parts


class Point(NamedTuple):
    """Where an objective is differentiated, all in float64.

    Attributes:
        theta: ``(P,)``.
        X: ``(B, I)``.
        T: ``(B, O)``.
        weights: of the rows ``(B,)``, or None.
        mode: training, with the seed of one dropout mask, or prediction.
        rows: which row of the data each one is.
    """

    theta: Floats
    X: Floats
    T: Floats
    weights: Floats | None = None
    mode: Mode = PREDICTION
    rows: Sequence[int] = ()


def loss_function(objective: Objective, point: Point) -> Function:
    """The loss without penalties, of all parameters and the inputs, with the gradient of the backward pass."""
    bare = replace(objective, l1=0.0, l2=0.0)
    theta, X, T, weights, mode, _ = point
    bare.value_and_gradient(theta, X, T, weights, mode)
    gradient = bare.value_and_gradient(theta, X, T, weights, mode)[1]  # the second must not add to the first
    parts = [
        *_parts(objective, theta, gradient),
        Part("X", X.shape, X.reshape(-1), _of_inputs(bare, point).reshape(-1)),
    ]
    evaluation = _Evaluation(objective, point)
    return Function(evaluation.value, parts, evaluation.sides)


def whole_function(objective: Objective, point: Point, gradient: Mapping[str, Floats]) -> Function:
    """The whole objective, penalties included, with a gradient from elsewhere."""
    evaluation = _Evaluation(objective, point)
    layout = objective.layout
    parts = [
        Part(p.name, p.shape, point.theta[layout.place(p.name)], gradient[p.name], not p.trainable)
        for p in layout.parameters
        if p.name in gradient
    ]
    penalty = objective.penalty
    return Function(
        lambda: evaluation.value() + float(penalty(point.theta)[0]),
        parts,
        lambda: [*evaluation.sides(), *_sides_of_weights(objective, point.theta)],
    )


def penalty_function(objective: Objective, point: Point) -> Function:
    """``l1 sum |w| + l2/2 sum w^2`` over the weights."""
    theta = point.theta
    _, slope = objective.penalty(theta)
    weights = {p.name for p in objective.layout.parameters if p.kind == "weight"}
    parts = [
        part._replace(name=f"{PENALTY}{part.name}")
        for part in _parts(objective, theta, slope)
        if part.name in weights or part.gradient.any()
    ]
    return Function(lambda: float(objective.penalty(theta)[0]), parts, lambda: _sides_of_weights(objective, theta))


def _parts(objective: Objective, theta: Floats, gradient: Floats) -> list[Part]:
    layout = objective.layout
    places = [(p, layout.place(p.name)) for p in layout.parameters]
    return [Part(p.name, p.shape, theta[place], gradient[place], not p.trainable) for p, place in places]


def _of_inputs(objective: Objective, point: Point) -> Floats:
    """dL/dX, which training has no use for, by the same backward pass."""
    layers, loss = objective.trained
    params = objective.layout.split(point.theta)
    Y, saved = layers.forward(params, point.X, point.mode)
    _, dY = loss.value_and_gradient(Y, point.T, point.weights)
    dX, _ = layers.backward(params, saved, dY, want_dX=True)
    return np.asarray(dX)


def _sides_of_weights(objective: Objective, theta: Floats) -> list[Sides]:
    """l1 has a kink where a weight is 0."""
    layout = objective.layout
    weights = [p for p in layout.parameters if p.kind == "weight" and p.trainable] if objective.l1 else []
    return [Sides(p.name, layout.view(theta, p.name) > 0, None) for p in weights]


class _Evaluation:
    """The loss and the sides of its kinks at the numbers that now stand in the point."""

    def __init__(self, objective: Objective, point: Point) -> None:
        self.objective, self.point = objective, point
        self.layers, self.loss = objective.trained
        self.params = objective.layout.split(point.theta)  # views

    def value(self) -> float:
        """The loss, without penalties."""
        Y, _ = self._forward()
        value, _ = self.loss.value_and_gradient(Y, self.point.T, self.point.weights)
        return float(value)

    def sides(self) -> list[Sides]:
        """On which side of each kink every unit and every error lies."""
        Y, saved = self._forward()
        rows = self.point.rows or range(len(self.point.X))
        units = sides_of_layers(self.layers, self.objective.input_shape, saved, rows)
        return [*units, *sides_of_loss(self.loss, Y, self.point.T, rows)]

    def _forward(self) -> tuple[Any, Any]:
        return self.layers.forward(self.params, self.point.X, self.point.mode)
