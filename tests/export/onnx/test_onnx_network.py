"""Networks in onnxruntime beside ours: every layer and activation, and random networks of them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.export.onnx.running import run

import chainrule as cr
from chainrule import activations
from chainrule.activations import ELU, AnyActivation, LeakyReLU
from chainrule.export.onnx import activations as exported_activations
from chainrule.layers import AnyLayer

I = 5
FUNCTIONS = [*(kind() for kind in get_args(AnyActivation)), LeakyReLU(1.5), LeakyReLU(0.0), ELU(0.3)]
LAYERS = {
    cr.Dense: cr.Dense(I, "tanh", bias=False),
    cr.Dropout: cr.Dropout(0.5),
    cr.BatchNorm: cr.BatchNorm(epsilon=0.1),
    cr.LayerNorm: cr.LayerNorm(epsilon=0.1),
    cr.Activation: cr.Activation("silu"),
    cr.Residual: cr.Residual((cr.LayerNorm(), cr.Dense(I, "relu"), cr.Residual((cr.Dense(I),)))),
}


def filled(network, seed=0):
    """The network with other numbers in all its parameters, variances positive."""
    rng = np.random.default_rng(seed)
    for name, values in network.parameters.items():
        drawn = rng.normal(size=values.shape)
        network.parameters[name] = np.abs(drawn) + 0.1 if name.endswith("variance") else drawn
    return network


def check_same(network, X, folder):
    told = network.export(Path(folder) / "net.onnx")
    theirs, ours = run(told.files[0], {"X": X})["Y"], network.forward(X)
    assert theirs.dtype == ours.dtype
    rounding = 1e-4 if network.dtype == "float32" else 1e-12
    largest = np.abs(ours[np.isfinite(ours)]).max(initial=1)
    np.testing.assert_allclose(theirs, ours, rtol=rounding, atol=rounding * largest)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("f", FUNCTIONS, ids=repr)
def test_every_activation(f, dtype, tmp_path):
    net = filled(cr.Network([cr.Dense(6, f)], "mean_squared_error", n_inputs=I, dtype=dtype))
    X = (
        np.random.default_rng(1).normal(size=(50, I)) * np.tile([0.01, 1, 20, 0, 3], 10)[:, None]
    )  # wide: where exp overflows
    check_same(net, X.astype(dtype), tmp_path)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", get_args(AnyLayer), ids=lambda kind: kind.__name__)
def test_every_layer(kind, dtype, tmp_path):
    net = filled(cr.Network([LAYERS[kind]], "mean_squared_error", n_inputs=I, dtype=dtype))
    check_same(net, np.random.default_rng(1).normal(size=(7, I)).astype(dtype), tmp_path)


def layers(width):
    function = st.sampled_from(FUNCTIONS)
    keeping = st.one_of(
        st.builds(cr.Dropout, st.floats(0, 0.9)),
        st.builds(cr.BatchNorm),
        st.builds(cr.LayerNorm),
        st.builds(cr.Activation, function),
        st.builds(cr.Dense, st.just(width), function, bias=st.booleans()),
    )
    return st.one_of(keeping, st.lists(keeping, min_size=1, max_size=3).map(lambda inside: cr.Residual(tuple(inside))))


@st.composite
def networks(draw):
    inputs, dtype, seed = (
        draw(st.integers(1, 6)),
        draw(st.sampled_from(["float32", "float64"])),
        draw(st.integers(0, 99)),
    )
    width, stack = inputs, []
    for _ in range(draw(st.integers(1, 5))):
        stack.append(draw(layers(width)))
        if draw(st.booleans()):
            width = draw(st.integers(1, 9))
            stack.append(cr.Dense(width, draw(st.sampled_from(FUNCTIONS))))
    return cr.Network(stack, "mean_squared_error", n_inputs=inputs, seed=seed, dtype=dtype)


@pytest.mark.slow
@given(networks(), st.integers(1, 20))
@settings(max_examples=150, deadline=None)
def test_random_networks(net, rows):
    X = np.random.default_rng(rows).normal(size=(rows, net.input_shape[0])).astype(net.dtype)
    with tempfile.TemporaryDirectory() as folder:
        check_same(net, X, folder)


def test_the_file_is_of_the_versions_promised_and_keeps_the_names(tmp_path):
    net = cr.Network([cr.Dense(3, "tanh"), cr.Residual((cr.Dense(3),)), cr.Dense(2, "softmax")])
    net.fit(np.eye(4), ["no", "yes", "no", "yes"], epochs=1)
    net.export(tmp_path / "my net.onnx")
    model = onnx.load(tmp_path / "my net.onnx")
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 17)]
    assert model.ir_version <= 10
    assert model.graph.name == "my_net"
    assert {each.name for each in model.graph.initializer} == set(net.parameters)
    assert "residual_1.dense_1/Gemm" in {node.name for node in model.graph.node}
    assert [each.value for each in model.metadata_props if each.key == "classes"] == [
        json.dumps(["no", "yes"], separators=(",", ":"))
    ]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_a_wrong_graph_is_caught_and_writes_nothing(tmp_path, monkeypatch):
    wrong = dict(exported_activations._EXACT, tanh="Sigmoid")
    monkeypatch.setattr(exported_activations, "_EXACT", wrong)
    net = cr.Network([cr.Dense(3, "tanh")], "huber", n_inputs=2)
    with pytest.raises(cr.ExportError, match=r"the outputs differ by .*, rounding explains"):
        net.export(tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("operator", ["Nonsense", "Det"])
def test_a_graph_that_is_not_valid_is_caught(operator, tmp_path, monkeypatch):
    monkeypatch.setattr(exported_activations, "_EXACT", {"tanh": operator})
    with pytest.raises(cr.ExportError, match=r"onnx\.checker"):
        cr.Network([cr.Dense(3, "tanh")], "huber", n_inputs=2).export(tmp_path / "net.onnx")


def test_what_has_no_words_in_onnx_is_named(tmp_path):
    class Sine(activations.ActivationFunction, frozen=True, tag="sine"):
        def value(self, Z):
            return np.sin(Z)

    class Reversed(cr.Dropout, frozen=True, tag="reversed"):
        pass

    net = cr.Network([cr.Residual((cr.Dense(2, Sine()),))], "huber", n_inputs=2)
    with pytest.raises(
        cr.ArgumentError, match=r"the activation sine of residual_1\.dense_1 cannot be exported to ONNX"
    ):
        net.export(tmp_path / "net.onnx")
    net = cr.Network([cr.Dense(2), Reversed(0.5)], "huber", n_inputs=2)
    with pytest.raises(cr.ArgumentError, match="the layer reversed_1 cannot be exported to ONNX"):
        net.export(tmp_path / "net.onnx")


def test_the_rows_given_are_compared(tmp_path):
    net = cr.Network([cr.Dense(3, "tanh")], "huber", n_inputs=2)
    assert "of 3 given and 1,000 random rows" in str(net.export(tmp_path / "net.onnx", data=[[1, 2], [3, 4], [5, 6]]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outputs_too_large_for_the_type_are_the_same_there(dtype, tmp_path):
    net = cr.Network([cr.Activation("exp"), cr.Activation("exp")], "mean_squared_error", n_inputs=1, dtype=dtype)
    X = np.array([[0.0], [1.0], [10.0]], dtype=dtype)  # exp(exp(10)) is infinite
    told = net.export(tmp_path / "net.onnx", data=X)
    assert run(told.files[0], {"X": X})["Y"][2, 0] == np.inf == net.forward(X)[2, 0]
