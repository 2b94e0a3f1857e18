"""Scalings, activations and what changes nothing, put together by hand."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.importing.assembling import assemble
from chainrule.importing.comparing import random_rows
from chainrule.importing.imported import ImportedNetwork
from chainrule.importing.steps import Affine, Source, Step

rng = np.random.default_rng(8)
W = rng.normal(size=(3, 2))
SCALE = Affine(np.array([2.0, 0.5, -1.0]), np.array([1.0, 0.0, 3.0]))
PLAIN = Affine(np.array(2.0), np.array(-1.0))


def dense(name="dense", W=W, activation="identity"):
    return Step(name=name, becomes=cr.Dense(W.shape[1], activation, bias=False), numbers={"W": W})


def scaling(by=SCALE, name="scale"):
    return Step(name=name, becomes=by)


NOTHING = Step(name="nothing")
TANH = Step(name="tanh", becomes=cr.Activation("tanh"))


def by_hand(steps, X):
    """The values after each step, each step taken by its own words."""
    values = []
    for step in steps:
        if isinstance(step.becomes, Affine):
            X = X * step.becomes.factor + step.becomes.shift
        elif isinstance(step.becomes, cr.Dense):
            X = X @ step.numbers["W"]
            X = np.tanh(X) if step.becomes.f.name == "tanh" else X
        elif isinstance(step.becomes, cr.Activation):
            X = np.tanh(X)
        values.append(X)
    return values


def source(*steps):
    return Source(where="here", origin="somewhere", steps=steps, run=lambda X: by_hand(steps, X))


CHAINS = {
    "a scaling before": (scaling(), dense()),
    "two scalings before": (scaling(), scaling(PLAIN, "again"), dense()),
    "a scaling behind": (dense(), scaling(PLAIN), TANH),
    "two scalings behind": (dense(), scaling(PLAIN), scaling(PLAIN, "again")),
    "a scaling behind an activation": (dense(), TANH, scaling(PLAIN)),
    "a scaling between": (dense(), TANH, scaling(PLAIN), dense("last", W.T)),
    "two activations": (dense(), TANH, TANH),
    "an activation after one": (dense(activation="tanh"), TANH),
    "a scaling before an activation": (scaling(), TANH, dense()),
    "nothing everywhere": (NOTHING, scaling(), NOTHING, dense(), NOTHING, TANH, NOTHING),
    "nothing after a scaling": (dense(), TANH, scaling(PLAIN), NOTHING),
    "an activation first": (TANH, dense()),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_computes_what_its_steps_do(name):
    steps = CHAINS[name]
    net = ImportedNetwork.from_source(source(*steps), loss=None, X=None, seed=0)
    X = rng.normal(size=(5, 3))
    assert np.allclose(net.forward(X), by_hand(steps, X)[-1], rtol=1e-13)
    assert net.report.layers[-1].difference is not None
    assert net.report.difference < 1e-13


def test_what_became_of_each_step():
    became = assemble(source(*CHAINS["nothing everywhere"])).became
    assert became == (
        "nothing: it changes no row",
        "folded into dense_1.W and dense_1.b",
        "nothing: it changes no row",
        "dense_1",
        "nothing: it changes no row",
        "dense_1: tanh",
        "nothing: it changes no row",
    )


def test_random_rows_are_in_the_scale_of_the_data():
    far = Affine(np.array([1e-3, 1.0, 1e3]), np.array([-1.0, 0.0, -5e3]))  # means 1000, 0 and 5, widths 1000, 1, .001
    rows = random_rows(assemble(source(scaling(far), dense())))
    assert np.allclose(rows.mean(axis=0), [1000, 0, 5], atol=[400, 0.4, 4e-4])
    assert np.allclose(rows.std(axis=0), [1000, 1, 1e-3], rtol=0.3)


def test_a_source_that_computes_something_else_is_refused():
    def off(X):
        values = by_hand(CHAINS["a scaling before"], X)
        return [values[0], values[1] + 1e-6]

    wrong = Source(where="here", origin="somewhere", steps=CHAINS["a scaling before"], run=off)
    with pytest.raises(cr.ArgumentError, match=r"here: dense computes something else .* differ by 1e-06"):
        ImportedNetwork.from_source(wrong, loss=None, X=None, seed=0)


def test_a_scaling_of_another_width():
    with pytest.raises(cr.ShapeError, match="a number for each of 2 features, got 3"):
        assemble(source(dense(), scaling()))


def test_the_report_in_every_form():
    report = ImportedNetwork.from_source(source(*CHAINS["a scaling between"]), loss="huber", X=None, seed=0).report
    assert "here: loss huber" not in str(report)
    assert "loss huber: as asked for." in str(report)
    assert report.data()["layers"][2]["difference"] is None
    assert "<table" in report.to_html()
    assert "| tanh" in report.to_markdown()
    assert repr(report).startswith("ImportReport('somewhere', 4 layers, difference=")
