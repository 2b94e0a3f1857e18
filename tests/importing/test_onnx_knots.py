"""Activations that a graph writes out in single nodes."""

from __future__ import annotations

import numpy as np
import pytest
from tests.importing.graphs import FIRST, SIX, check_the_same, graph, node

import chainrule as cr

GELU_TANH = [  # z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))
    node("Pow", ["H", "three"], ["cube"]),
    node("Mul", ["cube", "a"], ["bent"]),
    node("Add", ["H", "bent"], ["sum"]),
    node("Mul", ["sum", "c"], ["u"]),
    node("Tanh", ["u"], ["t"]),
    node("Add", ["t", "one"], ["plus"]),
    node("Mul", ["H", "plus"], ["twice"]),
    node("Mul", ["twice", "half"], ["Y"]),
]
GELU_ERF = [  # z (1 + erf(z / sqrt(2))) / 2
    node("Div", ["H", "root"], ["d"]),
    node("Erf", ["d"], ["e"]),
    node("Add", ["e", "one"], ["plus"]),
    node("Mul", ["H", "half"], ["h"]),
    node("Mul", ["h", "plus"], ["Y"]),
]
SILU = [node("Sigmoid", ["H"], ["S"]), node("Mul", ["S", "H"], ["Y"])]
_SINGLE = {"three": 3, "a": 0.044715, "c": (2 / np.pi) ** 0.5, "one": 1, "half": 0.5, "root": 2**0.5}
NUMBERS = {name: np.float32(value) for name, value in _SINGLE.items()}


@pytest.mark.parametrize(("written", "activation"), [(SILU, "silu"), (GELU_TANH, "gelu")])
def test_an_activation_written_out_in_single_nodes(written, activation):
    net = check_the_same(graph([FIRST, *written], NUMBERS))
    assert net.layers[0].f.name == activation
    assert net.report.layers[1].name == f"{len(written)} nodes to Mul"


@pytest.mark.parametrize("opset", [17, 18])  # the axes of ReduceMean are an attribute, an input
@pytest.mark.parametrize("epsilon", [1e-5, 0.01])
def test_a_layer_norm_written_out_in_single_nodes(opset, epsilon):
    """As torch writes it before opset 17, and what is written for float64."""
    axes, more = ({"axes": [-1]}, []) if opset < 18 else ({}, ["last"])
    nodes = [
        node("ReduceMean", ["H", *more], ["m"], **axes),
        node("Sub", ["H", "m"], ["c"]),
        node("Pow", ["c", "two"], ["s"]),
        node("ReduceMean", ["s", *more], ["v"], **axes),
        node("Add", ["v", "eps"], ["w"]),
        node("Sqrt", ["w"], ["r"]),
        node("Div", ["c", "r"], ["n"]),
        node("Mul", ["n", "gamma"], ["g"]),
        node("Add", ["g", "beta"], ["Y"]),
    ]
    numbers = {"two": np.float32(2), "eps": np.float32(epsilon), "last": np.array([-1])}
    net = check_the_same(graph([FIRST, *nodes], numbers, opset=opset))
    norm = net.layers[1]
    assert isinstance(norm, cr.LayerNorm)
    assert norm.epsilon == pytest.approx(epsilon, rel=1e-5)
    assert np.allclose(net.parameters["layer_norm_1.gamma"], SIX["gamma"])
    over_rows = [node("ReduceMean", ["H", *more], ["m"], **({"axes": [0]} if axes else {})), *nodes[1:]]
    with pytest.raises(cr.ArgumentError, match="it branches: ReduceMean, Sub all take 'H'"):
        cr.from_onnx(graph([FIRST, *over_rows], numbers | {"last": np.array([0])}, opset=opset))


@pytest.mark.parametrize(("slope", "activation"), [(0.25, "leaky_relu"), (-0.25, None)])
def test_a_slope_written_out_is_found(slope, activation):
    nodes = [
        FIRST,
        node("Greater", ["H", "zero"], ["more"]),
        node("Mul", ["H", "slope"], ["low"]),
        node("Where", ["more", "H", "low"], ["Y"]),
    ]
    model = graph(nodes, {"zero": np.float32(0), "slope": np.float32(slope)})
    if activation is None:
        with pytest.raises(cr.ArgumentError, match="it branches"):
            cr.from_onnx(model)
        return
    assert check_the_same(model).layers[0].f == cr.activations.LeakyReLU(slope)


def test_the_other_gelu_written_out_in_single_nodes():
    model = graph([FIRST, *GELU_ERF], NUMBERS)
    with pytest.raises(cr.ArgumentError, match="approximate_gelu=True"):
        cr.from_onnx(model)
    net = cr.from_onnx(model, approximate_gelu=True)
    assert 1e-5 < net.report.difference < 5e-4
    assert net.layers[0].f.name == "gelu"


@pytest.mark.parametrize("change", ["a", "c", "one", "half"])
def test_what_is_nearly_a_gelu_is_none(change):
    numbers = NUMBERS | {change: np.float32(1.01) * NUMBERS[change]}
    with pytest.raises(cr.ArgumentError, match="it branches: Pow, Add, Mul all take 'H'"):
        cr.from_onnx(graph([FIRST, *GELU_TANH], numbers))


def test_an_activation_of_which_something_else_takes_a_part():
    nodes = [FIRST, *SILU[:1], node("Mul", ["S", "H"], ["T"]), node("Add", ["T", "S"], ["Y"])]
    with pytest.raises(cr.ArgumentError, match="it branches: Sigmoid, Mul all take 'H'"):
        cr.from_onnx(graph(nodes))
