"""Networks from elsewhere as models of a table."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.neural_network import MLPClassifier
from tests.importing.graphs import graph, node

import chainrule as cr

rng = np.random.default_rng(1)
ROWS = rng.normal(size=(40, 4))
NAMES = np.array(["low", "high"])[(ROWS[:, 0] > 0).astype(int)]
TABLE = pl.DataFrame(ROWS, schema=list("abcd")).with_columns(kind=pl.Series(NAMES))


def linear(outputs):
    """A graph of four inputs."""
    W = rng.normal(size=(4, outputs)).astype("f4")
    return graph([node("MatMul", ["X", "V"], ["Y"])], {"V": W})


def test_an_estimator_knows_its_labels(tmp_path):
    estimator = MLPClassifier((3,), solver="lbfgs", max_iter=500, random_state=0).fit(ROWS, NAMES)
    net = cr.from_sklearn(estimator, X=ROWS)
    model = net.with_columns(TABLE, "kind")
    assert model.columns.classes == ("high", "low")
    assert model.predict(TABLE)["prediction"].to_list() == estimator.predict(ROWS).tolist()
    assert model.evaluate(TABLE).accuracy == pytest.approx(estimator.score(ROWS, NAMES))
    model.save(tmp_path / "net.safetensors")
    again = cr.load(tmp_path / "net.safetensors")
    assert again.predict(TABLE).equals(model.predict(TABLE))
    assert cr.check_gradients(again, TABLE).ok
    assert np.allclose(cr.trace(again, TABLE, rows=[3])["dense_1.X"], ROWS[3])


def test_values():
    net = cr.from_onnx(linear(1))
    table = TABLE.drop("kind").with_columns(y=pl.Series(ROWS @ net.theta))
    model = net.with_columns(table, "y")
    assert model.evaluate(table).r2 == pytest.approx(1)


def test_what_does_not_fit_is_said():
    net = cr.from_onnx(linear(3), loss="cross_entropy")
    with pytest.raises(cr.DataError, match="the table: expected 4 inputs, got"):
        net.with_columns(TABLE.select("a", "b", "kind"), "kind", classes=["low", "high", "other"])
    with pytest.raises(cr.ArgumentError, match="a table has one target, and the network 3 outputs"):
        cr.from_onnx(linear(3)).with_columns(TABLE, "kind")
