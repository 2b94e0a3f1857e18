from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, PolynomialFeatures, RobustScaler, StandardScaler
from sklearn.utils._testing import ignore_warnings
from tests.importing.checking import became, check_every_insight

import chainrule as cr

IRIS = load_iris()
X, SPECIES = IRIS.data, IRIS.target_names[IRIS.target]
SHORT = {"max_iter": 30, "random_state": 0}


@ignore_warnings(category=ConvergenceWarning)
def fitted(estimator, X=X, y=SPECIES):
    return estimator.fit(X, y)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("hidden", [(), (5,), (6, 5)])
def test_a_classifier_gives_the_same_probabilities_and_labels(activation, hidden):
    original = fitted(MLPClassifier(hidden, activation=activation, **SHORT))
    net = cr.from_sklearn(original)
    assert np.allclose(net.predict_proba(X), original.predict_proba(X), rtol=1e-10, atol=1e-12)
    assert net.predict(X).tolist() == original.predict(X).tolist()
    assert net.loss.name == "cross_entropy"
    assert net.dtype == "float64"


def test_two_classes_have_one_output():
    y = np.where(SPECIES == "setosa", "yes", "no")
    original = fitted(MLPClassifier((4,), **SHORT), y=y)
    net = cr.from_sklearn(original)
    assert net.loss.name == "binary_cross_entropy"
    assert np.allclose(net.predict_proba(X), original.predict_proba(X), rtol=1e-10)
    assert net.predict(X).tolist() == original.predict(X).tolist()


def test_several_classes_at_once():
    Y = np.stack([SPECIES == "setosa", X[:, 0] > 5.5], axis=1).astype(int)
    original = fitted(MLPClassifier((4,), **SHORT), y=Y)
    net = cr.from_sklearn(original)
    assert np.allclose(net.predict_proba(X), original.predict_proba(X), rtol=1e-10)
    assert net.predict(X).tolist() == original.predict(X).tolist()


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_regressor_gives_the_same_values(outputs):
    y = X[:, 2] if outputs == 1 else X[:, 2:]
    original = fitted(MLPRegressor(hidden_layer_sizes=(5,), **SHORT), y=y)
    net = cr.from_sklearn(original)
    assert np.allclose(net.predict(X), original.predict(X), rtol=1e-10)
    assert net.loss.name == "half_squared_error"


def test_the_gradient_is_the_one_that_scikit_learn_descends():
    """One step of its plain descent, over all rows, without momentum and penalty."""
    settings = dict(solver="sgd", learning_rate_init=0.1, momentum=0, alpha=0, batch_size=len(X), shuffle=False)
    original = fitted(MLPRegressor(hidden_layer_sizes=(5,), max_iter=1, random_state=0, **settings), y=X[:, 2:])
    net = cr.from_sklearn(original)
    before = net.theta.copy()
    _, gradient = net.loss_and_gradient(X, X[:, 2:])
    original.partial_fit(X, X[:, 2:])
    assert np.allclose(before - 0.1 * gradient.theta, cr.from_sklearn(original).theta, rtol=1e-9, atol=1e-12)


SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler((-1, 1)),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False, with_scaling=False),
]


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
def test_a_scaler_is_folded_into_the_first_layer(scaler):
    original = fitted(make_pipeline(scaler, MLPClassifier((5,), **SHORT)))
    net = cr.from_sklearn(original)
    assert np.allclose(net.predict_proba(X), original.predict_proba(X), rtol=1e-9, atol=1e-12)
    assert became(net)[f"{original.steps[0][0]}: {type(scaler).__name__}"] == "folded into dense_1.W and dense_1.b"


def test_scalers_in_a_row_and_pipelines_within():
    inner = make_pipeline(StandardScaler(), "passthrough", MinMaxScaler())
    original = fitted(make_pipeline(inner, RobustScaler(), MLPClassifier((5,), **SHORT)))
    net = cr.from_sklearn(original, X=X)
    assert np.allclose(net.predict_proba(X), original.predict_proba(X), rtol=1e-9, atol=1e-12)
    assert net.report.rows_given == len(X)


def test_float32_stays_float32():
    network = MLPRegressor(hidden_layer_sizes=(5,), **SHORT)
    original = fitted(make_pipeline(StandardScaler(), network), X.astype("f4"), X[:, 0])
    original[-1].coefs_ = [W.astype("f4") for W in original[-1].coefs_]
    original[-1].intercepts_ = [b.astype("f4") for b in original[-1].intercepts_]
    net = cr.from_sklearn(original)
    assert net.dtype == "float32"
    assert 0 < net.report.difference < 1e-5


def test_every_insight_works_on_it():
    original = fitted(make_pipeline(StandardScaler(), MLPClassifier((6,), "tanh", max_iter=300, random_state=0)))
    check_every_insight(cr.from_sklearn(original), X, SPECIES)


def test_what_stays_behind_is_said():
    net = cr.from_sklearn(fitted(MLPClassifier((3,), alpha=0.25, **SHORT)))
    assert "alpha=0.25" in net.report.notes[0]


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (make_pipeline(PolynomialFeatures(), MLPClassifier((2,), **SHORT)), "step 'polynomialfeatures'"),
        (make_pipeline(MinMaxScaler(clip=True), MLPClassifier((2,), **SHORT)), "clip=True"),
        (GridSearchCV(MLPClassifier((2,), **SHORT), {"alpha": [0.1]}, cv=2), "Give its best_estimator_"),
    ],
)
def test_what_has_no_counterpart_is_named(estimator, words):
    with pytest.raises(cr.ArgumentError, match=words):
        cr.from_sklearn(fitted(estimator))


def test_a_wrapped_regressor_and_what_is_no_estimator():
    wrapped = fitted(TransformedTargetRegressor(MLPRegressor(hidden_layer_sizes=(2,), **SHORT)), y=X[:, 0])
    with pytest.raises(cr.ArgumentError, match="Give its regressor_"):
        cr.from_sklearn(wrapped)
    with pytest.raises(cr.ArgumentError, match="int, is not supported"):
        cr.from_sklearn(3)
    with pytest.raises(cr.ArgumentError, match="LogisticRegression, is not supported"):
        cr.from_sklearn(LogisticRegression())


def test_counts_have_an_output_that_is_not_here():
    original = fitted(MLPRegressor(loss="poisson", hidden_layer_sizes=(2,), **SHORT), y=X[:, 0])
    with pytest.raises(cr.ArgumentError, match="layer 2, with activation 'exp'"):
        cr.from_sklearn(original)


@pytest.mark.parametrize("estimator", [MLPClassifier(), make_pipeline(StandardScaler(), MLPClassifier())])
def test_what_is_not_fitted_is_refused(estimator):
    with pytest.raises(cr.NotFittedError, match="fit"):
        cr.from_sklearn(estimator)


def test_numbers_that_are_not_finite_are_refused_by_place():
    original = fitted(MLPClassifier((3,), **SHORT))
    original.coefs_[1][2, 1] = np.nan
    with pytest.raises(cr.DataError, match=r"coefs_\[1\] holds nan at \[2, 1\]"):
        cr.from_sklearn(original)


def test_rows_of_another_width_are_refused():
    with pytest.raises(cr.ArgumentError, match="X, the rows to compare on: expected 4 columns, got 3"):
        cr.from_sklearn(fitted(MLPClassifier((3,), **SHORT)), X=X[:, :3])


def test_further_training_goes_on_from_there():
    original = fitted(make_pipeline(StandardScaler(), MLPClassifier((6,), **SHORT)))
    net = cr.from_sklearn(original)
    before = net.evaluate_loss(X, SPECIES)
    net.fit(X, SPECIES, epochs=3)
    assert net.evaluate_loss(X, SPECIES) < before
