"""Mistakes with the slope of an activation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.activations import Sigmoid, Softmax
from chainrule.insight.marking.mistake import Change, InapplicableError, Mistake, fitting

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.arrays import Array
    from chainrule.insight.marking.variant import Variant
    from chainrule.insight.passes import Node

_DELTA = "dZ = dY * f'(Z)"


def _f(node: Node) -> Any:
    return node.layer.f  # type: ignore[attr-defined] # an Activation


def _unpaired(change: Callable[[Variant, Node, Array], Array]) -> Change:
    """Left alone where the slope is a part of y - t already."""
    return lambda step, node, right: right if step.is_pair(node) else change(step, node, right)


def _of_neighbour(by: int) -> Change:
    def change(step: Variant, node: Node, _: Array) -> Array:
        other = step.neighbour(node, by)
        if other is None:
            raise InapplicableError
        there = step.activation_of(other)
        if not _f(there).elementwise:
            raise InapplicableError
        return fitting(_f(there).slope(there.X, there.Y), node.X.shape)

    return change


def _of_sigmoid(_: Variant, node: Node, __: Array) -> Array:
    if isinstance(_f(node), Sigmoid):
        raise InapplicableError
    return node.Y * (1 - node.Y)


def _softmax(change: Callable[[Array, Array], Array]) -> Change:
    def made(_: Variant, node: Node, __: Array) -> Array:
        if not isinstance(_f(node), Softmax):
            raise InapplicableError
        return change(node.Y, node.dY)

    return made


def _twice(_: Variant, node: Node, dZ: Array) -> Array:
    return _f(node).backward(node.X, node.Y, dZ)


def _slope(name: str, says: str, change: Change) -> Mistake:
    return Mistake(name, says, _DELTA, {"slope": change})


SLOPES = (
    Mistake(
        "slope forgotten",
        "the slope of the activation was forgotten: delta is dY",
        _DELTA,
        {"dZ": _unpaired(lambda _, node, __: node.dY)},
    ),
    Mistake("slope twice", "the slope of the activation was multiplied twice", _DELTA, {"dZ": _unpaired(_twice)}),
    Mistake("delta of the wrong sign", "delta has the wrong sign", _DELTA, {"dZ": _unpaired(lambda _, __, dZ: -dZ)}),
    _slope(
        "slope at Y",
        "the slope was taken at the output Y instead of the net input Z",
        lambda _, node, __: _f(node).slope(node.Y, _f(node).value(node.Y)),
    ),
    _slope(
        "slope's formula for Y at Z",
        "the slope's formula for the output was given the net input: z (1 - z) instead of y (1 - y)",
        lambda _, node, __: _f(node).slope(node.X, node.X),
    ),
    _slope("slope of the next layer", "the slope was taken of the next layer's numbers", _of_neighbour(1)),
    _slope("slope of the layer before", "the slope was taken of the numbers of the layer before", _of_neighbour(-1)),
    _slope("slope of sigmoid", "sigmoid's slope y (1 - y) was used for another activation", _of_sigmoid),
    _slope("value for slope", "the activation itself was used in place of its slope", lambda _, node, __: node.Y),
    _slope("1 - y for slope", "the slope was taken as 1 - y", lambda _, node, __: 1 - node.Y),
    _slope(
        "1 - y^2 for slope", "the slope was taken as 1 - y^2, which is that of tanh", lambda _, node, __: 1 - node.Y**2
    ),
    _slope(
        "slope 1 or 0",
        "the slope was taken as 1 above 0 and 0 below, which is that of relu",
        lambda _, node, __: np.where(node.X > 0, 1.0, 0.0),
    ),
    Mistake(
        "softmax: diagonal only",
        "only the diagonal of softmax's Jacobian was used, y (1 - y)",
        "dz_j = y_j (dy_j - sum_k dy_k y_k)",
        {"dZ": _softmax(lambda Y, dY: dY * Y * (1 - Y))},
    ),
    Mistake(
        "softmax: off the diagonal only",
        "only what lies off the diagonal of softmax's Jacobian was used",
        "dz_j = y_j (dy_j - sum_k dy_k y_k)",
        {"dZ": _softmax(lambda Y, dY: -Y * ((dY * Y).sum(axis=1, keepdims=True) - dY * Y))},
    ),
)
