"""From the same weights, in the same order: scikit-learn's training; and where it differs, the derivative."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest

from chainrule.estimators import MLPClassifier, MLPRegressor

pytest.importorskip("sklearn", minversion="1.7", reason="scikit-learn's perceptrons take weights of rows from 1.7 on")
theirs = pytest.importorskip("sklearn.neural_network")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 4))
LABELS = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int) + (X[:, 2] > 1)
VALUES = X @ [1.0, -2.0, 0.5, 0.0] + np.sin(X[:, 0])
PAIRS = {"classifier": (MLPClassifier, theirs.MLPClassifier), "regressor": (MLPRegressor, theirs.MLPRegressor)}
ENDLESS = dict(tol=0.0, n_iter_no_change=np.inf)
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning")


def targets(kind, outputs=1):
    if kind == "classifier":
        return LABELS if outputs > 1 else (LABELS > 0).astype(int)
    return VALUES if outputs == 1 else VALUES[:, None] * np.arange(1, outputs + 1)


def at_the_same_weights(kind, y, **options):
    """One of ours and one of theirs with equal weights; theirs has forgotten its optimiser."""
    ours, other = (make(random_state=1, **options) for make in PAIRS[kind])
    first = {"classes": np.unique(y)} if kind == "classifier" else {}
    ours.partial_fit(X, y, **first)
    other.partial_fit(X, y, **first)
    ours = type(ours)(random_state=1, **options)
    coefs, intercepts = [W.copy() for W in other.coefs_], [b.copy() for b in other.intercepts_]
    del other._optimizer
    other.loss_curve_, other.best_loss_, other._no_improvement_count = [], np.inf, 0
    return ours, other, coefs, intercepts


SETTINGS = {
    "adam": dict(),
    "sgd": dict(solver="sgd", learning_rate_init=0.05),
    "no momentum": dict(solver="sgd", momentum=0.0, learning_rate_init=0.05),
    "plain momentum": dict(solver="sgd", nesterovs_momentum=False, learning_rate_init=0.05),
    "invscaling": dict(solver="sgd", learning_rate="invscaling", power_t=0.3, learning_rate_init=0.05),
    "logistic": dict(activation="logistic", alpha=1.0),
    "tanh, two layers": dict(activation="tanh", hidden_layer_sizes=(7, 3)),
    "identity": dict(activation="identity"),
}


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_same_training(kind, outputs, weighted, setting):
    if kind == "regressor" and outputs > 1:
        pytest.skip("theirs reports another loss: see below")
    y = targets(kind, outputs)
    batch = 60 if weighted else 20  # theirs divides each batch by the sum of its own weights
    # Theirs adds epsilon to the root before Adam's bias correction, ours after it, as the paper's algorithm 1 does.
    options = (
        dict(hidden_layer_sizes=8, shuffle=False, batch_size=batch, alpha=0.1, max_iter=5, epsilon=1e-14) | ENDLESS
    )
    ours, other, coefs, intercepts = at_the_same_weights(kind, y, **options | SETTINGS[setting])
    weights = RNG.uniform(0.5, 2, 60) if weighted else None
    other.t_ = 0
    for _ in range(5):
        other.partial_fit(X, y, sample_weight=weights)
    ours.fit(X, y, sample_weight=weights, coef_init=coefs, intercept_init=intercepts)
    np.testing.assert_allclose(ours.loss_curve_, other.loss_curve_, rtol=1e-6)
    for mine, right in zip([*ours.coefs_, *ours.intercepts_], other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours.predict(X), other.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("setting", [dict(), dict(learning_rate="adaptive"), dict(learning_rate="invscaling")], ids=str)
def test_the_same_epoch_is_the_last(setting):
    options = dict(solver="sgd", shuffle=False, batch_size=20, tol=1e-3, n_iter_no_change=3, learning_rate_init=0.02)
    ours, other, coefs, intercepts = at_the_same_weights(
        "regressor", VALUES, hidden_layer_sizes=5, max_iter=500, warm_start=True, **options | setting
    )
    other.t_ = 0
    other.fit(X, VALUES)
    ours.fit(X, VALUES, coef_init=coefs, intercept_init=intercepts)
    assert other.n_iter_ < 500
    assert (ours.n_iter_, ours.t_) == (other.n_iter_, other.t_)
    assert ours._no_improvement_count == other._no_improvement_count
    np.testing.assert_allclose(ours.loss_curve_, other.loss_curve_, rtol=1e-5)


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize(
    "options",
    [
        dict(solver="sgd"),
        dict(activation="logistic", solver="sgd"),
        dict(hidden_layer_sizes=(5, 3)),
        dict(solver="lbfgs", max_iter=5),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:lbfgs:UserWarning")
def test_the_same_random_state_is_the_same_model(kind, options):
    """One batch holds all rows: their order means nothing."""
    options = dict(random_state=3, max_iter=20, epsilon=1e-14) | options
    ours, other = (make(**options).fit(X, targets(kind, 3 if kind == "classifier" else 1)) for make in PAIRS[kind])
    for mine, right in zip([*ours.coefs_, *ours.intercepts_], other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-4, atol=1e-7)


# ---- where theirs is wrong ------------------------------------------------------------------------------------------


def step(model, Y, coefs, intercepts):
    """The loss that a model reports at these weights, and the weights after one step of plain gradient descent."""
    model.coefs_, model.intercepts_ = [W.copy() for W in coefs], [b.copy() for b in intercepts]
    model.partial_fit(X, Y)
    return model.loss_, [W.copy() for W in model.coefs_]


@pytest.mark.parametrize("outputs", [1, 2, 5])
@pytest.mark.parametrize(("whose", "times"), [(0, lambda _: 1), (1, lambda outputs: outputs)], ids=["ours", "theirs"])
def test_gradient_of_the_reported_loss(outputs, whose, times):
    """The step over the central difference of the reported loss: 1; of theirs, as many as there are outputs."""
    Y, rate, h = targets("regressor", outputs), 0.1, 1e-5
    options = dict(solver="sgd", momentum=0, batch_size=60, alpha=0.0, learning_rate_init=rate, activation="tanh")
    model = PAIRS["regressor"][whose](hidden_layer_sizes=3, random_state=0, **options).partial_fit(X, Y)
    coefs, intercepts = [W.copy() for W in model.coefs_], [b.copy() for b in model.intercepts_]
    _, after = step(model, Y, coefs, intercepts)
    for layer, place in [(0, (0, 1)), (0, (3, 2)), (1, (2, 0))]:
        losses = []
        for sign in (1, -1):
            moved = [W.copy() for W in coefs]
            moved[layer][place] += sign * h
            losses.append(step(model, Y, moved, intercepts)[0])
        difference = (losses[0] - losses[1]) / (2 * h)
        gradient = (coefs[layer][place] - after[layer][place]) / rate
        assert gradient == pytest.approx(times(outputs) * difference, rel=1e-6)


@pytest.mark.parametrize("kind", PAIRS)
def test_a_warm_start_keeps_the_state_of_adam(kind):
    """Two fits of 5 epochs are one of 10, to the bit; theirs begins with the moments at 0 again."""
    y, options = targets(kind), dict(hidden_layer_sizes=5, batch_size=16, random_state=0) | ENDLESS
    whole = PAIRS[kind][0](max_iter=10, **options).fit(X, y)
    parts = PAIRS[kind][0](max_iter=5, warm_start=True, **options).fit(X, y).fit(X, y)
    for one, other in zip(whole.coefs_, parts.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert parts.loss_curve_ == whole.loss_curve_
    assert (parts.n_iter_, parts.t_) == (5, 600)
    of_theirs = [PAIRS[kind][1](max_iter=n, warm_start=True, shuffle=False, **options) for n in (10, 5)]
    of_theirs[0].fit(X, y)
    of_theirs[1].fit(X, y).fit(X, y)
    assert not np.allclose(of_theirs[0].coefs_[0], of_theirs[1].coefs_[0], rtol=1e-3)


# ---- one training, in other portions --------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [dict(), dict(solver="sgd", learning_rate="invscaling")], ids=str)
def test_epochs_one_by_one_are_a_fit(options):
    options = dict(hidden_layer_sizes=5, batch_size=16, random_state=0, **options) | ENDLESS
    whole, parts = MLPRegressor(max_iter=7, **options).fit(X, VALUES), MLPRegressor(**options)
    for _ in range(7):
        parts = pickle.loads(pickle.dumps(parts.partial_fit(X, VALUES)))  # noqa: S301 -- our own
    np.testing.assert_array_equal(parts.predict(X), whole.predict(X))
    assert parts.loss_curve_ == whole.loss_curve_


def test_the_optimizer_stands_where_the_stopping_rule_ended_the_fit():
    """Whatever the engine had already taken beyond it."""
    options = dict(hidden_layer_sizes=5, random_state=0, learning_rate_init=0.02)
    stopped = MLPRegressor(tol=1e-2, max_iter=2000, **options).fit(X, VALUES)
    assert 20 < stopped.n_iter_ < 2000
    as_long = MLPRegressor(max_iter=stopped.n_iter_, **options | ENDLESS).fit(X, VALUES)
    for name, slot in stopped._optimizer.slots.items():
        np.testing.assert_array_equal(slot, as_long._optimizer.slots[name])
    np.testing.assert_array_equal(stopped.partial_fit(X, VALUES).predict(X), as_long.partial_fit(X, VALUES).predict(X))


# ---- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PAIRS)
def test_every_parameter_of_theirs_with_its_default(kind):
    ours, other = (inspect.signature(make).parameters for make in PAIRS[kind])
    for name, parameter in other.items():
        assert (ours[name].default, ours[name].kind) == (parameter.default, parameter.kind)
    new = {"architecture", "training"} | ({"loss", "class_weight"} if kind == "classifier" else set())
    assert set(ours) - set(other) == new


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("options", [dict(), dict(early_stopping=True), dict(solver="lbfgs")], ids=str)
def test_every_attribute_of_theirs(kind, options):
    ours, other = (make(max_iter=300, tol=0.01, **options).fit(X, targets(kind)) for make in PAIRS[kind])
    public = [name for name in dir(other) if name.endswith("_") and not name.startswith("_")]
    assert len(public) > 8
    for name in public:
        value, right = getattr(ours, name), getattr(other, name)
        assert (value is None) == (right is None), name
        if isinstance(right, list):
            assert isinstance(value, list), name
        if name in {"n_layers_", "n_outputs_", "out_activation_", "n_features_in_"}:
            assert value == right, name


def test_worked_example():
    """The one that scikit-learn's test works out by hand."""
    model = MLPClassifier(
        2, "logistic", solver="sgd", learning_rate_init=0.1, alpha=0.1, max_iter=1, momentum=0, random_state=1
    )
    coefs = [np.array([[0.1, 0.2], [0.3, 0.1], [0.5, 0]]), np.array([[0.1], [0.2]])]
    rows = np.array([[0.6, 0.8, 0.7]])
    model.partial_fit(rows, [0], classes=[0, 1])
    model.coefs_, model.intercepts_ = coefs, [np.array([0.1, 0.1]), np.array([1.0])]
    model.partial_fit(rows, [0])
    right = [[0.098, 0.195756], [0.2956664, 0.096008], [0.4939998, -0.002244]]
    np.testing.assert_allclose(model.coefs_[0], right, atol=1e-3)
    np.testing.assert_allclose(model.coefs_[1], [[0.04706], [0.154089]], atol=1e-3)
    np.testing.assert_allclose(np.concatenate(model.intercepts_), [0.098333, 0.09626, 0.9235], atol=1e-3)
    assert model.predict_proba(rows)[0, 1] == pytest.approx(0.739, abs=1e-3)
