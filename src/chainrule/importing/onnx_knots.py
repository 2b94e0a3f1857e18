"""Activations that an ONNX graph writes out in single nodes: a branch that comes together again, known by its values.

Exporters write SiLU and GELU in many ways. So the nodes are not compared with patterns: they are computed for some
numbers, and what gives the values of an activation at all of them is that activation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.activations import GELU, SiLU
from chainrule.layers import Activation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chainrule.importing.steps import Numbers

_POINTS = np.linspace(-6, 6, 97)
_CLOSE = 1e-5  # constants are float32; the two forms of GELU are 4.7e-4 apart
_MOST_NODES = 16

_erf = np.vectorize(math.erf, otypes=[float])
_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Tanh": np.tanh,
    "Erf": _erf,
    "Sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}


class Knot(NamedTuple):
    """Nodes that are one activation together.

    Attributes:
        nodes: all of them, in the order in which they can be computed.
        activation: what they are here.
        exact: whether that is what they compute; a GELU of the other form is not.
    """

    nodes: tuple[Any, ...]
    activation: Activation
    exact: bool = True


def find_knot(at: str, takers: Mapping[str, Sequence[Any]], constants: Mapping[str, Numbers]) -> Knot | None:
    """The knot that begins where several nodes take the values `at`; None where there is none that is known.

    Args:
        at: the name of these values.
        takers: the nodes that take the values of a name.
        constants: the numbers of the graph by name.
    """
    values: dict[str, Any] = {at: _POINTS}
    nodes: list[Any] = []
    with np.errstate(all="ignore"):
        while len(nodes) < _MOST_NODES:
            node = _next_node(values, takers, constants, nodes)
            if node is None:
                return None
            values[node.output[0]] = _ELEMENTWISE[node.op_type](
                *(values[name] if name in values else constants[name].astype(np.float64) for name in node.input)
            )
            nodes.append(node)
            knot = _known(values[node.output[0]], tuple(nodes)) if _is_closed(values, takers, nodes) else None
            if knot is not None:
                return knot
    return None


def _next_node(
    values: Mapping[str, Any], takers: Mapping[str, Sequence[Any]], constants: Mapping[str, Numbers], taken: list[Any]
) -> Any | None:
    """A node that can be computed from these values and single numbers, and was not yet."""
    for name in values:
        for node in takers.get(name, ()):
            known = all(i in values or (i in constants and constants[i].size == 1) for i in node.input)
            if known and node.op_type in _ELEMENTWISE and not any(node is other for other in taken):
                return node
    return None


def _is_closed(values: Mapping[str, Any], takers: Mapping[str, Sequence[Any]], nodes: list[Any]) -> bool:
    """Whether only the last of these values is taken by any node outside."""
    *inner, _ = values
    return all(any(node is known for known in nodes) for name in inner for node in takers.get(name, ()))


def _known(Y: Numbers, nodes: tuple[Any, ...]) -> Knot | None:
    exact_gelu = _POINTS * (1 + _erf(_POINTS / math.sqrt(2))) / 2
    if np.allclose(Y, SiLU().value(_POINTS), atol=_CLOSE):
        return Knot(nodes, Activation("silu"))
    if np.allclose(Y, GELU().value(_POINTS), atol=_CLOSE):
        return Knot(nodes, Activation("gelu"))
    return Knot(nodes, Activation("gelu"), exact=False) if np.allclose(Y, exact_gelu, atol=_CLOSE) else None
