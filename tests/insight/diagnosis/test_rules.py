"""Each rule against trainings that are sick on purpose, and against numbers that were found in another way."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from benchmarks.studies import diagnosis as study
from benchmarks.studies.sick import PLANTED, cases, table

import chainrule as cr
from chainrule.insight.diagnosis import RULES, diagnose

NAMES = [rule.name for rule in RULES]
QUICK = {rule: next(iter(variants().items())) for rule, variants in PLANTED.items()}


def test_every_rule_is_told_and_has_trainings_that_it_must_name():
    assert sorted(NAMES) == sorted(PLANTED)
    assert all(rule.source and rule.why.endswith(".") and rule.family and rule.__doc__ for rule in RULES)
    assert min(Counter(case.rule for case in cases()).values()) >= 5


@pytest.mark.parametrize("rule", [rule for rule in PLANTED if rule not in {"overfit", "loss_not_decreasing"}])
def test_a_planted_sickness_is_named(rule):
    _, find = QUICK[rule]
    findings = find()
    assert rule in findings.rules
    found = findings[rule]
    assert found.figures
    assert found.remedies
    assert found.says


@pytest.mark.slow
def test_nearly_all_planted_sicknesses_are_named():
    missed = [f"{case.rule}: {case.name}" for case in cases() if case.rule not in case.find().rules]
    assert len(missed) <= 0.05 * sum(1 for _ in cases()), missed


@pytest.mark.slow
def test_sensible_trainings_raise_no_alarm():
    outcomes = list(study.healthy(("iris", "moons", "sine", "penguins"), study.WAYS[::2]))
    well = [each for each in outcomes if each.well]
    assert len(well) >= 24
    assert not [(each.name, each.findings.alarms) for each in well if each.findings.alarms]


# ---- document B: unscaled weights, before a step ---------------------------------------------------------------------


def unscaled(seed: int = 0) -> cr.Network:
    """64-256-64-10 with weights N(0, 1) and biases U[0, 1)."""
    draws = {"init": cr.initializers.Normal(1.0), "bias_init": cr.initializers.Uniform(0, 1)}
    layers = [cr.Dense(256, "sigmoid", **draws), cr.Dense(64, "sigmoid", **draws), cr.Dense(10, "softmax", **draws)]
    return cr.Network(layers, seed=seed, n_inputs=64)


def by_hand(net: cr.Network, X: np.ndarray, y: np.ndarray) -> tuple[list[float], float]:
    """The share of saturated outputs of each hidden layer, and the mean loss."""
    A, shares = X, []
    for name in ("dense_1", "dense_2"):
        A = 1 / (1 + np.exp(-(A @ net.parameters[f"{name}.W"].astype(float) + net.parameters[f"{name}.b"])))
        shares.append(float(np.mean((A < 0.03) | (A > 0.97))))
    Z = A @ net.parameters["dense_3.W"].astype(float) + net.parameters["dense_3.b"]
    Z -= Z.max(axis=1, keepdims=True)
    log_p = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
    return shares, -float(log_p[np.arange(len(y)), y].mean())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_unscaled_weights_are_named_before_a_step(seed):
    digits = table("digits")
    X, y = digits.raw[:1000] / 16, digits.y[:1000]  # a look takes 1000 rows at most: all of these
    net = unscaled(seed)
    before = net.theta.copy()
    findings = diagnose(net, X, y)
    assert {"poor_initial_weights", "initial_loss", "saturated_units"} <= {each.rule for each in findings.alarms}
    shares, loss = by_hand(net, X, y)
    assert [figure.value for figure in findings["saturated_units"].figures] == pytest.approx(shares, abs=1e-3)
    measured = {figure.name: figure.value for figure in findings["initial_loss"].figures}
    assert measured["loss before the first step"] == pytest.approx(loss, rel=1e-4)
    assert measured["times the loss that knows nothing"] == pytest.approx(loss / np.log(10), rel=1e-4)
    assert np.array_equal(net.theta, before)
    assert findings["initial_loss"].cause == "poor_initial_weights"


def test_the_same_network_with_scaled_weights_raises_no_alarm():
    digits = table("digits")
    net = cr.Network([cr.Dense(256, "sigmoid"), cr.Dense(64, "sigmoid"), cr.Dense(10, "softmax")], n_inputs=64)
    assert not diagnose(net, digits.raw / 16, digits.y).alarms


# ---- single numbers --------------------------------------------------------------------------------------------------


def test_dead_units_are_counted():
    net = cr.Network([cr.Dense(10, "relu"), cr.Dense(2, "softmax")], n_inputs=2)
    net.parameters["dense_1.b"][:6] = -100
    moons = table("moons")
    found = diagnose(net, moons.X, moons.y)["dead_units"]
    assert found.figures[0].value == pytest.approx(0.6)
    assert found.severity == "alarm"


def test_the_update_ratio_is_that_of_the_step_that_training_takes():
    moons = table("moons")
    net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], n_inputs=2, dtype="float64")
    before = {name: values.copy() for name, values in net.parameters.items()}
    found = diagnose(net, moons.X, moons.y, optimizer=cr.SGD(50.0), batch_size=400)["update_ratio"]
    net.fit(moons.X, moons.y, epochs=1, batch_size=None, optimizer=cr.SGD(50.0))
    for figure in found.figures:
        name = figure.name.partition("/ |")[2].rstrip("|")
        ratio = np.linalg.norm(net.parameters[name] - before[name]) / np.linalg.norm(before[name])
        assert figure.value == pytest.approx(ratio, rel=1e-6)


def test_weighted_classes_are_not_called_rare():
    rows = np.r_[0:100, 140:145]
    digits = table("breast_cancer")
    y = np.r_[np.zeros(100, int), np.ones(5, int)]
    net = cr.Network([cr.Dense(8, "relu"), cr.Dense(2, "softmax")])
    watching = cr.Diagnosis()
    net.fit(digits.X[rows], y, epochs=2, class_weight="balanced", callbacks=[watching])
    assert "class_imbalance" not in watching.findings
    assert "class_imbalance" in diagnose(net, digits.X[rows], y)


def test_causes_come_before_what_follows_from_them():
    digits = table("digits")
    watching = cr.Diagnosis()
    net = cr.Network([cr.Dense(32, "relu"), cr.Dense(16, "relu"), cr.Dense(10, "softmax")])
    net.fit(digits.X, digits.y, epochs=8, optimizer=cr.SGD(20.0), callbacks=[watching])
    assert watching.findings[0].rule == "learning_rate_too_high"
    assert watching.findings["dead_units"].cause == "learning_rate_too_high"


def test_remedies_that_would_change_nothing_are_left_out():
    moons = table("moons")
    net = cr.Network([cr.Dense(8, "relu", bias_init=-10.0), cr.Dense(2, "softmax")])
    words = [remedy.words for remedy in diagnose(net, moons.X, moons.y)["dead_units"].remedies]
    assert "leaky_relu in the hidden layers" in words
    assert "initial weights scaled by the number of inputs" not in words  # they are


def test_a_column_is_named_only_where_nothing_else_is_lost_with_it():
    N = 40
    days = [f"2024-01-{1 + i % 28:02d}" for i in range(N)]
    frame = {"a, b": [float(i % 7) for i in range(N)], "day": days, "y": [i % 2 for i in range(N)]}
    frame["copy, of a"] = frame["a, b"]
    model = cr.train(frame, target="y", epochs=2)
    remedies = [remedy.option for remedy in diagnose(model, frame)["duplicate_inputs"].remedies]
    assert not any("day" in option for option in remedies)
    del frame["day"]
    model = cr.train(frame, target="y", epochs=2)
    [remedy, *_] = diagnose(model, frame)["duplicate_inputs"].remedies
    assert remedy.option == """--drop '"copy, of a"'"""


# ---- what was once named wrongly, or not at all ----------------------------------------------------------------------


def test_a_loss_on_its_way_down_is_slow_and_does_not_stand_still():
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 6))
    net = cr.Network([cr.Dense(20, "tanh"), cr.Dense(1)], "mean_squared_error")
    watching = cr.Diagnosis()
    net.fit(X, 4 + X[:, 0], epochs=25, optimizer=cr.SGD(1e-5), callbacks=[watching])
    assert "learning_rate_too_low" in watching.findings.rules
    assert "loss_not_decreasing" not in watching.findings.rules


def test_a_gradient_may_vanish_in_the_middle():
    """Where first and last layer are of one size, and the mean over all layers tells nothing."""
    X, small = np.random.default_rng(0).normal(size=(100, 3)), cr.initializers.Normal(5e-3)
    net = cr.Network(
        [*(cr.Dense(20, "relu", init=small) for _ in range(3)), cr.Dense(1, init=small)], "half_squared_error"
    )
    found = cr.diagnose(net, X, X[:, 0] + 1)["vanishing_gradient"]
    least, ratio = (figure.value for figure in found.figures)
    _, gradient = net.loss_and_gradient(X, X[:, 0] + 1)
    sizes = [np.abs(gradient[f"dense_{n}.W"]).mean() for n in (1, 2, 3, 4)]
    assert least == pytest.approx(min(sizes), rel=1e-3)
    assert ratio == pytest.approx(sizes[0] / sizes[-1], rel=1e-3)
    assert least < 1e-7 < np.mean(sizes)


def test_a_network_with_dropout_is_judged_by_what_it_predicts():
    iris = table("iris")
    net = cr.Network([cr.Dense(48, "tanh", init=cr.initializers.Normal(3.0)), cr.Dropout(0.8), cr.Dense(3, "softmax")])
    watching = cr.Diagnosis()
    net.fit(iris.X, iris.y, epochs=60, optimizer=cr.Adam(0.01), callbacks=[watching])
    assert net.evaluate_loss(iris.X, iris.y) < 0.5 * np.log(3)
    assert watching.findings["saturated_units"].severity == "note"
    assert watching.findings["initial_loss"].severity == "note"
