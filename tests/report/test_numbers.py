"""The numbers behind a report, beside those of scikit-learn."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.report.cells import shown_cells
from chainrule.report.curves import calibration, precision_recall, roc
from chainrule.report.importance import importances
from chainrule.report.setting import code_of
from chainrule.report.subject import Subject, image_places
from chainrule.tables import fit_columns

rng = np.random.default_rng(0)
SCORES = [rng.random(200), rng.integers(0, 5, 200) / 4, np.full(200, 0.5)]
INSIDE = rng.random(200) < 0.3


@pytest.mark.parametrize("scores", SCORES, ids=["all different", "many ties", "all the same"])
def test_curves_are_those_of_scikit_learn(scores):
    metrics = pytest.importorskip("sklearn.metrics")
    found = roc(INSIDE, scores)
    false, true, _ = metrics.roc_curve(INSIDE, scores, drop_intermediate=False)
    assert np.allclose(found.false_positive, false)
    assert np.allclose(found.true_positive, true)
    area = np.trapezoid(found.true_positive, found.false_positive)
    assert area == pytest.approx(cr.metrics.roc_auc(INSIDE.astype(int), scores))
    found = precision_recall(INSIDE, scores)
    assert found.average == pytest.approx(metrics.average_precision_score(INSIDE, scores))


def test_a_network_that_is_as_sure_as_it_is_right_is_calibrated():
    P = np.array([[0.75, 0.25]] * 4 + [[0.0, 1.0]] * 2)
    found = calibration(np.array([0, 0, 0, 1, 1, 1]), P)
    assert (found.error, found.rows.tolist()) == (0.0, [4, 2])
    always_wrong = calibration(np.array([1, 1, 1, 1, 0, 0]), P)
    assert always_wrong.error == pytest.approx((4 * 0.75 + 2) / 6)


def test_only_the_input_that_is_used_matters():
    X = rng.normal(0, 1, (400, 3))
    found = importances(
        X,
        lambda inputs, rows: float(((inputs[:, 1] > 0) == (X[rows, 1] > 0)).mean()),
        [("a", slice(0, 1)), ("b", slice(1, 2)), ("c", slice(2, 3))],
        parameters=10,
    )
    first, *others = found.each
    assert first.name == "b"
    assert first.mean == pytest.approx(0.5, abs=0.05)  # half of the signs are right by chance
    assert 0 < first.deviation < 0.05
    assert [(each.mean, each.deviation) for each in others] == [(0, 0), (0, 0)]


@pytest.mark.parametrize(
    ("names", "aside", "found"),
    [
        ([f"pixel{i}" for i in range(49)], [], (7, list(range(49)))),
        ([f"p{i}" for i in range(1, 64)], ["p0", "id"], (8, list(range(1, 64)))),
        ([f"x{i}" for i in range(16)], [], None),  # sixteen columns by number are no image
        (["width", "height"], [], None),
        ([f"a{i}" for i in range(49)] + ["b1"], [], None),
    ],
)
def test_images_are_known_by_the_names_of_their_pixels(names, aside, found):
    seen = image_places(names, aside)
    assert (None if seen is None else (seen[0], seen[1].tolist())) == found


@pytest.mark.parametrize(
    "value",
    [
        cr.Dense(3, "leaky_relu", bias=False, init=cr.initializers.Normal(0.5)),
        cr.Residual((cr.Dense(2), cr.BatchNorm())),
        cr.AdamW(cr.schedules.Cosine(0.1), clip_norm=1.0),
        cr.EarlyStopping(3, min_delta=0.1),
        cr.losses.Huber(reduction="sum"),
    ],
)
def test_the_python_of_a_record_makes_the_record(value):
    assert eval(code_of(value), {"cr": cr}) == value  # noqa: S307 -- the text is ours


@pytest.mark.parametrize(
    ("moments", "told"),
    [
        (["2020-02-29 00:00", "1999-12-31 00:00", "2031-01-01 00:00"], ["2020-02-29", "1999-12-31", "2031-01-01"]),
        (["2021-05-01 00:00", "2021-05-01 23:59"], ["2021-05-01 00:00", "2021-05-01 23:59"]),
        (["1901-05-01 09:05", "2021-05-01 09:05"], ["1901-05-01", "2021-05-01"]),  # all at the same hour
    ],
)
def test_a_date_is_told_as_a_date(moments, told):
    frame = pl.DataFrame({"when": pl.Series(moments).str.to_datetime(), "y": range(len(moments))})
    columns = fit_columns(frame, "y", rows=np.arange(len(frame)))
    X = columns.encode(frame, dtype="float32")
    assert [shown_cells(columns.features, x) for x in X] == [[text] for text in told]


def test_columns_by_number_are_an_image_where_they_begin_at_one_value():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (80, 49))
    pixels = np.clip(noise, 0, None)

    def image(X):
        net = cr.Network([cr.Dense(1)], "mean_squared_error")
        history = net.fit(X, X[:, 0], epochs=1)
        return Subject(history=history, trained=history.trained).image

    assert image(noise) is None
    assert image(pixels)[0] == image(pixels / 2 - 1)[0] == 7
