"""A sparse X: the same training as on the same rows made dense, without making them so."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.estimators import Architecture, MLPClassifier, MLPRegressor, TrainingOptions

pytest.importorskip("sklearn")
sparse = pytest.importorskip("scipy.sparse")

RNG = np.random.default_rng(0)
DENSE = RNG.standard_normal((60, 40)) * (RNG.random((60, 40)) < 0.08)
X = sparse.csr_array(DENSE)
LABELS = np.where(DENSE.sum(axis=1) > 0, "up", "down")
VALUES = DENSE @ RNG.standard_normal(40)
SHORT = dict(hidden_layer_sizes=6, max_iter=4, n_iter_no_change=4, batch_size=25, random_state=0)
ON_REFERENCE = TrainingOptions(engine="reference")
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning", "ignore:lbfgs has not:UserWarning")


@pytest.fixture
def none_made_dense(monkeypatch):
    """Fail where numbers are made dense; scikit-learn does so with labels."""
    for kind in (sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix):

        def toarray(matrix, *args, original=kind.toarray, **options):
            assert matrix.dtype.kind != "f"
            return original(matrix, *args, **options)

        monkeypatch.setattr(kind, "toarray", toarray)


@pytest.mark.parametrize(
    ("make", "dtype", "options"),
    [
        (sparse.csr_array, np.float64, dict()),
        (sparse.csc_matrix, np.float32, dict()),
        (sparse.coo_array, np.float64, dict(solver="lbfgs")),
        (sparse.csr_matrix, np.float64, dict(solver="sgd", alpha=0.1)),
        (sparse.csr_array, np.float32, dict(early_stopping=True)),
        (sparse.csr_array, np.float64, dict(hidden_layer_sizes=())),
        (sparse.csc_array, np.float64, dict(architecture=Architecture(dropout=0.3, normalization="batch"))),
    ],
)
@pytest.mark.usefixtures("none_made_dense")
def test_the_same_training_as_on_dense_rows(make, dtype, options):
    dense = MLPRegressor(**SHORT | options, training=ON_REFERENCE).fit(DENSE.astype(dtype), VALUES)
    model = MLPRegressor(**SHORT | options).fit(make(DENSE.astype(dtype)), VALUES)
    tolerance = 1e-4 if dtype == np.float32 else 1e-9
    np.testing.assert_allclose(model.loss_, dense.loss_, rtol=tolerance)
    np.testing.assert_allclose(model.predict(make(DENSE)), dense.predict(DENSE), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(model.predict(DENSE), dense.predict(DENSE), rtol=tolerance, atol=tolerance)


@pytest.mark.usefixtures("none_made_dense")
def test_rows_to_validate_on_may_be_of_either_kind():
    scores = [MLPClassifier(**SHORT).fit(X, LABELS, X_val=held, y_val=LABELS).validation_scores_ for held in (X, DENSE)]
    assert scores[0] == scores[1]


def test_sparse_rows_to_validate_a_dense_training_on():
    model = MLPClassifier(**SHORT).fit(DENSE, LABELS, X_val=X, y_val=LABELS)
    assert (
        model.validation_scores_
        == MLPClassifier(**SHORT).fit(DENSE, LABELS, X_val=DENSE, y_val=LABELS).validation_scores_
    )


@pytest.mark.usefixtures("none_made_dense")
def test_portions_and_weights():
    model, dense = MLPClassifier(**SHORT), MLPClassifier(**SHORT, training=ON_REFERENCE)
    weights = RNG.uniform(0.5, 2.0, 60)
    for part in (slice(0, 30), slice(30, 60)):
        model.partial_fit(X[part], LABELS[part], weights[part], classes=["down", "up"])
        dense.partial_fit(DENSE[part], LABELS[part], weights[part], classes=["down", "up"])
    np.testing.assert_allclose(model.predict_proba(X), dense.predict_proba(DENSE), rtol=1e-9)


@pytest.mark.parametrize(
    "options",
    [dict(training=TrainingOptions(engine="native")), dict(architecture=Architecture(layers=[cr.BatchNorm()]))],
    ids=["an engine that wants dense rows", "a first layer that is not dense"],
)
def test_where_they_must_be_dense_they_are_made_so(options):
    model, dense = (MLPRegressor(**SHORT | options).fit(rows, VALUES) for rows in (X, DENSE))
    np.testing.assert_allclose(model.predict(X), dense.predict(DENSE), rtol=1e-9)


def test_many_entries_train_in_the_native_engine():
    filled = sparse.csr_array(RNG.standard_normal((30, 4)))
    model = MLPRegressor(**SHORT).fit(filled, VALUES[:30])
    np.testing.assert_array_equal(model.predict(filled), model.predict(filled.toarray()))
    assert (
        model.network_.engine_choice.engine.name
        == MLPRegressor(**SHORT).fit(DENSE, VALUES).network_.engine_choice.engine.name
    )


def test_a_divergence_is_placed():
    with pytest.raises(cr.DivergenceError, match="the output of layer dense_2 is not finite"):
        MLPRegressor(**SHORT, solver="sgd", learning_rate_init=1e200).fit(X, VALUES)
