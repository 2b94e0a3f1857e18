"""A training from a table, before and after it ran."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.settings import Settings
from chainrule.table_training import TableTraining

RNG = np.random.default_rng(0)
FRAME = pl.DataFrame({"x": RNG.normal(size=60), "z": RNG.normal(size=60), "kind": list("abc") * 20})
QUICK = {"target": "kind", "layers": (2,), "epochs": 2}


@pytest.mark.parametrize(
    ("shares", "rows", "part"),
    [
        ({"test": 0.2, "validation": 0.25}, (36, 12, 12), "test"),
        ({"validation": 0.25}, (45, 15, 0), "validation"),
        ({"validation": 0.0}, (60, 0, 0), "training"),
    ],
)
def test_it_is_judged_by_the_rows_it_has_not_seen(shares, rows, part):
    training = TableTraining(FRAME, Settings(**QUICK, **shares))
    assert training.rows == rows
    training.run()
    judged, report = training.report()
    assert (judged, report.rows) == (part, rows[("training", "validation", "test").index(part)])


@pytest.mark.parametrize(
    ("frame", "loss", "units", "activation"),
    [
        (FRAME, "auto", 3, "softmax"),
        (FRAME, "mean_squared_error", 3, "sigmoid"),
        (FRAME.filter(pl.col("kind") != "c"), "binary_cross_entropy", 1, "sigmoid"),
        (FRAME.with_columns(kind=pl.col("x")), "auto", 1, "identity"),
        (FRAME.with_columns(kind=pl.Series(range(60)) + 0.5), "poisson", 1, "softplus"),
    ],
)
def test_the_last_layer_fits_the_task_and_the_loss(frame, loss, units, activation):
    last = TableTraining(frame, Settings(**QUICK, loss=loss)).model.network.layers[-1]
    assert (last.units, last.f.name) == (units, activation)


def test_one_sigmoid_does_not_tell_three_classes_apart():
    with pytest.raises(cr.ArgumentError, match="cross_entropy for 3 classes"):
        TableTraining(FRAME, Settings(**QUICK, loss="binary_cross_entropy"))
