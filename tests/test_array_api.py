"""Activations, losses and layers use the array-API standard and nothing else: `array_api_strict` has nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.registry import ACTIVATIONS, LAYERS, LOSSES, Case, draw

from chainrule.arrays import random_words

strict = pytest.importorskip("array_api_strict")


def to_strict(nested):
    """The same arrays in the strict library."""
    if isinstance(nested, dict):
        return {key: to_strict(value) for key, value in nested.items()}
    return strict.asarray(nested)


def assert_same(ours, theirs):
    """The nested arrays are equal to rounding."""
    if isinstance(ours, dict):
        assert set(ours) == set(theirs)
        for key, value in ours.items():
            assert_same(value, theirs[key])
        return
    assert type(theirs).__module__.startswith("array_api_strict")
    np.testing.assert_allclose(np.asarray(theirs), ours, rtol=1e-12, atol=1e-15)


def run(point, convert):
    """Forward, loss, backward and the new state, in the arrays that `convert` makes."""
    layers, loss = point.objective.trained
    params = convert(point.objective.layout.split(point.theta))
    Y, saved = layers.forward(params, convert(point.X), point.mode)
    weights = None if point.weights is None else convert(point.weights)
    value, dY = loss.value_and_gradient(Y, convert(point.T), weights)
    dX, grads = layers.backward(params, saved, dY)
    return {"Y": Y, "value": value, "dX": dX, "grads": grads, "state": layers.new_state(params, saved)}


PAIRS = list(itertools.product(ACTIVATIONS, LOSSES))


@pytest.mark.parametrize("layers", LAYERS)
def test_layers(layers):
    for n, (f, loss) in enumerate(PAIRS[len(layers) % 5 :: 5]):
        point = draw(Case(layers, f, loss, ("mean", "sum")[n % 2], O=1 + n % 3, weighted=n % 2 == 0))
        assert_same(run(point, lambda nested: nested), run(point, to_strict))


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_slopes(activation, dtype):
    f, Z = activation(), np.linspace(-3, 3, 8, dtype=dtype).reshape(2, 4)
    theirs = f.slope(strict.asarray(Z), f.value(strict.asarray(Z)))
    np.testing.assert_allclose(np.asarray(theirs), f.slope(Z, f.value(Z)), rtol=1e-6)
    assert np.asarray(theirs).dtype == dtype


def test_the_hash_makes_the_same_words():
    ours, theirs = (random_words(xp, (5, 7), seed=1, stream=2, step=3) for xp in (np, strict))
    np.testing.assert_array_equal(np.asarray(theirs), ours)
