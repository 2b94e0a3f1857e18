# ruff: noqa: ARG002, S301 -- a protocol names its arguments; the pickles are our own
"""What our estimators have beside scikit-learn's, and how they behave among its tools."""

from __future__ import annotations

import pickle
import pickletools
import weakref

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses
from chainrule.estimators import Architecture, MLPClassifier, MLPRegressor, TrainingOptions
from chainrule.estimators.fitting import NonFiniteWeightsError

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402 -- only where it is installed
from sklearn.exceptions import ConvergenceWarning  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 3))
VALUES = X @ [1.0, -2.0, 0.5]
LABELS = np.array(["low", "middle", "high"])[np.digitize(VALUES, [-1, 1])]
SHORT = dict(hidden_layer_sizes=6, max_iter=3, random_state=0)
BOTH = [(MLPClassifier, LABELS), (MLPRegressor, VALUES)]
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning")


def kinds(model):
    return [layer.kind for layer in model.network_.layers]


# ---- architecture ---------------------------------------------------------------------------------------------------


def test_an_activation_and_a_dropout_for_each_layer():
    architecture = Architecture(dropout=[0.0, 0.25], normalization="batch")
    model = MLPClassifier((5, 4), ["gelu", cr.activations.LeakyReLU(0.2)], max_iter=2, architecture=architecture)
    model.fit(X, LABELS)
    first, norm, second, _, dropout, last = model.network_.layers
    assert [first.f.name, second.f.name, last.f.name] == ["gelu", "leaky_relu", "softmax"]
    assert (norm.kind, dropout.rate, model.n_layers_) == ("batch_norm", 0.25, 4)
    assert [W.shape for W in model.coefs_] == [(3, 5), (5, 4), (4, 3)]


def test_layers_of_any_kind():
    layers = [cr.Dense(4, "tanh"), cr.Residual([cr.Dense(4, "relu")])]
    model = MLPRegressor(architecture=Architecture(layers=layers), max_iter=2).fit(X, VALUES)
    assert kinds(model) == ["dense", "residual", "dense"]
    assert len(model.coefs_) == 3


@pytest.mark.parametrize("activation", ["relu", "logistic"])
def test_initial_weights_fill_scikit_learns_interval(activation):
    model = MLPRegressor(
        hidden_layer_sizes=400, activation=activation, max_iter=1, learning_rate_init=1e-12, random_state=0
    ).fit(X, VALUES)
    bound = np.sqrt((2 if activation == "logistic" else 6) / 403)
    for numbers in (model.coefs_[0], model.intercepts_[0]):
        assert 0.97 * bound < np.abs(numbers).max() <= bound
        assert np.var(numbers) == pytest.approx(bound**2 / 3, rel=0.15)


def test_initial_weights_of_another_kind():
    model = MLPRegressor(max_iter=1, learning_rate_init=1e-12, architecture=Architecture(init="zeros")).fit(X, VALUES)
    assert max(np.abs(W).max() for W in model.coefs_) < 1e-10


def test_given_weights_are_where_training_begins():
    coefs = [np.full((3, 6), 0.1), np.full((6, 1), 0.2)]
    model = MLPRegressor(**SHORT | dict(learning_rate_init=1e-12)).fit(X, VALUES, coef_init=coefs)
    np.testing.assert_allclose(model.coefs_[0], coefs[0], atol=1e-10)
    with pytest.raises(cr.ShapeError, match="coef_init: expected 2 arrays, one for each layer, got 1"):
        MLPRegressor(**SHORT).fit(X, VALUES, coef_init=coefs[:1])


def test_weights_are_set_where_they_stand():
    model = MLPRegressor(**SHORT).fit(X, VALUES)
    model.coefs_[1][...] = 0
    model.intercepts_[1] = [2.5]
    np.testing.assert_allclose(model.predict(X), 2.5)
    with pytest.raises(cr.ShapeError):
        model.coefs_[0] = np.zeros((2, 2))
    assert not hasattr(MLPRegressor(), "coefs_")


# ---- losses and weights ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.1, 0.9])
def test_a_quantile_lies_above_its_share_of_the_targets(level):
    y = RNG.exponential(size=400)
    model = MLPRegressor(
        losses.Quantile(level=level), (), random_state=0, learning_rate_init=0.005, tol=0, max_iter=600
    )
    assert np.mean(y < model.fit(np.ones((400, 1)), y).predict(np.ones((400, 1)))) == pytest.approx(level, abs=0.02)


def test_the_median_and_the_mean_of_targets_with_an_outlier():
    y = np.array([0.0, 1.0, 2.0, 3.0, 100.0])
    ones, options = (
        np.ones((5, 1)),
        dict(hidden_layer_sizes=(), alpha=0, learning_rate_init=0.1, max_iter=3000, tol=1e-7),
    )
    for loss, right, within in [("absolute_error", 2, 0.1), ("huber", 2.25, 0.3), ("squared_error", 21.2, 0.1)]:
        model = MLPRegressor(loss, random_state=0, n_iter_no_change=100, **options).fit(ones, y)
        assert model.predict(ones)[0] == pytest.approx(right, abs=within), loss


class FourthPower(losses.Loss, frozen=True, tag="fourth_power"):
    """A loss of a person's own."""

    def rows(self, Y, T):
        D = Y - T
        return (D**4).sum(axis=1), 4 * D**3


def test_a_loss_of_a_persons_own():
    model = MLPRegressor(FourthPower(), 6, random_state=0, max_iter=5).fit(X, VALUES)
    again = pickle.loads(pickle.dumps(model))
    assert again.network_.loss == FourthPower()
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert cr.check_gradients(model.network_, X[:5], VALUES[:5]).ok


def test_class_weights_are_weights_of_rows():
    weights = {"low": 3.0, "middle": 1.0, "high": 0.5}
    by_class = MLPClassifier(class_weight=weights, **SHORT).fit(X, LABELS)
    by_row = MLPClassifier(**SHORT).fit(X, LABELS, sample_weight=np.vectorize(weights.get)(LABELS))
    np.testing.assert_array_equal(by_class.predict_proba(X), by_row.predict_proba(X))
    plain = MLPClassifier(**SHORT).fit(X, LABELS)
    assert not np.allclose(by_class.predict_proba(X), plain.predict_proba(X))


def test_a_clipped_gradient_moves_the_weights_so_far_and_no_farther():
    options = dict(solver="sgd", momentum=0, learning_rate_init=0.5, max_iter=1, hidden_layer_sizes=4, random_state=0)
    start = MLPRegressor(**options | dict(learning_rate_init=1e-300)).fit(X, 1e6 * VALUES)
    model = MLPRegressor(training=TrainingOptions(clip_norm=0.1), **options).fit(X, 1e6 * VALUES)
    assert np.linalg.norm(model.network_.theta - start.network_.theta) == pytest.approx(0.5 * 0.1)


def test_any_optimizer_and_schedule():
    model = MLPRegressor(solver=cr.AdamW(cr.schedules.Cosine(0.02), weight_decay=0.1), **SHORT).fit(X, VALUES)
    assert type(model.network_.history.settings.optimizer).__name__ == "AdamW"
    rates = MLPRegressor(solver="rmsprop", learning_rate="cosine", **SHORT).fit(X, VALUES).network_.history["rate"]
    assert rates[0] > rates[-1]


# ---- validation -----------------------------------------------------------------------------------------------------


def test_own_validation_rows_give_curves():
    model = MLPClassifier(**SHORT).fit(X[:60], LABELS[:60], X_val=X[60:], y_val=LABELS[60:])
    assert len(model.validation_loss_curve_) == len(model.validation_scores_) == 3
    P = model.predict_proba(X[60:])
    by_hand = -np.log(P[np.arange(20), np.searchsorted(model.classes_, LABELS[60:])]).mean()
    assert model.validation_loss_curve_[-1] == pytest.approx(by_hand)
    assert model.validation_scores_[-1] == model.score(X[60:], LABELS[60:])


def test_early_stopping_goes_back_to_the_best_weights_on_own_rows():
    noisy = RNG.permutation(LABELS)
    model = MLPClassifier(20, early_stopping=True, random_state=1, learning_rate_init=0.02, max_iter=500)
    model.fit(X[:60], noisy[:60], X_val=X[60:], y_val=noisy[60:])
    assert model.n_iter_ < 500
    assert model.score(X[60:], noisy[60:]) == max(model.validation_scores_) == model.best_validation_score_


# ---- kinds of data --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "y"), BOTH)
def test_float32_stays_float32(make, y):
    model = make(**SHORT).fit(X.astype(np.float32), y if make is MLPClassifier else y.astype(np.float32))
    assert model.network_.dtype == "float32"
    assert all(W.dtype == np.float32 for W in [*model.coefs_, *model.intercepts_])
    assert getattr(model, "predict_proba", model.predict)(X.astype(np.float32)).dtype == np.float32


def test_several_labels_at_once():
    Y = np.column_stack([VALUES > 0, X[:, 0] > 0, X[:, 1] > 0]).astype(int)
    model = MLPClassifier(20, random_state=0, solver="lbfgs", alpha=5.0, tol=1e-2).fit(X, Y)
    assert model.predict(X).shape == model.predict_proba(X).shape == (80, 3)
    assert model.score(X, Y) > 0.9
    assert model.network_.layers[-1].f.name == "sigmoid"


def test_the_network_knows_the_labels():
    model = MLPClassifier(**SHORT).fit(X, LABELS)
    np.testing.assert_array_equal(model.network_.predict(X), model.predict(X))
    assert cr.check_gradients(model.network_, X[:5], LABELS[:5]).ok


def test_a_sparse_matrix():
    sparse = pytest.importorskip("scipy.sparse")
    model, other = (MLPRegressor(**SHORT).fit(rows, VALUES) for rows in (X, sparse.csr_matrix(X)))
    np.testing.assert_array_equal(other.predict(sparse.csc_matrix(X)), model.predict(X))


# ---- what is kept ---------------------------------------------------------------------------------------------------


def test_the_rows_are_let_go():
    rows = X.copy()
    kept = weakref.ref(rows)
    model = MLPRegressor(**SHORT).fit(rows, VALUES)
    del rows
    assert kept() is None
    assert model.network_.history.trained is None


def test_rows_are_kept_where_they_are_asked_for():
    model = MLPClassifier(**SHORT, training=TrainingOptions(keep_rows=True)).fit(X, LABELS)
    assert len(model.network_.history.trained.data.X) == 80


# ---- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(activation="rleu"), "there is no activation 'rleu'. Did you mean 'relu'"),
        (dict(solver="adma"), "there is no optimizer 'adma'. Did you mean 'adam'"),
        (dict(loss="hubre"), "there is no loss 'hubre'. Did you mean 'huber'"),
        (dict(learning_rate="adaptiv", solver="sgd"), "Did you mean 'adaptive'"),
        (dict(hidden_layer_sizes=(5, 0)), "hidden_layer_sizes must be > 0"),
        (dict(hidden_layer_sizes=(5, 4), activation=["relu"]), "one for each of the 2 hidden layers"),
        (dict(max_iter=0), "max_iter: expected a whole number >= 1, got 0"),
        (dict(batch_size="all"), "batch_size: expected a whole number >= 1"),
        (dict(alpha=-1), "alpha: expected a number >= 0"),
        (dict(shuffle="yes"), "shuffle: expected True or False"),
        (dict(architecture=0.2), r"architecture: expected Architecture\(...\), or None, got 0.2"),
        (dict(architecture=Architecture(normalization="bath")), "Did you mean 'batch'"),
        (dict(training=TrainingOptions(clip_norm=-1)), "clip_norm: expected a number above 0"),
        (dict(momentum=1.5, solver="sgd"), "momentum: expected a number from 0"),
    ],
)
def test_a_wrong_parameter_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        MLPRegressor(**options).fit(X, VALUES)


def test_weights_that_are_not_finite_are_an_error_of_both_kinds():
    with pytest.raises(NonFiniteWeightsError, match="epoch 4") as fault:
        MLPRegressor(solver="sgd", learning_rate_init=1e6).fit(1e3 * X, VALUES)
    assert isinstance(fault.value, cr.DivergenceError)
    assert isinstance(fault.value, ValueError)


def test_lbfgs_says_when_it_has_not_converged():
    with pytest.warns(ConvergenceWarning, match="lbfgs has not converged after 2 iterations"):
        model = MLPRegressor(solver="lbfgs", max_iter=2).fit(X, VALUES)
    assert model.n_iter_ == 2
    assert not hasattr(model, "partial_fit")


def test_a_warm_start_of_other_layers_is_refused():
    model = MLPRegressor(**SHORT, warm_start=True).fit(X, VALUES).fit(X, VALUES)
    with pytest.raises(cr.ArgumentError, match="warm_start goes on with the layers of the fit before"):
        model.set_params(hidden_layer_sizes=7).fit(X, VALUES)


def test_an_interruption_keeps_what_there_is(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cr.Network, "fit_rows", interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model = MLPRegressor(**SHORT).fit(X, VALUES)
    assert model.predict(X).shape == (80,)


# ---- copies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "y"), BOTH)
def test_a_pickle_holds_bytes_and_no_networks(make, y):
    model = make(**SHORT).fit(X, y)
    data = pickle.dumps(model)
    strings, found = [], set()
    for operation, value, _ in pickletools.genops(data):
        strings += [value] if isinstance(value, str) else []
        if operation.name == "STACK_GLOBAL":
            found.add(strings[-2])
        elif operation.name == "GLOBAL":
            found.add(value.split()[0])
    assert {name for name in found if name.startswith("chainrule")} == {make.__module__}
    again = pickle.loads(data)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    for one, other in zip([*again.partial_fit(X, y).coefs_], [*model.partial_fit(X, y).coefs_], strict=True):
        np.testing.assert_array_equal(one, other)


def test_damaged_bytes_are_refused():
    state = MLPRegressor(**SHORT).fit(X, VALUES).__getstate__()
    data, own = state["network_"]
    for damaged in (data[:-8], b"\xff" + data[1:], b"", data.replace(b"dense", b"dance")):
        with pytest.raises(cr.FileFormatError, match="pickled estimator"):
            MLPRegressor().__setstate__(state | {"network_": (damaged, own)})


def test_parameters_of_parameters():
    model = MLPClassifier().set_params(architecture__dropout=0.5, training__clip_norm=1.0)
    assert model.architecture.dropout == 0.5
    copy = clone(model)
    assert copy.architecture is not model.architecture
    assert copy.get_params()["training__clip_norm"] == 1.0
    with pytest.raises(ValueError, match="drop"):
        MLPClassifier().set_params(architecture__drop=0.5)


# ---- callbacks ------------------------------------------------------------------------------------------------------


class Stops:
    """A callback of scikit-learn's kind, that ends the training after two epochs."""

    def __init__(self):
        self.seen = []

    def setup(self, estimator, context):
        self.seen.append("setup")

    def teardown(self, estimator, context):
        self.seen.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.seen.append((context.task_name, fitted_estimator.score(X, y)))
        return len(self.seen) == 3


def test_a_callback_sees_the_epochs_and_may_stop():
    pytest.importorskip("sklearn.callback")
    callback = Stops()
    model = MLPClassifier(6, random_state=0).set_callbacks(callback).fit(X, LABELS)
    assert model.n_iter_ == 2
    begin, first, second, whole, end = callback.seen
    assert (begin, end) == ("setup", "teardown")
    assert [first[0], second[0], whole[0]] == ["epoch", "epoch", "fit"]
    short = MLPClassifier(6, random_state=0, max_iter=1).fit(X, LABELS)
    assert first[1] == short.score(X, LABELS)
    assert whole[1] == model.score(X, LABELS)


def test_the_scoring_monitor():
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = MLPClassifier(**SHORT).set_callbacks(monitor).fit(X, LABELS)
    scores = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(scores) == 3
    assert scores[-1] == model.score(X, LABELS)
