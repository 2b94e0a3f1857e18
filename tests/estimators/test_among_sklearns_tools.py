"""Our estimators in scikit-learn's searches, pipelines and checks."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.estimators import MLPClassifier, MLPRegressor

sklearn = pytest.importorskip("sklearn")
from sklearn.datasets import load_breast_cancer, load_iris  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

# The tools are imported where they are used: these tests are slow, but every run of the quick ones collects them.
X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
VERSION = tuple(map(int, sklearn.__version__.split(".")[:2]))
QUICK = dict(hidden_layer_sizes=10, max_iter=30, learning_rate_init=0.05, random_state=0)
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning")]


@pytest.mark.filterwarnings("ignore")  # scikit-learn's checks warn by themselves
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("make", [MLPClassifier, MLPRegressor])
def test_check_estimator_finds_nothing(make, solver):
    """No check is expected to fail."""
    from sklearn.utils.estimator_checks import check_estimator
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # on a busy machine OpenBLAS's threads wait for each other at each small product
        check_estimator(make(solver=solver, max_iter=100))


def test_a_pipeline_in_a_grid_search():
    from sklearn.model_selection import GridSearchCV

    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**QUICK))
    grid = {"mlpclassifier__architecture__dropout": [0.0, 0.95], "mlpclassifier__activation": ["relu", "gelu"]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert search.best_params_["mlpclassifier__architecture__dropout"] == 0.0
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("resource", ["n_samples", "max_iter"])
def test_a_halving_search(resource):
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401 -- as its documentation says
    from sklearn.model_selection import HalvingRandomSearchCV

    model = MLPClassifier(10, random_state=0, learning_rate_init=0.05, max_iter=30)
    rates = {"learning_rate_init": [1e-6, 1e-4, 0.01, 0.05]}
    options = dict(n_candidates=4, cv=2, random_state=0, resource=resource)
    options |= dict(min_resources=10, max_resources=40) if resource == "max_iter" else dict()
    search = HalvingRandomSearchCV(model, rates, **options).fit(X, y)
    assert search.best_params_["learning_rate_init"] >= 0.01


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_the_same_scores_in_threads_and_processes(backend):
    import joblib
    from sklearn.model_selection import cross_val_score

    alone = cross_val_score(MLPClassifier(**QUICK), X, y, cv=4)
    with joblib.parallel_backend(backend, n_jobs=2):
        np.testing.assert_array_equal(cross_val_score(MLPClassifier(**QUICK), X, y, cv=4), alone)
    assert alone.mean() > 0.9


def test_calibration():
    from sklearn.calibration import CalibratedClassifierCV

    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    model = CalibratedClassifierCV(MLPClassifier(**QUICK), cv=3).fit(X[::2], y[::2])
    assert model.score(X[1::2], y[1::2]) > 0.93


def test_importance_by_permutation():
    from sklearn.inspection import permutation_importance

    noise = np.random.default_rng(0).standard_normal((len(X), 1))
    rows = np.hstack([X[:, 2:], noise])
    model = MLPClassifier(**QUICK).fit(rows, y)
    importance = permutation_importance(model, rows, y, random_state=0).importances_mean
    assert importance[2] < min(importance[:2])


def test_one_classifier_for_each_output():
    from sklearn.multioutput import MultiOutputClassifier

    both = np.column_stack([y, y == 1])
    assert MultiOutputClassifier(MLPClassifier(**QUICK)).fit(X, both).predict(X).shape == both.shape


def test_weights_and_validation_rows_are_routed():
    from sklearn.model_selection import cross_validate

    if VERSION < (1, 6):
        pytest.skip("before scikit-learn 1.6 a pipeline does not hand on the weights of a score")
    weights = np.where(y == 0, 5.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier(**QUICK).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        scores = cross_validate(pipeline, X, y, cv=3, params={"sample_weight": weights}, return_estimator=True)
        plain = cross_validate(
            make_pipeline(StandardScaler(), MLPClassifier(**QUICK)), X, y, cv=3, return_estimator=True
        )
    pairs = zip(scores["estimator"], plain["estimator"], strict=True)
    assert not any(np.allclose(a[-1].coefs_[0], b[-1].coefs_[0]) for a, b in pairs)


def test_validation_rows_go_through_the_pipeline():
    if VERSION < (1, 6):
        pytest.skip("before scikit-learn 1.6 a pipeline does not transform them")
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier(**QUICK).set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(StandardScaler(), model, transform_input=["X_val"])
        pipeline.fit(100 * X[::2] + 7, y[::2], X_val=100 * X[1::2] + 7, y_val=y[1::2])
        assert model.validation_scores_[-1] == pipeline.score(100 * X[1::2] + 7, y[1::2])


def test_joblib_dump(tmp_path):
    import joblib

    model = MLPRegressor(**QUICK).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model.joblib").predict(X), model.predict(X))


@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_dasks_incremental_search():
    dask_ml = pytest.importorskip("dask_ml.model_selection")
    distributed = pytest.importorskip("distributed")
    arrays = pytest.importorskip("dask.array")
    rows, labels = arrays.from_array(X, chunks=(50, 4)), arrays.from_array(y, chunks=50)
    options = dict(processes=False, dashboard_address=None, n_workers=1, threads_per_worker=2)
    with distributed.Client(**options):
        model = MLPClassifier(10, random_state=0)
        grid = {"learning_rate_init": [1e-6, 0.05]}
        search = dask_ml.IncrementalSearchCV(model, grid, n_initial_parameters="grid", max_iter=20, random_state=0)
        search.fit(rows, labels, classes=[0, 1, 2])
    assert search.best_params_ == {"learning_rate_init": 0.05}
