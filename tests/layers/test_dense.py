"""The dense layer: small cases by hand, names and order of its parameters, what `frozen` does, its errors."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from chainrule import activations, initializers
from chainrule.errors import ArgumentError, ShapeError
from chainrule.layers import PREDICTION, AnyLayer, Dense, Mode

X = np.array([[1.0, 2.0], [3.0, -1.0]])
PARAMS = {"W": np.array([[1.0, 0.0, -1.0], [0.5, 2.0, 1.0]]), "b": np.array([0.5, -1.0, 0.0])}
DY = np.array([[1.0, -1.0, 2.0], [0.5, 1.0, 0.0]])


def test_forward_by_hand():
    Y, saved = Dense(3, "relu").forward(PARAMS, X, PREDICTION)
    np.testing.assert_array_equal(saved.Z, [[2.5, 3, 1], [3, -3, -4]])
    np.testing.assert_array_equal(Y, [[2.5, 3, 1], [3, 0, 0]])
    np.testing.assert_array_equal(saved.X, X)
    assert saved.Y is Y


def test_backward_by_hand():
    layer = Dense(3, "relu")
    _, saved = layer.forward(PARAMS, X, PREDICTION)
    dX, grads = layer.backward(PARAMS, saved, DY)
    # dZ is [[1, -1, 2], [.5, 0, 0]]: the second unit and the third are off in the second row
    np.testing.assert_array_equal(grads["W"], [[2.5, -1, 2], [1.5, -2, 4]])
    np.testing.assert_array_equal(grads["b"], [1.5, -1, 2])
    np.testing.assert_array_equal(dX, [[-1, 0.5], [0.5, 0.25]])


def test_without_bias():
    layer = Dense(3, bias=False)
    Y, saved = layer.forward({"W": PARAMS["W"]}, X, PREDICTION)
    np.testing.assert_array_equal(Y, [[2, 4, 1], [2.5, -2, -4]])
    _, grads = layer.backward({"W": PARAMS["W"]}, saved, DY)
    assert set(grads) == {"W"}
    assert [p.name for p in layer.parameters((2,))] == ["W"]


def test_dx_only_when_wanted():
    layer = Dense(3)
    _, saved = layer.forward(PARAMS, X, PREDICTION)
    dX, grads = layer.backward(PARAMS, saved, DY, want_dX=False)
    assert dX is None
    assert set(grads) == {"W", "b"}


@pytest.mark.parametrize(
    ("frozen", "trained"), [("b", ["W"]), (("W",), ["b"]), (["b", "W"], []), ((), ["W", "b"])], ids=str
)
def test_frozen(frozen, trained):
    layer = Dense(3, "tanh", frozen=frozen)
    _, saved = layer.forward(PARAMS, X, PREDICTION)
    dX, grads = layer.backward(PARAMS, saved, DY)
    free_dX, free = Dense(3, "tanh").backward(PARAMS, saved, DY)
    assert list(grads) == trained
    for name in trained:
        np.testing.assert_array_equal(grads[name], free[name])
    np.testing.assert_array_equal(dX, free_dX)
    assert [p.name for p in layer.parameters((2,)) if p.trainable] == trained


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", activations.names())
def test_number_types_stay_and_arguments_are_left_alone(name, dtype):
    layer = Dense(3, name)
    params = {key: value.astype(dtype) for key, value in PARAMS.items()}
    given, dY = X.astype(dtype), DY.astype(dtype)
    Y, saved = layer.forward(params, given, Mode(training=True))
    dX, grads = layer.backward(params, saved, dY)
    assert {Y.dtype, dX.dtype, grads["W"].dtype, grads["b"].dtype} == {np.dtype(dtype)}
    np.testing.assert_array_equal(given, X)
    np.testing.assert_array_equal(dY, DY)
    np.testing.assert_array_equal(params["b"], PARAMS["b"])


def test_parameters():
    W, b = Dense(5, "relu", bias_init=0.1).parameters((3,))
    assert (W.name, W.shape, W.kind, W.fan_in, W.fan_out) == ("W", (3, 5), "weight", 3, 5)
    assert (b.name, b.shape, b.kind) == ("b", (5,), "bias")
    assert W.initial == initializers.HeNormal()
    assert b.initial == initializers.Constant(0.1)


@pytest.mark.parametrize("name", activations.names())
def test_auto_is_what_suits_the_activation(name):
    assert Dense(2, name).parameters((3,))[0].initial == initializers.for_activation(name)


def test_an_array_as_init():
    W = Dense(2, init=[[1, 2], [3, 4], [5, 6]]).parameters((3,))[0]
    drawn = W.initial.draw(np.random.default_rng(0), W.shape, W.fan_in, W.fan_out)
    np.testing.assert_array_equal(drawn, [[1, 2], [3, 4], [5, 6]])


@pytest.mark.parametrize(
    "layer",
    [Dense(3), Dense(3, "elu", bias=False, init="zeros", frozen="W"), Dense(1, activations.LeakyReLU(0.2))],
    ids=repr,
)
def test_records_survive_json(layer):
    assert msgspec.json.decode(msgspec.json.encode(layer), type=AnyLayer) == layer


@pytest.mark.parametrize("units", [0, -1, 2.5, "3", None, True, float("nan")])
def test_units(units):
    with pytest.raises(ArgumentError, match=r"^Dense: units: expected a whole number >= 1"):
        Dense(units)


def test_units_of_numpy_are_whole_numbers():
    assert type(Dense(np.int64(3)).units) is int


def test_unknown_names_say_which_was_meant():
    with pytest.raises(ArgumentError, match=r"Dense: there is no activation 'rleu'. Did you mean 'relu'\?"):
        Dense(3, "rleu")
    with pytest.raises(ArgumentError, match=r"Dense: frozen: there is no parameter 'bias'. There are: W, b"):
        Dense(3, frozen=("bias",))
    with pytest.raises(ArgumentError, match=r"Dense: init: there is no initializer 'glorot'. Did you mean 'glorot_"):
        Dense(3, init="glorot")
    with pytest.raises(ArgumentError, match=r"Dense: bias_init: there is no initializer"):
        Dense(3, bias_init="nothing")


@pytest.mark.parametrize("frozen", [3, True, 1.5])
def test_frozen_must_be_names(frozen):
    with pytest.raises(ArgumentError, match=r"Dense: frozen: expected names out of W, b, got"):
        Dense(3, frozen=frozen)


def test_rows_must_be_vectors():
    with pytest.raises(ShapeError, match=r"^dense: input: expected rows that are vectors, got \(8, 8\)"):
        Dense(3).output_shape((8, 8))


def test_layers_are_frozen():
    with pytest.raises(AttributeError):
        Dense(3).units = 4
