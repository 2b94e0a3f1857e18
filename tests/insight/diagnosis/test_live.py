"""The diagnosis while a training runs: it changes nothing, sees the end whatever it is, and says what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.studies.sick import table

import chainrule as cr

SICK = cr.SGD(50.0)


def trained(callbacks=(), **options) -> cr.Network:
    iris = table("iris")
    plain = options.get("optimizer") == "lbfgs"  # which takes no layer that is not the same at every call
    inside = [] if plain else [cr.BatchNorm(), cr.Dropout(0.2)]
    net = cr.Network([cr.Dense(8, "tanh"), *inside, cr.Dense(3, "softmax")], seed=4, l2=0.01)
    net.fit(iris.X, iris.y, callbacks=callbacks, **({"epochs": 9, "optimizer": "adam"} | options))
    return net


@pytest.mark.parametrize(
    "options", [{}, {"validation": 0.2, "early_stopping": 2}, {"optimizer": "lbfgs"}, {"batch_size": 1, "epochs": 3}]
)
def test_the_result_is_the_same_to_the_bit(options):
    watching = cr.Diagnosis(tell=lambda _: None, share=1e9)
    assert np.array_equal(trained(**options).theta, trained([watching], **options).theta)
    assert watching.cost > 0


def test_a_divergence_is_told_where_it_was():
    sine = table("sine")
    watching = cr.Diagnosis()
    net = cr.Network([cr.Dense(1)], "mean_squared_error")
    with pytest.raises(cr.DivergenceError) as fault:
        net.fit(sine.X * 100, sine.y, epochs=50, optimizer=cr.SGD(0.1), callbacks=[watching])
    found = watching.findings["exploding_gradient"]
    assert fault.value.place in found.says
    assert f"epoch {fault.value.epoch}, step {fault.value.step}" in found.says
    assert "learning_rate_too_high" in watching.findings


def test_it_tells_of_an_alarm_once_while_it_runs():
    digits, told = table("digits"), []
    net = cr.Network([cr.Dense(16, "tanh"), cr.Dense(10, "softmax")])
    net.fit(digits.X, digits.y, epochs=8, optimizer=SICK, callbacks=[cr.Diagnosis(tell=told.append, share=1e9)])
    rules = [finding.rule for finding in told]
    assert "saturated_units" in rules
    assert len(rules) == len(set(rules))


def test_findings_can_be_asked_for_while_it_runs():
    moons, seen = table("moons"), []
    watching = cr.Diagnosis()
    net = cr.Network([cr.Dense(8, "identity"), cr.Dense(2, "softmax")])
    net.fit(moons.X, moons.y, epochs=2, callbacks=[watching, lambda _: seen.append(watching.findings.rules)])
    assert ["linear_network" in rules for rules in seen] == [True, True]


def test_it_sees_the_end_after_a_wish_to_stop_and_after_a_fault_of_others():
    moons = table("moons")

    def stop(_):
        raise cr.StopTraining("enough")

    def fail(_):
        raise RuntimeError("not ours")

    watching = cr.Diagnosis()
    net = cr.Network([cr.Dense(8), cr.Dense(2, "softmax")])
    net.fit(moons.X, moons.y, callbacks=[watching, stop])
    assert "linear_network" in watching.findings
    with pytest.raises(RuntimeError):
        net.fit(moons.X, moons.y, callbacks=[watching, fail])
    assert "exploding_gradient" not in watching.findings


def test_a_resumed_run_is_not_taken_for_one_from_the_start(tmp_path):
    iris = table("iris")
    net = cr.Network([cr.Dense(8, "tanh", init=cr.initializers.Normal(5.0)), cr.Dense(3, "softmax")])
    net.fit(iris.X, iris.y, epochs=2, callbacks=[cr.Checkpoint(tmp_path / "c")])
    watching = cr.Diagnosis()
    net.reset().fit(iris.X, iris.y, epochs=3, callbacks=[watching], resume=tmp_path / "c")
    assert "poor_initial_weights" not in watching.findings


def test_wrong_arguments_are_refused():
    with pytest.raises(cr.ArgumentError, match="tell: expected a function of a Finding, got 3"):
        cr.Diagnosis(tell=3)
    with pytest.raises(cr.ArgumentError, match="share"):
        cr.Diagnosis(share=0)
    with pytest.raises(cr.NotFittedError, match="has seen no training yet"):
        _ = cr.Diagnosis().findings
