"""Layers made of layers: names, order, shapes, shortcut, state and streams; what the contract asks of every layer."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from chainrule.errors import ArgumentError, ShapeError
from chainrule.layers import (
    PREDICTION,
    Activation,
    AnyLayer,
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    Mode,
    Residual,
    Sequence,
)
from chainrule.parameters import Layout

NESTED = Sequence(
    (
        Dense(3),
        Dropout(0.1),
        Residual((Dense(4), BatchNorm(), Residual((LayerNorm(), Dense(4))), Dense(3, bias=False))),
        Dense(2, "softmax"),
    )
)


def test_names_and_order():
    assert [p.name for p in NESTED.parameters((5,))] == [
        "dense_1.W",
        "dense_1.b",
        "residual_1.dense_1.W",
        "residual_1.dense_1.b",
        "residual_1.batch_norm_1.gamma",
        "residual_1.batch_norm_1.beta",
        "residual_1.batch_norm_1.mean",
        "residual_1.batch_norm_1.variance",
        "residual_1.residual_1.layer_norm_1.gamma",
        "residual_1.residual_1.layer_norm_1.beta",
        "residual_1.residual_1.dense_1.W",
        "residual_1.residual_1.dense_1.b",
        "residual_1.dense_2.W",
        "dense_2.W",
        "dense_2.b",
    ]


def test_paths_lead_to_the_layers():
    paths = {p.name: p.path for p in NESTED.parameters((5,))}
    assert paths["dense_1.W"] == (0, "W")
    assert paths["residual_1.residual_1.dense_1.b"] == (2, 2, 1, "b")
    assert paths["dense_2.b"] == (3, "b")


def test_shapes_are_handed_on():
    shapes = {p.name: p.shape for p in NESTED.parameters((5,))}
    assert shapes["dense_1.W"] == (5, 3)
    assert shapes["residual_1.dense_1.W"] == (3, 4)
    assert shapes["residual_1.dense_2.W"] == (4, 3)
    assert shapes["dense_2.W"] == (3, 2)
    assert NESTED.output_shape((5,)) == (2,)


def test_residual_by_hand():
    layer = Residual((Dense(2, "relu"),))
    params = {0: {"W": np.array([[1.0, 0.0], [1.0, -1.0]]), "b": np.array([0.0, 1.0])}}
    X, dY = np.array([[1.0, 2.0]]), np.array([[10.0, 100.0]])
    Y, saved = layer.forward(params, X, PREDICTION)  # F(X) is relu([3, -1])
    np.testing.assert_array_equal(Y, [[4, 2]])
    dX, grads = layer.backward(params, saved, dY)  # dZ is [10, 0]
    np.testing.assert_array_equal(dX, [[10 + 10, 100 + 10]])
    np.testing.assert_array_equal(grads[0]["W"], [[10, 0], [20, 0]])


def test_residual_in_residual_by_hand():
    """Y = (X + X a) + ... with one unit each: X + a X + b (X + a X)... every path adds its product."""
    a, b = 0.5, 3.0
    layer = Residual((Residual((Dense(1, bias=False),)), Dense(1, bias=False)))
    params = {0: {0: {"W": np.array([[a]])}}, 1: {"W": np.array([[b]])}}
    X = np.array([[2.0]])
    Y, saved = layer.forward(params, X, PREDICTION)
    assert Y[0, 0] == 2 + b * (2 + a * 2)
    dX, grads = layer.backward(params, saved, np.ones((1, 1)))
    assert dX[0, 0] == 1 + b * (1 + a)
    assert grads[0][0]["W"][0, 0] == b * 2
    assert grads[1]["W"][0, 0] == 2 + a * 2


def test_sequence_of_nothing_changes_nothing():
    X = np.ones((2, 3))
    Y, saved = Sequence(()).forward({}, X, PREDICTION)
    assert Y is X
    assert Sequence(()).backward({}, saved, X) == (X, {})


def test_the_first_layer_is_asked_for_dx_only_when_wanted(monkeypatch):
    asked = []
    right = Dense.backward

    def watched(self, params, saved, dY, *, want_dX=True):
        asked.append(want_dX)
        return right(self, params, saved, dY, want_dX=want_dX)

    monkeypatch.setattr(Dense, "backward", watched)
    layers = Sequence((Residual((Dense(2), Dense(2))), Dense(2)))
    layout = Layout(layers.parameters((2,)))
    params, X = layout.split(np.ones(layout.size)), np.ones((1, 2))
    _, saved = layers.forward(params, X, PREDICTION)
    assert layers.backward(params, saved, X, want_dX=False)[0] is None
    assert asked == [True, True, False]
    assert layers.backward(params, saved, X, want_dX=True)[0] is not None
    assert asked[3:] == [True, True, True]


def test_the_state_of_every_batch_norm_inside_is_found():
    layers = Sequence((BatchNorm(), Dense(2), Residual((Dense(2), BatchNorm())), LayerNorm()))
    layout = Layout(layers.parameters((2,)))
    params = layout.split(np.ones(layout.size))
    _, saved = layers.forward(params, np.array([[1.0, 2.0], [2.0, 5.0]]), Mode(training=True))
    state = layers.new_state(params, saved)
    assert set(state) == {0, 2}
    assert set(state[2]) == {1}
    np.testing.assert_allclose(state[0]["mean"], [0.9 + 0.15, 0.9 + 0.35])


def test_a_layer_need_not_be_in_a_list():
    assert Residual(Dense(3)) == Residual([Dense(3)]) == Residual((Dense(3),))


def test_records_survive_json():
    for layer in NESTED.layers:
        assert msgspec.json.decode(msgspec.json.encode(layer), type=AnyLayer) == layer


def test_errors():
    with pytest.raises(
        ArgumentError, match=r"^residual: layers: expected layers such as Dense\(10, 'relu'\), got 'relu'"
    ):
        Residual((Dense(3), "relu"))
    with pytest.raises(ArgumentError, match=r"^sequence: layers: expected layers"):
        Sequence((Dense,))
    with pytest.raises(
        ShapeError, match=r"^residual: layers inside: expected .* \(3,\), got \(4,\). End with a layer of 3 units"
    ):
        Sequence((Dense(3), Residual((Dense(4, "relu"),)))).output_shape((2,))


@pytest.mark.parametrize(
    "layer", [Dense(3), Activation("softmax"), Dropout(0.5), BatchNorm(), LayerNorm(), Residual((Dense(3),))], ids=repr
)
def test_the_contract(layer):
    """Shapes, names and purity: what `interface.py` says of every layer."""
    layout = Layout(Sequence((layer,)).parameters((3,)))
    theta = np.random.default_rng(0).uniform(0.5, 1, layout.size)
    params, X = layout.split(theta).get(0, {}), np.random.default_rng(1).normal(size=(4, 3))
    before = theta.copy(), X.copy()
    mode = Mode(training=True, seed=2)
    Y, saved = layer.forward(params, X, mode)
    dX, grads = layer.backward(params, saved, np.ones_like(Y))
    assert Y.shape == (4, *layer.output_shape((3,)))
    assert dX.shape == X.shape
    joined = layout.join({0: grads}, theta)
    assert joined.shape == theta.shape
    again, _ = layer.forward(params, X, mode)
    np.testing.assert_array_equal(again, Y)
    np.testing.assert_array_equal(theta, before[0])
    np.testing.assert_array_equal(X, before[1])
    assert layer.kind == msgspec.to_builtins(layer)["layer"]
