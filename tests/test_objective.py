"""The objective: the worked example that everybody checks against, scikit-learn, penalties, fused pairs, modes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

from chainrule import losses
from chainrule.errors import ArgumentError, ShapeError
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, Mode, Residual, Sequence
from chainrule.objective import Objective
from chainrule.parameters import Named


def objective_of(*layers, loss="half_squared_error", inputs=2, **penalties):
    return Objective(Sequence(layers), losses.get(loss), (inputs,), **penalties)


def random_theta(objective, seed=0, dtype="float64"):
    return np.random.default_rng(seed).normal(size=objective.layout.size).astype(dtype)


# ---- Mazur, "A Step by Step Backpropagation Example" (2015): every figure recomputed --------------------------------

MAZUR_X, MAZUR_T, RATE = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]]), 0.5


class Mazur:
    """The example: its objective, its numbers as he lays them out, and the views of one gradient."""

    def __init__(self, frozen=("b",)):
        self.objective = objective_of(Dense(2, "sigmoid", frozen=frozen), Dense(2, "sigmoid", frozen=frozen))
        self.theta = np.array([0.15, 0.25, 0.20, 0.30, 0.35, 0.35, 0.40, 0.50, 0.45, 0.55, 0.60, 0.60])
        self.value, grads, (self.hidden, self.output) = self.objective.data_term(
            self.objective.layout.split(self.theta), MAZUR_X, MAZUR_T, mode=Mode(training=True)
        )
        self.gradient = self.objective.layout.join(grads, self.theta)
        self.named = Named(self.objective.layout, self.gradient)


@pytest.fixture(scope="module")
def mazur():
    return Mazur()


def near(value):
    """To one unit of the ninth decimal, in which the figures are given."""
    return pytest.approx(value, abs=1e-9)


def test_mazur_forward(mazur):
    assert mazur.hidden.Z[0, 0] == near(0.3775)
    assert mazur.hidden.Y[0].tolist() == near([0.593269992, 0.596884378])
    assert mazur.output.Z[0, 0] == near(1.105905967)
    assert mazur.output.Y[0].tolist() == near([0.75136507, 0.772928465])
    assert mazur.value == near(0.298371109)


def test_mazur_losses_of_each_output(mazur):
    loss = losses.HalfSquaredError()
    each = [loss.value_and_gradient(mazur.output.Y[:, [o]], MAZUR_T[:, [o]])[0] for o in (0, 1)]
    assert each == near([0.274811083, 0.023560026])


def test_mazur_factors_of_the_chain_rule(mazur):
    _, dY = losses.HalfSquaredError().value_and_gradient(mazur.output.Y, MAZUR_T)
    sigmoid = mazur.objective.network.layers[1].f
    slope = sigmoid.slope(mazur.output.Z, mazur.output.Y)
    assert dY[0, 0] == near(0.74136507)
    assert slope[0, 0] == near(0.186815602)
    assert (dY * slope)[0].tolist() == near([0.138498562, -0.038098236])
    assert sigmoid.slope(mazur.hidden.Z, mazur.hidden.Y)[0, 0] == near(0.241300709)


def test_mazur_what_reaches_the_hidden_layer(mazur):
    W = {"W": np.array([[0.40, 0.50], [0.45, 0.55]]), "b": np.array([0.6, 0.6])}
    layer = mazur.objective.network.layers[1]
    _, dY = losses.HalfSquaredError().value_and_gradient(mazur.output.Y, MAZUR_T)
    total, _ = layer.backward(W, mazur.output, dY)
    first, _ = layer.backward(W, mazur.output, dY * [[1, 0]])
    second, _ = layer.backward(W, mazur.output, dY * [[0, 1]])
    assert (first[0, 0], second[0, 0], total[0, 0]) == near((0.055399425, -0.019049119, 0.036350306))


def test_mazur_gradients(mazur):
    assert mazur.named["dense_2.W"][0, 0] == near(0.082167041)
    assert mazur.named["dense_1.W"][0, 0] == near(0.000438568)
    assert not np.any(mazur.named["dense_1.b"])
    assert not np.any(mazur.named["dense_2.b"])


def test_mazur_gradients_of_biases_that_are_not_frozen(mazur):
    free = Mazur(frozen=())
    assert free.named["dense_2.b"].tolist() == pytest.approx([0.13849856, -0.03809824], abs=6e-9)
    assert free.named["dense_1.b"].tolist() == pytest.approx([0.00877135, 0.00995425], abs=6e-9)
    np.testing.assert_array_equal(free.named["dense_1.W"], mazur.named["dense_1.W"])


def test_mazur_one_step(mazur):
    after = Named(mazur.objective.layout, mazur.theta - RATE * mazur.gradient)
    assert after["dense_2.W"].T.reshape(-1).tolist() == near([0.35891648, 0.408666186, 0.51130127, 0.561370121])
    assert after["dense_1.W"].T.reshape(-1).tolist() == pytest.approx(
        [0.149780716, 0.19956143, 0.24975114, 0.29950229], abs=5e-9
    )
    assert after["dense_1.b"].tolist() == [0.35, 0.35]
    value, _ = mazur.objective.value_and_gradient(after.theta, MAZUR_X, MAZUR_T)
    assert value == near(0.291027774)


def test_mazur_prints_what_a_step_on_updated_weights_gives(mazur):
    """The article's .291027924: its hidden gradient is taken through output weights that have already moved."""
    moved = mazur.theta - RATE * mazur.gradient * np.repeat([0, 1], 6)
    params = mazur.objective.layout.split(moved)
    _, dY = losses.HalfSquaredError().value_and_gradient(mazur.output.Y, MAZUR_T)
    dX, _ = mazur.objective.network.layers[1].backward(params[1], mazur.output, dY)
    _, hidden = mazur.objective.network.layers[0].backward(params[0], mazur.hidden, dX)
    moved[:4] -= RATE * hidden["W"].reshape(-1)
    value, _ = mazur.objective.value_and_gradient(moved, MAZUR_X, MAZUR_T)
    assert value == near(0.291027924)


# ---- scikit-learn's own backpropagation -----------------------------------------------------------------------------


def scikit_learn(estimator, X, y, T, weights=None):
    """Its loss and gradients at the weights that it began with."""
    estimator.set_params(max_iter=1, solver="adam", learning_rate_init=1e-30, batch_size=len(X), random_state=0)
    with pytest.warns(match="Maximum iterations"):
        estimator.fit(X, y)
    layers = [X] + [None] * len(estimator.coefs_)
    deltas, coefficients, intercepts = ([None] * len(estimator.coefs_) for _ in range(3))
    value, dW, db = estimator._backprop(X, T, weights, layers, deltas, coefficients, intercepts)
    theta = [part for W, b in zip(estimator.coefs_, estimator.intercepts_, strict=True) for part in (W.reshape(-1), b)]
    gradient = [part for W, b in zip(dW, db, strict=True) for part in (W.reshape(-1), b)]
    return np.concatenate(theta), value, np.concatenate(gradient)


@pytest.mark.parametrize(
    ("theirs", "ours"), [("logistic", "sigmoid"), ("tanh", "tanh"), ("relu", "relu"), ("identity", "identity")]
)
@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("task", ["classes", "two classes", "values"])
def test_scikit_learn_agrees(theirs, ours, alpha, task):
    rng = np.random.default_rng(5)
    X, B = rng.normal(size=(30, 4)), 30
    kinds = {
        "classes": (MLPClassifier, rng.integers(3, size=B), "softmax", "cross_entropy", 3),
        "two classes": (MLPClassifier, rng.integers(2, size=B), "sigmoid", "binary_cross_entropy", 1),
        "values": (MLPRegressor, rng.normal(size=B), "identity", "half_squared_error", 1),
    }
    estimator, y, last, loss, O = kinds[task]
    T = np.eye(3)[y] if task == "classes" else y[:, None].astype(float)
    theta, value, gradient = scikit_learn(estimator(hidden_layer_sizes=(6, 5), activation=theirs, alpha=alpha), X, y, T)
    objective = objective_of(Dense(6, ours), Dense(5, ours), Dense(O, last), loss=loss, inputs=4, l2=alpha / B)
    our_value, our_gradient = objective.value_and_gradient(theta, X, T)
    assert our_value == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(our_gradient, gradient, rtol=1e-9, atol=1e-15)


# ---- penalties ------------------------------------------------------------------------------------------------------


def test_penalties_by_hand():
    objective = objective_of(Dense(1, frozen="b"), l1=0.1, l2=10)
    theta = np.array([2.0, -3.0, 100.0])
    value, slope = objective.penalty(theta)
    assert value == pytest.approx(0.1 * 5 + 5 * 13)
    np.testing.assert_allclose(slope, [0.1 + 20, -0.1 - 30, 0])
    assert objective.penalty(np.zeros(3))[1].tolist() == [0, 0, 0]


def test_penalties_are_for_weights_alone():
    objective = objective_of(Dense(2), BatchNorm(), Dense(1), l1=1, l2=1)
    slope = Named(objective.layout, objective.penalty(np.ones(objective.layout.size))[1])
    assert {name for name in slope if np.any(slope[name])} == {"dense_1.W", "dense_2.W"}


def test_penalties_do_not_depend_on_rows_or_reduction():
    X, T = np.ones((5, 2)), np.zeros((5, 1))
    values = []
    for reduction in ("mean", "sum"):
        loss = losses.HalfSquaredError(reduction)
        with_l2, without = (Objective(Sequence((Dense(1),)), loss, (2,), l2=l2) for l2 in (2, 0))
        theta = random_theta(with_l2)
        values.append(with_l2.value_and_gradient(theta, X, T)[0] - without.value_and_gradient(theta, X, T)[0])
    assert values == pytest.approx([np.sum(theta[:2] ** 2)] * 2)


def test_frozen_weights_are_in_the_value_but_do_not_move():
    objective = objective_of(Dense(1, frozen="W"), l2=1)
    theta = np.array([3.0, 4.0, 0.0])
    value, gradient = objective.value_and_gradient(theta, np.zeros((1, 2)), np.zeros((1, 1)))
    assert value == 12.5
    np.testing.assert_array_equal(gradient, [0, 0, 0])


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), "1", None, True])
@pytest.mark.parametrize("name", ["l1", "l2"])
def test_penalties_out_of_range(name, wrong):
    with pytest.raises(ArgumentError, match=rf"^Network: {name}: expected a number >= 0"):
        objective_of(Dense(1), **{name: wrong})


# ---- fused pairs ----------------------------------------------------------------------------------------------------

LAST = {
    "dense": lambda f: (Dense(3, f),),
    "activation": lambda f: (Dense(3), Activation(f)),
}


@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize(("f", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")])
def test_fusing_changes_nothing_but_rounding(last, f, loss):
    fused = objective_of(Dense(4, "tanh"), *LAST[last](f), loss=loss)
    parted = objective_of(Dense(4, "tanh"), *LAST[last](f), Dropout(0), loss=loss)
    assert fused.fused
    assert not parted.fused
    rng = np.random.default_rng(1)
    theta, X, T = random_theta(fused), rng.normal(size=(5, 2)), np.eye(3)[rng.integers(3, size=5)]
    value, gradient = fused.value_and_gradient(theta, X, T)
    parted_value, parted_gradient = parted.value_and_gradient(theta, X, T)
    assert value == pytest.approx(parted_value, rel=1e-13)
    np.testing.assert_allclose(gradient, parted_gradient, rtol=1e-10, atol=1e-15)
    np.testing.assert_array_equal(
        fused.predict(fused.layout.split(theta), X), parted.predict(parted.layout.split(theta), X)
    )


@pytest.mark.parametrize(
    ("layers", "loss"),
    [
        ((Dense(3, "softmax"),), "half_squared_error"),
        ((Dense(3, "sigmoid"),), "cross_entropy"),
        ((Dense(3, "softmax"),), "binary_cross_entropy"),
        ((Residual((Dense(2, "softmax"),)),), "cross_entropy"),
        ((), "cross_entropy"),
    ],
)
def test_other_pairs_are_not_fused(layers, loss):
    objective = objective_of(*layers, loss=loss)
    assert not objective.fused
    assert objective.trained == (objective.network, objective.loss)


def test_a_fused_objective_learns_from_certainty():
    """Sure and wrong: apart, p = 0 is flat; as a pair the gradient is p - t."""
    objective = objective_of(Dense(2, "softmax"), loss="cross_entropy", inputs=1)
    theta = np.array([1000.0, -1000.0, 0.0, 0.0])
    value, gradient = objective.value_and_gradient(theta, np.ones((1, 1)), np.array([[0.0, 1.0]]))
    assert value == 2000
    np.testing.assert_array_equal(gradient, [1, -1, 1, -1])


# ---- modes, layout, purity ------------------------------------------------------------------------------------------


def test_evaluate_is_the_prediction_mode_without_penalties():
    objective = objective_of(Dense(3, "tanh"), Dropout(0.5), BatchNorm(), Dense(1), l2=3)
    plain = objective_of(Dense(3, "tanh"), Dropout(0.5), BatchNorm(), Dense(1))
    theta, X, T = np.abs(random_theta(objective)), np.ones((3, 2)), np.zeros((3, 1))
    value, Y = objective.evaluate(objective.layout.split(theta), X, T)
    np.testing.assert_allclose(Y, objective.predict(objective.layout.split(theta), X))
    assert value == plain.value_and_gradient(theta, X, T)[0]
    assert value < objective.value_and_gradient(theta, X, T)[0]
    assert value != plain.value_and_gradient(theta, X, T, mode=Mode(training=True))[0]


def test_gradients_are_overwritten_and_nothing_else_is_touched():
    objective = objective_of(Dense(3, "relu"), Dense(1), l1=0.1)
    theta, X, T, weights = random_theta(objective), np.ones((2, 2)), np.zeros((2, 1)), np.array([1.0, 2.0])
    before = theta.copy()
    first = objective.value_and_gradient(theta, X, T, weights)
    second = objective.value_and_gradient(theta, X, T, weights)
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_array_equal(theta, before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_number_types_stay(dtype):
    objective = objective_of(
        Dense(3, "gelu"), BatchNorm(), Dropout(0.2), Dense(2, "softmax"), loss="cross_entropy", l1=0.1, l2=0.1
    )
    theta = random_theta(objective, dtype=dtype)
    X, T, weights = np.ones((4, 2), dtype), np.eye(2, dtype=dtype)[[0, 1, 1, 0]], np.ones(4, dtype)
    value, gradient = objective.value_and_gradient(theta, X, T, weights, Mode(training=True))
    assert (value.dtype, gradient.dtype, gradient.shape) == (np.dtype(dtype), np.dtype(dtype), theta.shape)


def test_float32_gradients_are_those_of_float64_to_rounding():
    objective = objective_of(Dense(8, "tanh"), Dense(3, "softmax"), loss="cross_entropy", inputs=5)
    rng = np.random.default_rng(0)
    theta, X, T = random_theta(objective), rng.normal(size=(40, 5)), np.eye(3)[rng.integers(3, size=40)]
    _, exact = objective.value_and_gradient(theta, X, T)
    _, single = objective.value_and_gradient(*(array.astype("float32") for array in (theta, X, T)))
    np.testing.assert_allclose(single, exact, atol=2e-6 * np.abs(exact).max())


def test_layers_that_do_not_fit_say_so():
    with pytest.raises(ShapeError, match=r"residual: layers inside"):
        objective_of(Residual((Dense(3),))).layout  # noqa: B018 -- the property does the work
    with pytest.raises(ShapeError, match=r"targets: expected shape \(1, 3\)"):
        objective_of(Dense(3)).value_and_gradient(np.zeros(9), np.zeros((1, 2)), np.zeros((1, 2)))
