"""Layers that an ONNX graph writes out in single nodes: a branch that comes together again, known by its values.

Exporters write SiLU, GELU or layer norm in many ways. So the nodes are not compared with patterns: they are computed
for some numbers, and what gives the values of a layer at all of them is that layer.
"""

from __future__ import annotations

import math
from contextlib import suppress
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.activations import ELU, GELU, SELU, LeakyReLU, SiLU, Softplus
from chainrule.errors import InputError
from chainrule.layers import Activation, LayerNorm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from chainrule.activations import AnyActivation
    from chainrule.importing.steps import Numbers

_POINTS = np.linspace(-6, 6, 97)
_CLOSE = 1e-5  # constants are float32; the two forms of GELU are 4.7e-4 apart
_MOST_NODES = 16
_ROWS = 7
_WIDEST = 1 << 16  # values of a row: a file may say any number

_erf = np.vectorize(math.erf, otypes=[float])
_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal,
    "Neg": np.negative,
    "Abs": np.abs,
    "Exp": np.exp,
    "Log": np.log,
    "Tanh": np.tanh,
    "Erf": _erf,
    "Relu": lambda z: np.maximum(z, 0),
    "Softplus": lambda z: np.logaddexp(z, 0),
    "Sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Where": np.where,
    "Min": lambda *values: reduce(np.minimum, values),
    "Max": lambda *values: reduce(np.maximum, values),
}
_OVER_ROWS: dict[str, Callable[..., Any]] = {"ReduceMean": np.mean, "ReduceSum": np.sum}


class Knot(NamedTuple):
    """Nodes that are one layer together.

    Attributes:
        nodes: all of them, in the order in which they can be computed.
        layer: what they are here.
        exact: whether that is what they compute; a GELU of the other form is not.
        numbers: the parameters of the layer.
    """

    nodes: tuple[Any, ...]
    layer: Activation | LayerNorm
    exact: bool = True
    numbers: Mapping[str, Numbers] = {}


def find_knot(
    at: str, takers: Mapping[str, Sequence[Any]], constants: Mapping[str, Numbers], width: int | None = None
) -> Knot | None:
    """The knot that begins where several nodes take the values `at`; None where there is none that is known.

    Args:
        at: the name of these values.
        takers: the nodes that take the values of a name.
        constants: the numbers of the graph by name.
        width: how many values a row has there; without it, no layer norm is known.
    """
    found = _search(at, _POINTS, takers, constants, _activation)
    if (
        found is None
        and width is not None
        and width <= _WIDEST
        and any(node.op_type in _OVER_ROWS for node in takers[at])
    ):
        rows = np.random.Generator(np.random.PCG64(0)).normal(size=(_ROWS, width)) * np.logspace(-3, 1, _ROWS)[:, None]
        return _search(at, rows, takers, constants, _layer_norm)
    return found


def _search(
    at: str,
    start: Numbers,
    takers: Mapping[str, Sequence[Any]],
    constants: Mapping[str, Numbers],
    known: Callable[[Numbers, Numbers, tuple[Any, ...]], Knot | None],
) -> Knot | None:
    """Compute node after node from `start` until the values of the last are known and nothing else is taken."""
    values: dict[str, Any] = {at: start}
    nodes: list[Any] = []
    with np.errstate(all="ignore"):
        while len(nodes) < _MOST_NODES:
            node = _next_node(values, takers, constants, nodes)
            if node is None:
                return None
            values[node.output[0]] = _compute(node, values, constants)
            nodes.append(node)
            knot = known(start, values[node.output[0]], tuple(nodes)) if _is_closed(values, takers, nodes) else None
            if knot is not None:
                return knot
    return None


def _compute(node: Any, values: Mapping[str, Any], constants: Mapping[str, Numbers]) -> Any:
    """The values of a node, in float64."""
    given = [values[name] if name in values else constants[name].astype(np.float64) for name in node.input if name]
    if node.op_type in _OVER_ROWS:
        return _OVER_ROWS[node.op_type](given[0], axis=-1, keepdims=True)
    return _ELEMENTWISE[node.op_type](*given)


def _next_node(
    values: Mapping[str, Any], takers: Mapping[str, Sequence[Any]], constants: Mapping[str, Numbers], taken: list[Any]
) -> Any | None:
    """A node that can be computed from these values and single numbers, and was not yet."""
    for name in values:
        for node in takers.get(name, ()):
            given = all(i in values or (i in constants and constants[i].size == 1) for i in node.input if i)
            able = node.op_type in _ELEMENTWISE or (
                node.op_type in _OVER_ROWS and values[name].ndim == 2 and _over_columns(node, constants)
            )
            if given and able and not any(node is other for other in taken):
                return node
    return None


def _is_closed(values: Mapping[str, Any], takers: Mapping[str, Sequence[Any]], nodes: list[Any]) -> bool:
    """Whether only the last of these values is taken by any node outside."""
    *inner, _ = values
    return all(any(node is known for known in nodes) for name in inner for node in takers.get(name, ()))


def _over_columns(node: Any, constants: Mapping[str, Numbers]) -> bool:
    """Whether a node that reduces does so over the values of each row, and keeps the axis."""
    given = {each.name: each for each in node.attribute}
    axes = list(given["axes"].ints) if "axes" in given else None
    if len(node.input) > 1 and node.input[1] in constants:
        axes = constants[node.input[1]].reshape(-1).tolist()
    return axes in ([-1], [1]) and ("keepdims" not in given or given["keepdims"].i == 1)


def _activation(Z: Numbers, Y: Numbers, nodes: tuple[Any, ...]) -> Knot | None:
    """The activation that gives Y for Z."""
    for f in _candidates(Z, Y):
        if np.allclose(Y, f.value(Z), atol=_CLOSE):
            return Knot(nodes, Activation(f))
    exact_gelu = Z * (1 + _erf(Z / math.sqrt(2))) / 2
    return Knot(nodes, Activation("gelu"), exact=False) if np.allclose(Y, exact_gelu, atol=_CLOSE) else None


def _candidates(Z: Numbers, Y: Numbers) -> Iterator[AnyActivation]:
    """What it may be; the numbers of those that have such are told by the first value, at the far left."""
    yield from (SiLU(), GELU(), Softplus(), SELU())
    with suppress(InputError):
        yield LeakyReLU(_rounded(Y[0] / Z[0]))
    with suppress(InputError):
        yield ELU(_rounded(Y[0] / np.expm1(Z[0])))


def _rounded(number: float) -> float:
    """Without the last digits, which the way it was computed makes."""
    return float(f"{number:.12g}")


def _layer_norm(X: Numbers, Y: Numbers, nodes: tuple[Any, ...]) -> Knot | None:
    """``(X - mean) / sqrt(variance + epsilon)``; gamma and beta, scalings behind it, are drawn into it later."""
    centred = X - X.mean(axis=-1, keepdims=True)
    variance = X.var(axis=-1, keepdims=True)
    if Y.shape != X.shape or not np.isfinite(Y).all():
        return None
    with np.errstate(all="ignore"):
        epsilon = np.median(centred[0] ** 2 / Y[0] ** 2) - variance[0, 0]  # told best by the row that varies least
    if not epsilon > 0 or not np.allclose(Y, centred / np.sqrt(variance + epsilon), atol=_CLOSE):
        return None
    width = X.shape[-1]
    numbers = {"gamma": np.ones(width), "beta": np.zeros(width)}
    return Knot(nodes, LayerNorm(epsilon=float(f"{epsilon:.6g}")), numbers=numbers)
