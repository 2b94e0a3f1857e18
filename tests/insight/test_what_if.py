"""What another number would change: the new trace is that of a network which has it."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from tests import registry

import chainrule as cr
from chainrule.examples import worked_example
from chainrule.insight.rendering.explained import FORMATS
from chainrule.insight.rows import Given
from chainrule.insight.trace import Trace


def network():
    return cr.Network([cr.Dense(3, "tanh"), cr.Dense(2, "softmax")], n_inputs=2, seed=3, dtype="float64")


X, Y = np.array([[0.2, -1.0], [0.5, 0.1]]), [1, 0]


@pytest.fixture
def made():
    return cr.trace(network(), X, Y, cr.SGD(0.1))


def test_the_new_trace_is_that_of_a_network_with_the_number(made):
    other = made.what_if("dense_1.W[1, 2]", 0.7)
    net = network()
    net.parameters["dense_1.W"][1, 2] = 0.7
    expected = cr.trace(net, X, Y, cr.SGD(0.1))
    assert list(expected) == list(other.after)
    for name in expected:
        assert np.array_equal(other.after[name], expected[name])
    assert np.array_equal(made.theta, network().theta)


def test_what_stood_before_it_stays_and_what_follows_moves(made):
    other = made.what_if("dense_2.W[0, 1]", 0.7)
    assert {"dense_1.X", "dense_1.Z", "dense_1.Y", "dense_2.X", "dense_2.b", "T"} <= set(other.still)
    moved = {each.name: each for each in other.moved}
    assert {"dense_2.W", "dense_2.Z", "dense_2.Y", "loss", "dense_1.dZ", "dense_1.W.new", "loss.new"} <= set(moved)
    assert moved["dense_2.W"].place == "dense_2.W[0, 1]"
    assert moved["dense_2.W"].after == 0.7
    assert moved["dense_2.W"].share == 1 / 6
    assert set(other.still) | set(moved) == set(made)


def test_a_small_change_is_what_the_gradient_foretold(made):
    w = made["dense_1.W[0, 0]"]
    other = made.what_if("dense_1.W[0, 0]", w + 1e-6)
    change = other.after["objective"] - made["objective"]
    assert other.foretold == pytest.approx(change, rel=1e-4)
    inputs = made.what_if("X[0, 1]", X[0, 1] + 1e-6)
    assert inputs.foretold == pytest.approx(inputs.after["objective"] - made["objective"], rel=1e-4)


def test_rows_and_whole_arrays_may_be_changed(made):
    assert made.what_if("X[1, 0]", 3).after["dense_1.X[1, 0]"] == 3
    assert made.what_if("T[0]", [1, 0]).after["T"].tolist() == [[1, 0], [1, 0]]
    assert made.what_if("dense_1.W", 0).after["dense_1.Z"].tolist() == np.zeros((2, 3)).tolist()
    assert made.what_if("dense_1.b", [1, 2, 3]).after["dense_1.b"].tolist() == [1, 2, 3]


def test_it_is_told_in_every_form():
    trace = cr.trace(worked_example.network(), worked_example.X, worked_example.T)
    other = trace.what_if("dense_2.W[0, 1]", 0.7)
    text = str(other)
    assert "What if dense_2.W[0, 1] were 0.7 instead of 0.5" in text
    assert "is curvature" in text
    assert max(map(len, text.splitlines())) <= 80
    given = json.loads(other.to_json())
    assert given["moved"]["dense_2.Y"]["after"] == other.after["dense_2.Y"].tolist()
    for form in ("markdown", "latex", "html"):
        assert "instead of" in other.rendered(form)


def test_the_same_number_moves_nothing(made):
    other = made.what_if("dense_1.b[0]", 0)
    assert other.moved == ()
    assert "Nothing." in str(other)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dense_3.W", 0, "there is no"),
        ("dense_1.Z[0, 0]", 0, "dense_1.W"),
        ("dense_1.W[9, 0]", 0, "within its shape"),
        ("dense_1.W[0, 0]", "x", "a finite number"),
        ("dense_1.W[0, 0]", float("nan"), "a finite number"),
        ("dense_1.W[0]", [1, 2], r"shape \(3,\)"),
        ("dense_1.W", [[1], [1, 2]], "a finite number"),
    ],
)
def test_what_cannot_be_is_said(made, name, value, said):
    with pytest.raises(cr.InputError, match=said):
        made.what_if(name, value)


# ---- every layer, activation and loss -------------------------------------------------------------------------------


def other_number(case, turn):
    """Another number in one entry of the parameters; the oracle is the objective at the theta that has it."""
    point = registry.draw(case)
    batch = cr.engines.interface.Data(point.X, point.T, point.weights)
    made = Trace(point.objective, point.theta, Given(None, batch, tuple(range(case.B))), point.mode, None)
    layout = point.objective.layout
    parameter = layout.parameters[turn % len(layout.parameters)]
    entry = ", ".join("0" * len(parameter.shape))
    theta = point.theta.copy()
    layout.view(theta, parameter.name)[(0,) * len(parameter.shape)] += 0.25
    found = made.what_if(f"{parameter.name}[{entry}]", layout.view(theta, parameter.name).flat[0])
    value, gradient = point.objective.value_and_gradient(theta, *batch, point.mode)
    assert found.after["objective"] == float(value), case
    assert np.array_equal(found.after.gradient, gradient), case
    assert all(np.array_equal(made[name], found.after[name], equal_nan=True) for name in found.still), case
    assert not any(np.array_equal(made[moved.name], found.after[moved.name]) for moved in found.moved), case
    return found


@pytest.mark.parametrize("layers", registry.LAYERS)
def test_some_combinations(layers):
    for turn, case in enumerate(itertools.islice(registry.quick(layers), 3, None, 29)):
        other_number(case, turn)


@pytest.mark.slow
@pytest.mark.parametrize("layers", registry.LAYERS)
def test_every_layer_activation_and_loss(layers):
    for turn, case in enumerate(registry.quick(layers)):
        form = FORMATS[turn % len(FORMATS)]
        assert other_number(case, turn).rendered(form)
