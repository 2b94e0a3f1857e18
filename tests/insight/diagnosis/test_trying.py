"""Trying a remedy: both ways from the same seed, and the difference."""

from __future__ import annotations

import json

import numpy as np
import pytest
from benchmarks.studies.sick import table

import chainrule as cr


def unscaled(**options) -> tuple[cr.Network, np.ndarray, np.ndarray]:
    wine = table("wine")
    return cr.Network([cr.Dense(8, "tanh"), cr.Dense(3, "softmax")], **options), wine.raw, wine.y


def test_scaled_inputs_help():
    net, X, y = unscaled()
    found = cr.diagnose(net, X, y, optimizer="sgd", epochs=15)["inputs_not_scaled"]
    tried = found.try_it()
    assert tried.measure == "accuracy"
    assert tried.scored_on == "held-out"
    assert tried.helped
    assert tried.after.score > 0.8 > tried.before.score
    assert len(tried.before.losses) == len(tried.after.losses) == 15


def test_as_it_was_is_the_training_that_fit_does():
    moons = table("moons")
    X, y = moons.X[:40], moons.y[:40]  # too few to hold any out
    net = cr.Network([cr.Dense(8), cr.Dense(2, "softmax")], seed=5, n_inputs=2)
    tried = cr.diagnose(net, X, y, optimizer=cr.SGD(0.5), epochs=4)["linear_network"].try_it()
    assert tried.scored_on == "training"
    history = net.fit(X, y, optimizer=cr.SGD(0.5), epochs=4)
    assert list(tried.before.losses) == pytest.approx(history["loss"], rel=1e-6)


def test_weights_that_were_set_are_where_both_begin():
    moons = table("moons")
    X, y = moons.X[:40], moons.y[:40]
    net = cr.Network([cr.Dense(8, "tanh"), cr.Dense(2, "softmax")], n_inputs=2)
    net.theta[...] = 0.01
    asked = {"optimizer": cr.SGD(1e-9), "epochs": 1, "batch_size": 40}
    tried = cr.diagnose(net, X, y, **asked)["update_ratio"].try_it()
    first = net.evaluate_loss(X, y)
    assert tried.before.losses[0] == pytest.approx(first, rel=1e-6)
    assert tried.after.losses[0] == pytest.approx(first, rel=1e-6)


def test_the_network_is_left_as_it_is():
    net, X, y = unscaled()
    found = cr.diagnose(net, X, y)
    before, kept = net.theta.copy(), X.copy()
    found[0].try_it(epochs=2)
    assert np.array_equal(net.theta, before)
    assert np.array_equal(X, kept)
    assert net.history is None


def test_a_divergence_is_part_of_the_comparison():
    sine = table("sine")
    watching = cr.Diagnosis()
    net = cr.Network([cr.Dense(1)], "mean_squared_error")
    with pytest.raises(cr.DivergenceError):
        net.fit(sine.X, sine.y, epochs=400, optimizer=cr.SGD(5.0), callbacks=[watching])
    tried = watching.findings["learning_rate_too_high"].try_it()
    assert tried.before.diverged.startswith("training diverged in epoch")
    assert not tried.after.diverged
    assert tried.measure == "R2"
    assert tried.helped
    assert "diverged" in str(tried)


def test_every_remedy_of_these_can_be_tried():
    """A remedy is a training: none of them ends in an error."""
    wine, sine = table("wine"), table("sine")
    sick = [
        cr.diagnose(
            cr.Network([cr.Dense(8, "sigmoid", init=cr.initializers.Normal(9.0)), cr.Dense(3, "softmax")]),
            wine.raw,
            wine.y,
        ),
        cr.diagnose(cr.Network([cr.Dense(8), cr.Dropout(0.9), cr.Dense(1, "relu")], "huber"), sine.X, 100 * sine.y),
        cr.diagnose(
            cr.Network([cr.Dense(8, "softmax"), cr.BatchNorm(), cr.Dense(3, "sigmoid")], "mean_squared_error"),
            wine.X,
            wine.y,
            batch_size=1,
        ),
        cr.diagnose(
            cr.Network(
                [cr.Dense(8, "relu", frozen=("W", "b"), init="zeros"), cr.Dense(3, "softmax", frozen=("W", "b"))]
            ),
            wine.X,
            wine.y,
        ),
    ]
    tried = [
        finding.try_it(place, epochs=1)
        for findings in sick
        for finding in findings
        for place, remedy in enumerate(finding.remedies)
        if remedy.change is not None
    ]
    assert len(tried) > 20
    assert all(each.after.losses or each.after.diverged for each in tried)


def test_how_it_is_shown():
    net, X, y = unscaled()
    tried = cr.diagnose(net, X, y)["inputs_not_scaled"].try_it(epochs=4)
    assert "accuracy on held-out rows" in str(tried)
    assert max(map(len, str(tried).splitlines())) <= 80
    assert json.loads(tried.to_json())["after"]["losses"] == list(tried.after.losses)
    assert "<svg" in tried.to_html()
    assert "<svg" not in tried.to_text()


def test_what_is_refused():
    net, X, y = unscaled()
    found = cr.diagnose(net, X, y)[0]
    with pytest.raises(cr.ArgumentError, match="remedy: expected a number from 0 to"):
        found.try_it(9)
    with pytest.raises(cr.ArgumentError, match="epochs"):
        found.try_it(epochs=0)
    values = cr.diagnose(cr.Network([cr.Dense(1)], "mean_squared_error"), X, y.astype(float))["output_mismatch"]
    with pytest.raises(cr.ArgumentError, match="no program can do this"):
        values.try_it()
