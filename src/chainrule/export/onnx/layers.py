"""Each layer as nodes.

Attributes of ONNX operators are float32, and onnxruntime has some operators for float32 alone. So a float64 network is
written out in elementary operators wherever one of the two would cost digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.export.onnx.activations import activation
from chainrule.export.subject import OWN
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm, Residual, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.export.onnx.graph import Graph
    from chainrule.layers import Layer, Params, Shape
    from chainrule.layers.composite import Composite


def network(graph: Graph, layers: Sequence, params: Params, shape: Shape, X: str) -> str:
    """The outputs ``Y (N, O)`` of the layers for inputs ``X (N, I)``.

    Raises:
        ArgumentError: for a layer that has no words in ONNX; names it.
    """
    return _each(graph, layers, params, shape, X, "")


def _each(graph: Graph, composite: Composite, params: Params, shape: Shape, X: str, at: str) -> str:
    """The layers inside, one after the other; `at` names what they are inside of, with a dot behind it."""
    for index, (name, layer, inside) in enumerate(composite.named(shape)):
        write = _LAYERS.get(type(layer))
        if write is None:
            raise ArgumentError(f"the layer {at}{name} cannot be exported to ONNX", where="export", mend=OWN)
        X = write(graph, layer, params.get(index, {}), inside, X, f"{at}{name}")
    return X


def _dense(graph: Graph, layer: Dense, params: Params, _shape: Shape, X: str, at: str) -> str:
    """``Y = f(X W + b)``.

    Without b it is a Gemm too: a factor behind a MatMul is drawn into it by onnxruntime 1.31, as a float32.
    """
    values = [graph.constant(f"{at}.{name}", params[name]) for name in ("W", "b") if name in params]
    return activation(graph, layer.f, graph.node("Gemm", X, *values, at=at), at)


def _activation(graph: Graph, layer: Activation, _params: Params, _shape: Shape, X: str, at: str) -> str:
    return activation(graph, layer.f, X, at)


def _dropout(_graph: Graph, _layer: Dropout, _params: Params, _shape: Shape, X: str, _at: str) -> str:
    """In prediction it changes nothing."""
    return X


def _residual(graph: Graph, layer: Residual, params: Params, shape: Shape, X: str, at: str) -> str:
    """``Y = X + F(X)``."""
    return graph.node("Add", X, _each(graph, layer, params, shape, X, f"{at}."), at=at)


def _batch_norm(graph: Graph, layer: BatchNorm, params: Params, _shape: Shape, X: str, at: str) -> str:
    """``Y = gamma * (X - mean) / sqrt(variance + epsilon) + beta``, all of them fixed."""
    names = ("gamma", "beta", "mean", "variance")
    if graph.dtype == "float32":
        values = [graph.constant(f"{at}.{name}", params[name]) for name in names]
        return graph.node("BatchNormalization", X, *values, at=at, epsilon=layer.epsilon)
    std = graph.constant(f"{at}.std", np.sqrt(params["variance"] + layer.epsilon))
    H = graph.node("Sub", X, graph.constant(f"{at}.mean", params["mean"]), at=at)
    return _scaled(graph, graph.node("Div", H, std, at=at), params, at)


def _layer_norm(graph: Graph, layer: LayerNorm, params: Params, shape: Shape, X: str, at: str) -> str:
    """``Y = gamma * (X - mean) / sqrt(variance + epsilon) + beta``, mean and variance those of the row."""
    if graph.dtype == "float32":
        values = [graph.constant(f"{at}.{name}", params[name]) for name in ("gamma", "beta")]
        return graph.node("LayerNormalization", X, *values, at=at, axis=-1, epsilon=layer.epsilon)
    axis = graph.constant(f"{at}/axis", [1], np.int64)

    def mean(value: str) -> str:
        return graph.calculate("Div", graph.node("ReduceSum", value, axis, at=at), float(shape[0]), at=at)

    centred = graph.node("Sub", X, mean(X), at=at)
    variance = mean(graph.node("Mul", centred, centred, at=at))
    std = graph.node("Sqrt", graph.calculate("Add", variance, layer.epsilon, at=at), at=at)
    return _scaled(graph, graph.node("Div", centred, std, at=at), params, at)


def _scaled(graph: Graph, H: str, params: Params, at: str) -> str:
    """``gamma * H + beta``."""
    scaled = graph.node("Mul", H, graph.constant(f"{at}.gamma", params["gamma"]), at=at)
    return graph.node("Add", scaled, graph.constant(f"{at}.beta", params["beta"]), at=at)


_LAYERS: dict[type[Layer], Callable[..., str]] = {
    Dense: _dense,
    Activation: _activation,
    Dropout: _dropout,
    Residual: _residual,
    BatchNorm: _batch_norm,
    LayerNorm: _layer_norm,
}
