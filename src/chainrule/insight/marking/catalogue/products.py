"""Mistakes in the gradients of weights and biases, and in what is handed to the layer before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.insight.marking.mistake import Change, InapplicableError, Mistake, fitting

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.arrays import Array
    from chainrule.insight.marking.variant import Variant
    from chainrule.insight.passes import Node

_DW, _DB, _DX = "dW = X^T dZ", "db = sum_i dZ_i", "dX = dZ W^T"


def _rows(step: Variant) -> int:
    if step.B == 1:
        raise InapplicableError
    return step.B


def _other(step: Variant, node: Node, by: int) -> Node:
    found = step.neighbour(node, by)
    if found is None:
        raise InapplicableError
    return found


def _incoming(step: Variant, node: Node) -> Array:
    """What came into the activation behind this product."""
    return step.activation_of(node).dY


# ---- weights --------------------------------------------------------------------------------------------------------


def _from(inputs: Callable[[Variant, Node], Array]) -> Change:
    """DW of other inputs."""
    return lambda step, node, _: fitting(inputs(step, node), node.X.shape).T @ node.dY


def _with(delta: Callable[[Variant, Node], Array]) -> Change:
    """DW with another delta."""
    return lambda step, node, _: node.X.T @ fitting(delta(step, node), node.dY.shape)


def _before_activation(step: Variant, node: Node) -> Array:
    return step.activation_of(_other(step, node, -1)).X


WEIGHTS = tuple(
    Mistake(name, says, _DW, {"dW": change})
    for name, says, change in (
        ("dW transposed", "the outer product is transposed: dZ^T X instead of X^T dZ",
         lambda _, __, dW: fitting(dW.T, dW.shape)),
        ("dW from the layer's own outputs", "dW was made from the layer's own outputs instead of its inputs",
         _from(lambda step, node: step.activation_of(node).Y)),
        ("dW from net inputs", "dW was made from the net input of the layer before, without its activation",
         _from(_before_activation)),
        ("dW from the network's inputs", "dW was made from the inputs of the network instead of those of the layer",
         _from(lambda step, node: step.start.batch.X if node is not step.dense[0] else node.X)),
        ("dW from the wrong layer", "dW was made from the inputs of the layer before",
         _from(lambda step, node: _other(step, node, -1).X)),
        ("dW without the slope", "dW was made with dY instead of delta, so without the slope", _with(_incoming)),
        ("dW with the next layer's delta", "dW was made with the delta of the next layer",
         _with(lambda step, node: _other(step, node, 1).dY)),
        ("dW averaged again", "dW was divided by the number of rows once more", lambda s, _, dW: dW / _rows(s)),
        ("dW summed", "dW is the sum over the rows without the 1/B of the mean", lambda s, _, dW: dW * _rows(s)),
        ("dW of the first row", "dW was made from the first row alone",
         lambda s, node, _: np.outer(node.X[0], node.dY[0]) if _rows(s) else None),
        ("dW of the last row", "dW was made from the last row alone",
         lambda s, node, _: np.outer(node.X[-1], node.dY[-1]) if _rows(s) else None),
        ("dW of sums", "the rows were summed before the product instead of after it",
         lambda s, node, _: np.outer(node.X.sum(axis=0), node.dY.sum(axis=0)) if _rows(s) else None),
        ("dW of the wrong sign", "dW has the wrong sign", lambda _, __, dW: -dW),
        ("dW is zero", "dW was left at zero", lambda _, __, dW: 0 * dW),
        ("dW without the inputs", "dW is delta alone: the factor of the inputs is missing",
         lambda _, node, dW: np.broadcast_to(node.dY.sum(axis=0), dW.shape)),
    )
)  # fmt: skip

# ---- biases ---------------------------------------------------------------------------------------------------------


def _sum_of(delta: Callable[[Variant, Node], Array]) -> Change:
    return lambda step, node, db: fitting(delta(step, node).sum(axis=0), db.shape)


BIASES = tuple(
    Mistake(name, says, _DB, {"db": change})
    for name, says, change in (
        ("db not summed", "delta was not summed over the rows for b", lambda s, node, _: node.dY if _rows(s) else None),
        ("db averaged again", "delta was averaged over the rows for b, not summed", lambda s, _, db: db / _rows(s)),
        ("db summed", "db is the sum over the rows without the 1/B of the mean", lambda s, _, db: db * _rows(s)),
        ("db without the slope", "db was made with dY instead of delta, so without the slope", _sum_of(_incoming)),
        ("db forgotten", "db was left at zero: the bias has no gradient", lambda _, __, db: 0 * db),
        ("db with the next layer's delta", "db was made with the delta of the next layer",
         _sum_of(lambda step, node: _other(step, node, 1).dY)),
        ("db with the delta of the layer before", "db was made with the delta of the layer before",
         lambda step, node, db: fitting(_delta_before(step, node).sum(axis=0), db.shape)),
        ("db summed over everything", "delta was summed over rows and units for b",
         lambda _, node, db: np.full_like(db, node.dY.sum())),
        ("db averaged over features", "delta was averaged over the units instead of summed over the rows",
         lambda _, node, __: node.dY.mean(axis=1)),
        ("db summed over features", "delta was summed over the units instead of the rows",
         lambda _, node, __: node.dY.sum(axis=1)),
        ("db of the first row", "db was made from the first row alone", lambda s, n, _: n.dY[0] if _rows(s) else None),
        ("db of the last row", "db was made from the last row alone", lambda s, n, _: n.dY[-1] if _rows(s) else None),
        ("db of the wrong sign", "db has the wrong sign", lambda _, __, db: -db),
        ("db times b", "db was multiplied by the bias, as if its input were b and not 1",
         lambda _, n, db: db * n.params["b"]),
    )
)  # fmt: skip


def _delta_before(step: Variant, node: Node) -> Array:
    """The delta of the layer before, as a right pass has it: the one at hand has not come so far."""
    before = step.activation_of(_other(step, node, -1))
    if before.Y is not node.X:
        raise InapplicableError
    f, dY = before.layer.f, node.dY @ node.params["W"].T  # type: ignore[attr-defined] # an Activation
    return f.backward(before.X, before.Y, dY)


# ---- handed back ----------------------------------------------------------------------------------------------------


def _through(weights: Callable[[Variant, Node], Array]) -> Change:
    """DX by way of other weights."""
    return lambda step, node, _: node.dY @ fitting(weights(step, node), node.params["W"].shape).T


def _updated(step: Variant, node: Node) -> Array:
    if step.start.optimizer is None:
        raise InapplicableError
    return step.updated(f"{node.name}.W", node.grads["W"])


def _transposed(_: Variant, node: Node) -> Array:
    return node.params["W"].T


BACK = tuple(
    Mistake(name, says, _DX, {"dX": change})
    for name, says, change in (
        ("W transposed on the way back", "W was used in place of W^T on the way back", _through(_transposed)),
        ("weights already updated", "the gradient was handed back through weights that had been updated already",
         _through(_updated)),
        ("slope not handed back", "dY instead of delta was handed back, so without this layer's slope",
         lambda step, node, _: _incoming(step, node) @ node.params["W"].T),
        ("error not handed through", "each layer got the error of the outputs, not what the next layer hands back",
         lambda step, _, dX: fitting(step.last.dY, dX.shape)),
        ("weights left out", "delta was handed back without the weights",
         lambda _, node, dX: fitting(node.dY, dX.shape)),
        ("averaged again on the way back", "it was divided by the number of rows once more on the way back",
         lambda s, _, dX: dX / _rows(s)),
        ("weights of the layer before", "the gradient was handed back through the weights of the layer before",
         _through(lambda step, node: _other(step, node, -1).params["W"])),
        ("sign on the way back", "the sign was changed on the way back", lambda _, __, dX: -dX),
        ("weights not signed", "the absolute weights were used on the way back",
         _through(lambda _, node: np.abs(node.params["W"]))),
        ("dX from dW", "the gradient of the weights was used in place of the weights on the way back",
         _through(lambda _, node: node.grads["W"])),
        ("weights summed over the outputs", "the deltas of the outputs were summed before the weights were multiplied",
         lambda _, n, __: n.dY.sum(axis=1, keepdims=True) * n.params["W"].sum(axis=1)),
    )
)  # fmt: skip

PRODUCTS = (*WEIGHTS, *BIASES, *BACK)
