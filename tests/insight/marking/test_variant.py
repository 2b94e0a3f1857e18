"""A step without mistakes is the trace's, and every mistake of the catalogue changes something somewhere."""

from __future__ import annotations

import numpy as np
import pytest
from tests import registry

import chainrule as cr
from chainrule.engines.interface import Data
from chainrule.insight.marking.catalogue import CATALOGUE
from chainrule.insight.marking.mistake import InapplicableError
from chainrule.insight.marking.search import slips
from chainrule.insight.marking.variant import Start, Variant
from chainrule.insight.rows import Given
from chainrule.insight.trace import Trace

STEPS = (cr.SGD(0.3), cr.Adam(0.1), cr.SGD(0.1, momentum=0.5, nesterov=True), cr.AdamW(0.1, clip_norm=0.1))


def traced(case, optimizer):
    point = registry.draw(case)
    words = repr(point.objective.network)
    if "Dropout" in words or "BatchNorm" in words:
        optimizer = None  # an engine's step has a mode of its own, which is not that of this point
    given = Given(None, Data(point.X, point.T, point.weights), tuple(range(case.B)))
    return Trace(point.objective, point.theta, given, point.mode, optimizer)


@pytest.mark.slow
@pytest.mark.parametrize("layers", registry.LAYERS)
def test_without_mistakes_it_is_the_trace(layers):
    for turn, case in enumerate(registry.quick(layers)):
        made = traced(case, STEPS[turn % len(STEPS)])
        numbers = Variant(Start.of(made)).numbers
        assert set(made) - set(numbers) <= {"T", "weights"} | {n for n in made if n.endswith(".jacobian")}
        for name, values in numbers.items():
            np.testing.assert_allclose(values, made[name], rtol=1e-9, atol=1e-12, err_msg=f"{name} of {case}")


def networks():
    """A few in which together every mistake can be made."""
    dense = [cr.Dense(3, "tanh"), cr.Dense(3, "relu"), cr.Dense(3, "softmax")]
    X, T = np.array([[0.5, -1.0, 0.2], [1.0, 2.0, 0.3], [0.4, -0.7, 1.1]]), np.eye(3)
    for loss, step in (
        ("cross_entropy", cr.Adam(0.1)),
        (cr.losses.MeanSquaredError(), cr.SGD(0.1, momentum=0.5, nesterov=True)),
        (cr.losses.HalfSquaredError(reduction="sum"), cr.RMSProp(0.1)),
        (cr.losses.CrossEntropy(reduction="sum"), cr.AdamW(0.1)),
    ):
        net = cr.Network(dense, loss, n_inputs=3, seed=3, l2=0.1)
        net.theta[...] += 0.1
        w = [1.0, 2.0, 0.5] if net.loss.reduction == "mean" else None
        yield cr.trace(net, X, T.argmax(axis=1) if "cross" in net.loss.name else T, step, sample_weight=w)
    net = cr.Network([cr.Dense(3, "sigmoid"), cr.Dense(3, "tanh")], "binary_cross_entropy", n_inputs=3)
    net.theta[...] += 0.1
    with np.errstate(all="ignore"):
        yield cr.trace(net, X, T, cr.SGD(0.1))
    net = cr.Network([cr.Dense(2, "relu"), cr.Dense(3, "softmax")], "half_squared_error", n_inputs=3)
    yield cr.trace(net, X[:2], T[:2], cr.SGD(0.1))
    yield layered()


def layered():
    """A step through every kind of layer that has mistakes of its own."""
    around = cr.Residual([cr.Dense(3, "relu"), cr.LayerNorm()])
    layers = [cr.Dense(3, "tanh"), cr.BatchNorm(), cr.Dropout(0.4), around, cr.Dense(2, "softmax")]
    net = cr.Network(layers, n_inputs=3, seed=3)
    net.theta[...] += 0.1 * np.arange(net.theta.size) % 0.7
    X = np.array([[0.5, -1.0, 0.2], [1.0, 2.0, 0.3], [0.4, -0.7, 1.1], [-0.3, 0.2, 0.9]])
    return cr.trace(net, X, [0, 1, 1, 0], cr.SGD(0.1))


def test_without_mistakes_a_step_through_norms_dropout_and_branches_is_the_trace():
    made = layered()
    numbers = Variant(Start.of(made)).numbers
    assert set(made) - set(numbers) == {"T", "dense_2.dZ.jacobian"}
    for name, values in numbers.items():
        np.testing.assert_allclose(values, made[name], rtol=1e-9, atol=1e-12, err_msg=name)


def test_running_averages_follow_what_came_before_them():
    made = layered()
    slip = next(slip for slip in slips(made) if slip.mistake.name == "bias added twice")
    numbers = Variant(Start.of(made), (slip,)).numbers
    b, moved = made["dense_1.b"], numbers["batch_norm_1.X"].mean(axis=0) - made["batch_norm_1.X"].mean(axis=0)
    assert np.abs(b).max() > 0
    np.testing.assert_allclose(numbers["batch_norm_1.mean.new"] - made["batch_norm_1.mean.new"], 0.1 * moved)


@pytest.mark.slow
def test_every_mistake_changes_something():
    silent = {mistake.name for mistake in CATALOGUE}
    for made in networks():
        right = Variant(Start.of(made)).numbers
        for slip in slips(made):
            if slip.mistake.name not in silent:
                continue
            try:
                numbers = Variant(Start.of(made), (slip,)).numbers
            except InapplicableError:
                continue
            if any(not np.array_equal(numbers[name], right[name]) for name in right):
                silent.discard(slip.mistake.name)
    assert not silent


def test_mistakes_have_names_of_their_own():
    names = [mistake.name for mistake in CATALOGUE]
    assert len(set(names)) == len(names) > 100
