"""Mistakes on the way to the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.activations import ReLU, Sigmoid, Softmax, Tanh
from chainrule.insight.marking.mistake import Change, InapplicableError, Mistake, fitting

if TYPE_CHECKING:
    from chainrule.activations import ActivationFunction
    from chainrule.arrays import Array
    from chainrule.insight.marking.variant import Variant
    from chainrule.insight.passes import Node


def _bias(node: Node) -> Array:
    if "b" not in node.params:
        raise InapplicableError
    return node.params["b"]


def _bias_times(factor: float) -> Change:
    return lambda _, node, Z: Z + factor * _bias(node)


def _transposed(_: Variant, node: Node, Z: Array) -> Array:
    W = node.params["W"]
    return Z + node.X @ (fitting(W.T, W.shape) - W)


def _twice(_: Variant, node: Node, Y: Array) -> Array:
    return node.layer.f.value(Y)  # type: ignore[attr-defined] # an Activation


def _over_rows(_: Variant, node: Node, __: Array) -> Array:
    if not isinstance(node.layer.f, Softmax):  # type: ignore[attr-defined] # an Activation
        raise InapplicableError
    return Softmax().value(node.X.T).T


def _not_normalised(_: Variant, node: Node, __: Array) -> Array:
    if not isinstance(node.layer.f, Softmax):  # type: ignore[attr-defined] # an Activation
        raise InapplicableError
    return np.exp(node.X)


def _instead(f: ActivationFunction) -> dict[Any, Change]:
    """Another function with its own slope."""

    def differs(node: Node) -> None:
        if node.layer.f.name == f.name:  # type: ignore[attr-defined] # an Activation
            raise InapplicableError

    def value(_: Variant, node: Node, __: Array) -> Array:
        differs(node)
        return f.value(node.X)

    def slope(_: Variant, node: Node, __: Array) -> Array:
        return f.slope(node.X, node.Y)

    def through(_: Variant, node: Node, __: Array) -> Array:
        return f.backward(node.X, node.Y, node.dY)

    return {"Y": value, "slope": slope, "dZ": through}


FORWARD = (
    Mistake("bias not added", "the bias was not added", "Z = X W + b", {"Z": _bias_times(-1)}),
    Mistake("bias subtracted", "the bias was subtracted", "Z = X W + b", {"Z": _bias_times(-2)}),
    Mistake("bias added twice", "the bias was added twice", "Z = X W + b", {"Z": _bias_times(1)}),
    Mistake(
        "W transposed forward", "the inputs were multiplied by W^T instead of W", "Z = X W + b", {"Z": _transposed}
    ),
    Mistake("activation forgotten", "the activation was left out", "Y = f(Z)", {"Y": lambda _, node, __: node.X}),
    Mistake("activation twice", "the activation was applied twice", "Y = f(Z)", {"Y": _twice}),
    Mistake(
        "softmax over rows",
        "softmax was taken over the rows of the batch instead of the outputs of each row",
        "y_k = exp(z_k) / sum_j exp(z_j)",
        {"Y": _over_rows},
    ),
    Mistake(
        "softmax not normalised",
        "the exponentials of softmax were not divided by their sum",
        "y_k = exp(z_k) / sum_j exp(z_j)",
        {"Y": _not_normalised},
    ),
    *(
        Mistake(
            f"{f.name} instead", f"{f.name} was used in place of the layer's own activation", "Y = f(Z)", _instead(f)
        )
        for f in (Sigmoid(), Tanh(), ReLU())
    ),
)
