"""Each activation as nodes: the operator of its name, or elementary ones.

The attributes of an operator are float32, and onnxruntime has some operators for float32 alone: in a float64 network
these are written out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from chainrule.activations import ELU, GELU, SELU, ActivationFunction, LeakyReLU, ScaledTanh, SiLU, Softplus
from chainrule.errors import ArgumentError
from chainrule.export.subject import OWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.export.onnx.graph import Graph


def activation(graph: Graph, f: ActivationFunction, Z: str, at: str) -> str:
    """``f(Z)``.

    Raises:
        ArgumentError: for an activation that has no words in ONNX; names the layer.
    """
    if f.name == "identity":
        return Z
    if f.name in _EXACT or (f.name in _FLOAT32 and graph.dtype == "float32"):
        operator = (_EXACT | _FLOAT32)[f.name]
        return graph.node(operator, Z, at=at, **_attributes(f))
    if f.name not in _WRITTEN_OUT:
        raise ArgumentError(f"the activation {f.name} of {at} cannot be exported to ONNX", where="export", mend=OWN)
    return _WRITTEN_OUT[f.name](graph, f, Z, at)


_EXACT = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "softmax": "Softmax", "exp": "Exp"}
_FLOAT32 = {"leaky_relu": "LeakyRelu", "elu": "Elu", "selu": "Selu", "softplus": "Softplus"}


def _attributes(f: ActivationFunction) -> dict[str, Any]:
    """The numbers of an operator."""
    if isinstance(f, LeakyReLU):
        return {"alpha": f.leak}
    if isinstance(f, ELU):
        return {"alpha": f.alpha}
    return {"alpha": f.alpha, "gamma": f.scale} if isinstance(f, SELU) else {}


def _scaled_tanh(graph: Graph, _f: ScaledTanh, Z: str, at: str) -> str:
    """1.7159 tanh(2/3 z)."""
    inner = graph.calculate("Mul", Z, 2 / 3, at=at)
    return graph.calculate("Mul", graph.node("Tanh", inner, at=at), 1.7159, at=at)


def _leaky_relu(graph: Graph, f: LeakyReLU, Z: str, at: str) -> str:
    """Z for z > 0, else a z."""
    return _where_positive(graph, Z, Z, graph.calculate("Mul", Z, f.leak, at=at), at)


def _elu(graph: Graph, f: ELU, Z: str, at: str) -> str:
    """Z for z > 0, else a (exp(z) - 1)."""
    return _where_positive(graph, Z, Z, _exponential(graph, Z, f.alpha, at), at)


def _selu(graph: Graph, f: SELU, Z: str, at: str) -> str:
    """S z for z > 0, else s a (exp(z) - 1)."""
    scaled = graph.calculate("Mul", Z, f.scale, at=at)
    return _where_positive(graph, Z, scaled, _exponential(graph, Z, f.scale * f.alpha, at), at)


def _exponential(graph: Graph, Z: str, factor: float, at: str) -> str:
    """``factor * (exp(min(z, 0)) - 1)``: what is chosen against never overflows."""
    E = graph.node("Exp", graph.calculate("Min", Z, 0.0, at=at), at=at)
    return graph.calculate("Mul", graph.calculate("Sub", E, 1.0, at=at), factor, at=at)


def _where_positive(graph: Graph, Z: str, yes: str, no: str, at: str) -> str:
    """One value where z > 0, the other elsewhere."""
    return graph.node("Where", graph.calculate("Greater", Z, 0.0, at=at), yes, no, at=at)


def _gelu(graph: Graph, _f: GELU, Z: str, at: str) -> str:
    """z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))): opset 17 has no operator for it."""
    cube = graph.node("Mul", graph.node("Mul", Z, Z, at=at), Z, at=at)
    inner = graph.node("Add", Z, graph.calculate("Mul", cube, 0.044715, at=at), at=at)
    t = graph.node("Tanh", graph.calculate("Mul", inner, math.sqrt(2 / math.pi), at=at), at=at)
    return graph.node("Mul", graph.calculate("Mul", Z, 0.5, at=at), graph.calculate("Add", t, 1.0, at=at), at=at)


def _silu(graph: Graph, _f: SiLU, Z: str, at: str) -> str:
    """Z sigmoid(z)."""
    return graph.node("Mul", Z, graph.node("Sigmoid", Z, at=at), at=at)


def _softplus(graph: Graph, _f: Softplus, Z: str, at: str) -> str:
    """max(z, 0) + log(1 + exp(-|z|)), which does not overflow."""
    small = graph.node("Exp", graph.node("Neg", graph.node("Abs", Z, at=at), at=at), at=at)
    logarithm = graph.node("Log", graph.calculate("Add", small, 1.0, at=at), at=at)
    return graph.node("Add", graph.node("Relu", Z, at=at), logarithm, at=at)


_WRITTEN_OUT: dict[str, Callable[..., str]] = {
    "scaled_tanh": _scaled_tanh,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "gelu": _gelu,
    "silu": _silu,
    "softplus": _softplus,
}
