"""The largest eigenvalue of the Hessian, against eigenvalues of matrices that were made in another way."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.interface import Data
from chainrule.insight.diagnosis.curvature import largest_eigenvalue
from chainrule.insight.diagnosis.setup import Setup
from chainrule.training_settings import TrainingSettings


def setup_of(net: cr.Network, X: np.ndarray, T: np.ndarray) -> Setup:
    settings = TrainingSettings(epochs=1, batch_size=len(X), optimizer=cr.SGD(0.1))
    return Setup(objective=net.objective, dtype="float64", seed=0, data=Data(X, T), settings=settings)


def data(rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(1, 2, (rows, 3)), random.normal(size=(rows, 1))


@pytest.mark.parametrize(("reduction", "l2"), [("mean", 0.0), ("sum", 0.0), ("mean", 0.5)])
def test_of_linear_regression(reduction, l2):
    X, T = data()
    net = cr.Network([cr.Dense(1)], cr.losses.MeanSquaredError(reduction), n_inputs=3, dtype="float64", l2=l2)
    A = np.column_stack([X, np.ones(len(X))])
    H = 2 * A.T @ A / (len(X) if reduction == "mean" else 1) + l2 * np.diag([1, 1, 1, 0])
    assert largest_eigenvalue(setup_of(net, X, T), net.theta) == pytest.approx(np.linalg.eigvalsh(H)[-1], rel=1e-2)


def test_of_a_network_against_second_differences_of_the_loss():
    X, T = data(12)
    net = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], "half_squared_error", n_inputs=3, dtype="float64")
    h, at, P = 1e-4, net.theta.copy(), len(net.theta)

    def loss(i: int, j: int, a: int, b: int) -> float:
        net.theta = at
        net.theta[i] += a * h
        net.theta[j] += b * h
        return net.evaluate_loss(X, T)

    signs = list(product((1, -1), repeat=2))
    H = [[sum(a * b * loss(i, j, a, b) for a, b in signs) / (4 * h * h) for j in range(P)] for i in range(P)]
    eigenvalues = np.linalg.eigvalsh(np.array(H))
    net.theta = at
    found = largest_eigenvalue(setup_of(net, X, T), at)
    assert found == pytest.approx(eigenvalues[np.abs(eigenvalues).argmax()], rel=2e-2)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(("share", "sick"), [(0.9, False), (1.15, True)])
def test_a_rate_above_the_limit_diverges_and_is_named(momentum, share, sick):
    X, T = data()
    net = cr.Network([cr.Dense(1)], "mean_squared_error", n_inputs=3, dtype="float64")
    limit = 2 * (1 + momentum) / largest_eigenvalue(setup_of(net, X, T), net.theta)
    options = {"optimizer": cr.SGD(share * limit, momentum=momentum), "batch_size": len(X)}
    found = cr.diagnose(net, X, T, **options)
    before = net.evaluate_loss(X, T)
    net.fit(X, T, epochs=200, **options)
    assert (net.evaluate_loss(X, T) > before) is sick
    assert ("rate_above_curvature" in found) is sick


def test_it_is_measured_on_request():
    X, T = data()
    net = cr.Network([cr.Dense(1)], "mean_squared_error", n_inputs=3)
    asked = {"optimizer": cr.SGD(10.0), "batch_size": 8}
    assert "rate_above_curvature" not in cr.diagnose(net, X, T, **asked)
    assert "rate_above_curvature" in cr.diagnose(net, X, T, curvature=True, **asked)
