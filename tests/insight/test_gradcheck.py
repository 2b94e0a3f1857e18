"""The gradient check passes what is right and finds what is wrong: the registry, the planted faults, a network."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.planted import FAULTS
from tests.registry import LAYERS, LOSSES, draw, objective_of, quick

import chainrule as cr
from chainrule.insight.gradcheck.check import Extent, check_objective
from chainrule.insight.gradcheck.objectives import Point
from chainrule.layers import Dense


def check(case, extent=Extent(sample=30)):  # noqa: B008 -- frozen
    point = draw(case)
    where = Point(point.theta, point.X, point.T, point.weights, point.mode)
    return check_objective(point.objective, where, extent)


def assert_right(case, sample=6):
    """Nothing differs, no kink was crossed where the registry sees none, and every array was compared."""
    found = check(case, Extent(sample=sample))
    assert found.ok, f"{case}\n{found}"
    flat = LAYERS[case.layers].flat
    for array in found.table:
        untold = array.rounding and not array.agree and array.name not in flat
        assert not untold or case.activation.__name__ == "Softmax" or case.O == 1, f"{case}\n{found}"
    trained = {parameter.name for parameter in objective_of(case).layout.parameters}
    assert trained | {"X"} <= {array.name for array in found.table}


@pytest.mark.slow
@pytest.mark.parametrize("layers", LAYERS)
def test_the_registry_passes(layers):
    for case in quick(layers):
        assert_right(case)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_every_loss_passes(loss):
    for case in [case for case in quick("dense") if case.loss is loss][::4]:
        assert_right(case)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name, monkeypatch):
    fault = FAULTS[name]
    monkeypatch.setattr(fault.owner, fault.method, fault.make(getattr(fault.owner, fault.method)))
    for case in fault.cases():
        assert not check(case).ok, case


# a network, as a person checks it -------------------------------------------------------------------------------------


@pytest.fixture
def problem():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(30, 4)), random.integers(3, size=30)
    net = cr.Network([cr.Dense(6, "tanh"), cr.Dense(5, "relu"), cr.Dense(3, "softmax")], seed=1, n_inputs=4)
    return net, X, y


def plant(monkeypatch, change):
    """Another backward pass of dense layers."""
    right = Dense.backward

    def wrong(self, params, saved, dY, *, want_dX=True):
        dX, grads = right(self, params, saved, dY, want_dX=True)
        dX, grads = change(self, dX, grads)
        return dX if want_dX else None, grads

    monkeypatch.setattr(Dense, "backward", wrong)


def test_a_right_network(problem):
    found = cr.check_gradients(*problem)
    assert found.ok
    assert len(found.rows) == 10
    assert [array.name for array in found.table] == [
        *("dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b", "dense_3.W", "dense_3.b", "X")
    ]
    assert all(array.worst < 1e-6 for array in found.table)
    assert "The gradient is right" in str(found)


def test_the_network_is_left_as_it_was(problem):
    net, X, y = problem
    theta, copy = net.theta.copy(), X.copy()
    cr.check_gradients(net, X, y)
    np.testing.assert_array_equal(net.theta, theta)
    np.testing.assert_array_equal(X, copy)
    assert net.theta.dtype == np.float32


def test_the_first_wrong_array_on_the_way_back_is_named(problem, monkeypatch):
    plant(monkeypatch, lambda layer, dX, grads: (2 * dX if layer.units == 5 else dX, grads))
    found = cr.check_gradients(*problem)
    assert {array.name for array in found.table if array.differ} == {"dense_1.W", "dense_1.b", "X"}
    factors = [array.factor for array in found.table if array.differ]
    assert factors == pytest.approx([2, 2, 2], rel=1e-5)
    text = str(found)
    assert "dense_1.W: every entry that differs is 2 times what it should be" in text
    assert "Backward from the loss dense_1.b is the first array that is wrong" in text


def test_one_wrong_entry_outside_the_sample_shows_along_directions(problem, monkeypatch):
    def change(layer, dX, grads):
        if layer.units == 6:
            grads["W"] = grads["W"] * (np.arange(24).reshape(4, 6) != 13)
        return dX, grads

    plant(monkeypatch, change)
    whole = cr.check_gradients(*problem, sample=None)
    assert [entry.name for entry in whole.worst if entry.verdict == "differs"] == ["dense_1.W[2, 1]"]
    some = next(
        found
        for found in (cr.check_gradients(*problem, sample=3, seed=seed) for seed in range(9))
        if not any(array.differ for array in found.table)
    )
    assert not some.ok
    assert "wrong somewhere" in str(some)


def test_a_frozen_parameter_has_no_gradient(problem, monkeypatch):
    _, X, y = problem
    net = cr.Network([cr.Dense(6, "tanh", frozen="b"), cr.Dense(3, "softmax")], seed=1)
    assert cr.check_gradients(net, X, y).ok
    plant(monkeypatch, lambda _, dX, grads: (dX, {**grads, "b": grads["W"].sum(axis=0) + 1}))
    found = {array.name: array for array in cr.check_gradients(net, X, y).table}
    assert found["dense_1.b"].differ == 6


def test_penalties_are_told_apart(problem, monkeypatch):
    _, X, y = problem
    net = cr.Network([cr.Dense(3, "softmax")], seed=1, l1=0.01, l2=0.1)
    assert cr.check_gradients(net, X, y).ok
    right = cr.check_gradients.__globals__["penalty_function"]

    def doubled(objective, point):
        function = right(objective, point)
        return function._replace(parts=[part._replace(gradient=2 * part.gradient) for part in function.parts])

    monkeypatch.setitem(cr.check_gradients.__globals__, "penalty_function", doubled)
    found = cr.check_gradients(net, X, y)
    assert {array.name for array in found.table if array.differ} == {"penalty: dense_1.W"}


def test_dropout_keeps_its_mask_and_batch_norm_its_batch(problem):
    _, X, y = problem
    net = cr.Network([cr.Dense(8), cr.BatchNorm(), cr.Activation("tanh"), cr.Dropout(0.4), cr.Dense(3, "softmax")])
    for training in (True, False):
        found = cr.check_gradients(net, X, y, training=training, sample_weight=np.linspace(0.1, 2, 30))
        assert found.ok, found
        assert len(found.notes) == 2


def test_units_at_a_kink_are_named_and_set_apart():
    net = cr.Network([cr.Dense(4, "relu"), cr.Dense(1)], "half_squared_error", seed=2)
    X = np.array([[0.5, 1.0], [0.0, 0.0], [-1.0, 0.3]])  # biases are 0: the second row stands on every kink
    found = cr.check_gradients(net, X, [0.1, 5.0, 0.3])
    assert found.ok
    at_kinks = {entry.name: entry.kinks for entry in found.kinks}
    for unit in range(4):
        assert at_kinks[f"dense_1.b[{unit}]"] == (f"dense_1 unit {unit}, row 1",)
    assert "dense_1 unit 0, row 1" in str(found)


def test_a_kink_beside_the_point_is_got_round():
    net = cr.Network([cr.Dense(1, "relu"), cr.Dense(1)], "half_squared_error", n_inputs=1, dtype="float64")
    net.theta = [1.0, -1.0 + 3e-6, 1.0, 0.0]
    found = cr.check_gradients(net, [[1.0]], [1.0], sample=None)
    assert found.ok
    assert not found.kinks
    assert {array.name: array.agree for array in found.table}["dense_1.W"] == 1


# numbers from elsewhere ----------------------------------------------------------------------------------------------


def test_a_gradient_from_elsewhere_is_checked_in_its_place(problem):
    net, X, y = problem
    net = net.astype("float64")
    _, gradient = net.loss_and_gradient(X, y)
    assert cr.check_gradients(net, X, y, gradient=gradient, training=False).ok
    assert cr.check_gradients(net, X, y, gradient=gradient.theta).ok
    wrong = {"dense_2.W": gradient["dense_2.W"], "dense_3.b": gradient["dense_3.b"] * 30}
    found = cr.check_gradients(net, X, y, gradient=wrong)
    assert [array.differ for array in found.table] == [0, 3]
    assert found.table[1].factor == pytest.approx(30)


def test_a_gradient_from_elsewhere_includes_the_penalties():
    net = cr.Network([cr.Dense(2, "softmax")], l2=0.3, n_inputs=2, dtype="float64")
    X, y = [[1.0, 2.0], [3.0, 1.0]], [0, 1]
    assert cr.check_gradients(net, X, y, gradient=net.loss_and_gradient(X, y)[1]).ok


@pytest.mark.parametrize(
    ("gradient", "words"),
    [
        (np.zeros(3), r"expected shape \(83,\), like theta"),
        ({"dense_1.V": np.zeros(3)}, "no parameter 'dense_1.V'. Did you mean 'dense_1.W'"),
        ({"dense_1.W": np.zeros((6, 4))}, r"expected shape \(4, 6\)"),
        ({"dense_1.b": ["a"] * 6}, "expected an array of numbers"),
    ],
)
def test_a_gradient_that_does_not_fit(problem, gradient, words):
    with pytest.raises(cr.InputError, match=words):
        cr.check_gradients(*problem, gradient=gradient)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rows": 0}, "rows: expected a whole number >= 1"),
        ({"sample": 0}, "sample: expected a whole number >= 1"),
        ({"tolerance": -1}, "tolerance: expected a number > 0"),
        ({"step": 0}, "step: expected a number > 0"),
        ({"sample_weight": [1, 2]}, "30"),
    ],
)
def test_settings_are_checked(problem, change, words):
    with pytest.raises(cr.InputError, match=words):
        cr.check_gradients(*problem, **change)


def test_data_that_do_not_fit(problem):
    net, X, y = problem
    with pytest.raises(cr.ShapeError, match="4 columns"):
        cr.check_gradients(net, X[:, :2], y)
    with pytest.raises(cr.ShapeError, match="30 rows"):
        cr.check_gradients(net, X, y[:5])
    with pytest.raises(cr.ArgumentError, match="targets of the rows"):
        cr.check_gradients(net, X)
    with pytest.raises(cr.ArgumentError, match="a Network, a Model, or a function"):
        cr.check_gradients("net", X, y)


@pytest.mark.slow
def test_a_model_finds_its_target_in_the_table():
    model = cr.train("iris", epochs=2)
    assert cr.check_gradients(model, "iris").ok
    with pytest.raises(cr.ArgumentError, match="the table of a model holds the targets"):
        cr.check_gradients(model, "iris", [0])


def test_every_form(problem):
    found = cr.check_gradients(*problem)
    data = json.loads(found.to_json())
    assert data["ok"] is True
    assert data["table"][0]["name"] == "dense_1.W"
    assert "dense_1.W" in found._repr_html_()
    assert "| array | checked |" in found.to_markdown()
    assert max(map(len, str(found).splitlines())) <= 80
    assert repr(found) == "GradientCheck(ok=True, 7 arrays, 123 entries)"  # 83 parameters, 10 x 4 inputs


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("seed", range(4))
def test_networks_that_are_sure_of_themselves_are_not_called_wrong(activation, seed):
    """Weights so large that the loss is nearly 0, and straight or flat further off: no step fits every entry."""
    net = cr.Network([cr.Dense(8, activation), cr.Dense(3, "softmax")], n_inputs=4, seed=seed, dtype="float64")
    net.theta[...] *= 30
    X = np.random.default_rng(seed).normal(size=(20, 4))
    y = net.forward(X).argmax(axis=1)
    assert cr.check_gradients(net, X, y).ok


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_fault_in_a_network_that_is_sure_of_itself_is_found(activation):
    net = cr.Network([cr.Dense(8, activation), cr.Dense(3, "softmax")], n_inputs=4, seed=0, dtype="float64")
    X = np.random.default_rng(0).normal(size=(20, 4))
    net.theta[...] *= 8
    y = net.forward(X).argmax(axis=1)
    gradient = net.loss_and_gradient(X, y)[1].theta
    assert cr.check_gradients(net, X, y, gradient=gradient, rows=20).ok
    assert not cr.check_gradients(net, X, y, gradient=1.001 * gradient, rows=20).ok
