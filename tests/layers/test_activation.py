"""An activation as a layer of its own."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from chainrule import activations
from chainrule.errors import ArgumentError
from chainrule.layers import PREDICTION, Activation, AnyLayer, Dense, Mode, Sequence

X = np.array([[1.0, -2.0, 0.5]])


@pytest.mark.parametrize("name", activations.names())
def test_it_is_that_of_a_dense_layer(name):
    W = np.array([[0.3, -1.0], [1.0, 0.2], [0.0, 2.0]])
    params, dY = {"W": W, "b": np.array([0.1, -0.2])}, np.array([[1.0, -0.5]])
    together = Dense(2, name)
    Y, saved = together.forward(params, X, PREDICTION)
    dX, grads = together.backward(params, saved, dY)
    apart = Sequence((Dense(2), Activation(name)))
    Y_apart, saved = apart.forward({0: params}, X, PREDICTION)
    dX_apart, grads_apart = apart.backward({0: params}, saved, dY)
    np.testing.assert_array_equal(Y_apart, Y)
    np.testing.assert_array_equal(dX_apart, dX)
    np.testing.assert_array_equal(grads_apart[0]["W"], grads["W"])
    assert grads_apart[1] == {}


def test_it_has_no_parameters_and_keeps_the_shape():
    layer = Activation("relu")
    assert layer.parameters((3,)) == ()
    assert layer.output_shape((4, 5)) == (4, 5)
    _, saved = layer.forward({}, X, Mode())
    assert layer.backward({}, saved, X, want_dX=False) == (None, {})


def test_records_survive_json():
    layer = Activation(activations.ELU(0.3))
    assert msgspec.json.decode(msgspec.json.encode(layer), type=AnyLayer) == layer


def test_an_unknown_name():
    with pytest.raises(ArgumentError, match=r"Activation: there is no activation 'tahn'. Did you mean 'tanh'\?"):
        Activation("tahn")
