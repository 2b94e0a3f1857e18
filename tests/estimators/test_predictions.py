"""What predictions look like: probabilities, and frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import chainrule as cr
from chainrule.estimators import Architecture, MLPClassifier, MLPRegressor

pytest.importorskip("sklearn")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 3))
VALUES = X @ [1.0, -2.0, 0.5]
LABELS = np.where(VALUES > 1, "high", np.where(VALUES < -1, "low", "middle"))
SHORT = dict(hidden_layer_sizes=6, max_iter=3, random_state=0)
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning", "ignore:lbfgs has not:UserWarning")


# ---- probabilities ------------------------------------------------------------------------------------------------


def test_one_class_has_one_column():
    model = MLPClassifier(**SHORT).fit(X, np.full(80, "only"))
    assert model.predict(X[:2]).tolist() == ["only", "only"]
    assert model.predict_proba(X[:2]).tolist() == [[1.0], [1.0]]


def test_sigmoid_outputs_of_many_classes_are_made_to_sum_to_1():
    model = MLPClassifier(**SHORT, architecture=Architecture(output="logistic")).fit(X, LABELS)
    P, Y = model.predict_proba(X), model.network_.forward(X)
    np.testing.assert_allclose(P.sum(axis=1), 1.0)
    assert not np.allclose(Y.sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.predict(X), model.classes_[Y.argmax(axis=1)])


def test_shares_are_learned_as_such():
    """Cross-entropy to shares is least where the outputs are the shares."""
    shares = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
    model = MLPRegressor("cross_entropy", 20, solver="lbfgs", random_state=0, tol=1e-3).fit(X, shares)
    assert model.out_activation_ == "softmax"
    np.testing.assert_allclose(model.predict(X), shares, atol=0.05)
    one = MLPRegressor("binary_cross_entropy", 20, solver="lbfgs", random_state=0, tol=1e-3).fit(X, shares[:, 0])
    np.testing.assert_allclose(one.predict(X), shares[:, 0], atol=0.05)


# ---- frames ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_in_and_out(library):
    columns = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]}
    frame = pd.DataFrame(columns, index=np.arange(80) + 7) if library == "pandas" else pl.DataFrame(columns)
    target = pd.Series(LABELS, index=frame.index) if library == "pandas" else pl.Series(LABELS)
    model = MLPClassifier(**SHORT).fit(frame, target).set_output(predict=library)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    labels, table = model.predict(frame), model.predict_proba(frame)
    assert list(table.columns) == ["high", "low", "middle"]
    assert type(labels).__module__.partition(".")[0] == type(table).__module__.partition(".")[0] == library
    if library == "pandas":
        assert labels.index.equals(frame.index)
    np.testing.assert_array_equal(np.asarray(labels), model.set_output(predict="default").predict(frame))
    with pytest.raises(cr.ArgumentError, match="Did you mean 'pandas'"):
        model.set_output(predict="panda")


@pytest.mark.parametrize("library", [pd, pl])
def test_several_targets_keep_their_names(library):
    model = (
        MLPRegressor(**SHORT).fit(X, library.DataFrame({"price": VALUES, "rent": VALUES})).set_output(predict="pandas")
    )
    assert list(model.predict(X).columns) == ["price", "rent"]
    labels = library.DataFrame({"red": VALUES > 0, "blue": X[:, 0] > 0})
    several = MLPClassifier(**SHORT).fit(X, labels).set_output(predict="polars")
    assert several.predict(X).columns == several.predict_proba(X).columns == ["red", "blue"]
    plain = MLPRegressor(**SHORT).fit(X, np.column_stack([VALUES, VALUES])).set_output(predict="pandas")
    assert list(plain.predict(X).columns) == ["prediction_0", "prediction_1"]
