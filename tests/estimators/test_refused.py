"""What an estimator refuses, and how it tells: where, what came, how to mend it."""

from __future__ import annotations

import warnings

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.estimators import Architecture, MLPClassifier, MLPRegressor, TrainingOptions

pytest.importorskip("sklearn")
pd = pytest.importorskip("pandas")
sparse = pytest.importorskip("scipy.sparse")

X = np.random.default_rng(0).standard_normal((30, 3))
LABELS = np.where(X[:, 0] > 0, "high", "low")
VALUES = X @ [1.0, -2.0, 0.5]
SHORT = dict(hidden_layer_sizes=3, max_iter=2, random_state=0)
DAYS = np.arange(30).astype("datetime64[D]")
pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:UserWarning",
    "ignore:Determining the data types of a LazyFrame",  # by scikit-learn before 1.6
)


def with_one(value, kind=float):
    rows = X.astype(kind)
    rows[4, 1] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (with_one(np.nan), "Input X contains NaN. X: row 4, column 1 is nan. Fill or drop missing values first"),
        (with_one(-np.inf), "infinity.* X: row 4, column 1 is -inf"),
        (with_one("cat", object), "X: row 4, column 1 is 'cat', not a number. Encode text .* OneHotEncoder"),
        (pd.DataFrame(with_one(np.nan), columns=list("abc")), r"row 4, column 1 \(b\) is nan"),
        (
            pl.DataFrame(with_one(None, object).tolist(), schema=list("abc"), orient="row"),
            r"row 4, column 1 \(b\) is nan",
        ),
        (pd.DataFrame({"a": ["x"] * 30}), r"row 0, column 0 \(a\) is 'x', not a number"),
        (pd.DataFrame({"a": DAYS, "b": X[:, 0]}), "expected numbers, got 'dates or times'. Give dates as numbers"),
        (pl.DataFrame({"a": DAYS}), "expected numbers, got 'dates or times'"),
        (DAYS[:, None], "expected numbers, got 'dates or times'"),
        (np.ma.masked_array(X, np.arange(90).reshape(30, 3) == 13), "row 4, column 1 is nan"),
        (pl.DataFrame(X).lazy(), r"expected a frame in memory.*Call .collect\(\) first"),
        ({"a": X[:, 0]}, "expected an array, a list or a frame"),
        (sparse.csr_array(with_one(np.nan)), "Input X contains NaN"),
        (X[:, 0], "Reshape your data"),
        (X[:, :, None], "dim 3"),
        (X[:0], r"0 sample\(s\)"),
        (X.astype(complex), "Complex data not supported"),
        (X[:9], "inconsistent numbers of samples"),
    ],
)
def test_inputs(rows, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**SHORT).fit(rows, LABELS)


@pytest.mark.parametrize(
    ("make", "y", "message"),
    [
        (MLPClassifier, VALUES, "Unknown label type: continuous. For values take MLPRegressor"),
        (
            MLPClassifier,
            np.array([None, *LABELS[1:]], object),
            "Unknown label type: unknown. Give text or whole numbers",
        ),
        (MLPClassifier, np.column_stack([X[:, 0] > 0, np.arange(30) % 3]), "MultiOutputClassifier"),
        (MLPClassifier, None, "requires y"),
        (MLPRegressor, LABELS, "expected numbers, got .*For labels take MLPClassifier"),
        (MLPRegressor, DAYS, "Give dates as numbers"),
        (MLPRegressor, VALUES[:, None, None], "dim 3"),
        (MLPRegressor, np.array([np.nan, *VALUES[1:]]), "y contains NaN"),
    ],
)
def test_targets(make, y, message):
    with pytest.raises(ValueError, match=message):
        make(**SHORT).fit(X, y)


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("cross_entropy", VALUES, "Take binary_cross_entropy, or an output for each class"),
        ("binary_cross_entropy", VALUES, "expected numbers from 0 to 1"),
        ("cross_entropy", abs(X) / 10, "probabilities that sum to 1"),
        ("poisson", VALUES, "expected numbers >= 0 under poisson"),
    ],
)
def test_values_that_a_loss_cannot_mean(loss, y, message):
    with pytest.raises(cr.InputError, match=message):
        MLPRegressor(loss, **SHORT).fit(X, y)


def test_numbers_beyond_the_type_of_the_network():
    model = MLPRegressor(**SHORT).fit(X.astype(np.float32), VALUES)
    with pytest.raises(cr.DataError, match="X holds numbers beyond float32"):
        model.predict(1e300 * X)
    with pytest.raises(cr.DataError, match="y holds numbers beyond float32"):
        MLPRegressor(**SHORT).fit(X.astype(np.float32), 1e300 * VALUES)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(X_val=X), "X_val and y_val together"),
        (dict(y_val=LABELS), "X_val and y_val together"),
        (dict(sample_weight_val=np.ones(30)), "X_val and y_val together"),
        (dict(X_val=X, y_val=np.full(30, "middle")), "`y_val` has classes not in `self.classes_`: .'middle'."),
        (dict(X_val=X[:, :2], y_val=LABELS), "X has 2 features, but MLPClassifier is expecting 3"),
        (dict(coef_init=[X, X]), r"coef_init\[0\]: the array: expected shape \(3, 3\), got \(30, 3\)"),
        (dict(coef_init=[np.full((3, 3), np.nan), np.ones((3, 1))]), r"coef_init\[0\]: .* finite numbers"),
        (dict(intercept_init="zeros"), "intercept_init: expected 2 arrays, one for each layer, got 'zeros'"),
        (dict(sample_weight=np.ones((30, 1))), r"sample_weight: expected \(30,\)"),
    ],
)
def test_what_fit_is_given_besides(given, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**SHORT).fit(X, LABELS, **given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(class_weight="balancd"), r"class_weight: expected 'balanced', a dict \{label: weight\}, or None"),
        (dict(class_weight={"high": 1, "hihg": 2}), r"class_weight: expected labels among \['high', 'low'\]"),
        (dict(class_weight={"high": -1}), "class_weight of 'high': expected a number >= 0"),
        (dict(architecture=Architecture(output="softmax")), "output: expected sigmoid, which give probabilities here"),
        (dict(architecture=Architecture(layers=cr.Dense(3))), r"layers: expected a list such as \[Dense"),
        (dict(training=TrainingOptions(l1=-1.0)), "TrainingOptions: l1: expected a number >= 0, got -1"),
        (dict(activation="logistc"), "Did you mean 'logistic'"),
        (dict(solver="sgd", learning_rate="invscalng"), "Did you mean 'invscaling'"),
    ],
)
def test_parameters_of_a_classifier(options, message):
    with pytest.raises(cr.ArgumentError, match=message):
        MLPClassifier(**SHORT | options).fit(X, LABELS)


def test_a_row_that_is_ready_is_looked_at_all_the_same():
    model = MLPClassifier(**SHORT).fit(X, LABELS)
    for rows, message in [(with_one(np.nan), "row 4, column 1"), (X[:, :2], "2 features"), (X[:0], "0 sample")]:
        with pytest.raises(ValueError, match=message):
            model.predict(rows)
    named = MLPClassifier(**SHORT).fit(pd.DataFrame(X, columns=list("abc")), LABELS)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        named.predict(X)
    with pytest.raises(AttributeError, match="not fitted yet"):
        MLPClassifier().predict(X)


def test_a_column_of_labels_warns_once():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        MLPClassifier(**SHORT).fit(X, LABELS[:, None])
    assert [str(each.message)[:25] for each in told].count("A column-vector y was pas") == 1
