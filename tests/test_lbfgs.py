"""L-BFGS, held to SciPy's own minimiser on a function written here."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

import chainrule as cr

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = RNG.integers(0, 3, size=40)


def regression(**options: Any) -> cr.Network:
    layers = [cr.Dense(3, "softmax")]
    return cr.Network(layers, l2=0.1, n_inputs=3, **{"dtype": "float64", **options})


def plain(theta: np.ndarray) -> tuple[float, np.ndarray]:
    """Multinomial logistic regression with 0.1/2 |W|^2, and its gradient."""
    W, b = theta[:9].reshape(3, 3), theta[9:]
    Z = X @ W + b
    Z -= Z.max(1, keepdims=True)
    P = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    D = (P - np.eye(3)[Y]) / 40
    value = -np.log(P[np.arange(40), Y]).mean() + 0.05 * (W**2).sum()
    return value, np.concatenate([(X.T @ D + 0.1 * W).ravel(), D.sum(0)])


def test_it_reaches_scipys_own_optimum() -> None:
    net = regression()
    first = net.theta.copy()
    history = net.fit(X, Y, epochs=200, optimizer="lbfgs")
    end = minimize(plain, first, jac=True, method="L-BFGS-B", options={"gtol": 1e-9, "ftol": 0, "maxiter": 500})
    assert plain(net.theta)[0] == pytest.approx(end.fun, rel=1e-10)
    np.testing.assert_allclose(net.theta, end.x, atol=1e-6)
    assert "L-BFGS: CONVERGENCE" in history.stopped
    assert len(history) < 100


def test_an_epoch_is_an_iteration_of_scipys() -> None:
    for epochs in (1, 2, 5):
        net = regression()
        first = net.theta.copy()
        history = net.fit(X, Y, epochs=epochs, optimizer=cr.LBFGS(memory=7))
        steps: list[np.ndarray] = [first]
        minimize(
            plain,
            first,
            jac=True,
            method="L-BFGS-B",
            callback=lambda x, steps=steps: steps.append(x.copy()),
            options={"maxcor": 7, "gtol": 1e-7, "ftol": 0, "maxiter": epochs},
        )
        np.testing.assert_allclose(net.theta, steps[epochs], rtol=1e-8)
        penalties = [0.05 * (x[:9] ** 2).sum() for x in steps[:epochs]]
        np.testing.assert_allclose(history["objective"], [plain(x)[0] for x in steps[:epochs]], rtol=1e-10)
        np.testing.assert_allclose(history["penalty"], penalties, rtol=1e-7)


def test_the_batch_size_means_nothing_to_it() -> None:
    one, other = regression(), regression()
    one.fit(X, Y, epochs=4, optimizer="lbfgs", batch_size=3)
    other.fit(X, Y, epochs=4, optimizer="lbfgs", batch_size=None)
    assert one.theta.tobytes() == other.theta.tobytes()


def test_float32_networks_and_frozen_parameters() -> None:
    layers = [cr.Dense(4, "tanh", frozen=("W",)), cr.Dense(3, "softmax")]
    net = cr.Network(layers, n_inputs=3)
    W = net.parameters["dense_1.W"].tobytes()
    history = net.fit(X, Y, epochs=30, optimizer="lbfgs", validation=0.2, metrics=["accuracy"])
    assert net.theta.dtype == np.float32
    assert net.parameters["dense_1.W"].tobytes() == W
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert np.isfinite(history["validation_loss"]).all()


def test_early_stopping_ends_it() -> None:
    net = regression()
    history = net.fit(X, Y, epochs=200, optimizer="lbfgs", early_stopping=cr.EarlyStopping(1, min_delta=0.05))
    assert "has not improved" in history.stopped
    assert len(history) < 20


@pytest.mark.parametrize(
    "layer", [cr.Dropout(0.1), cr.BatchNorm(), cr.Residual([cr.Dropout(0.2)]), cr.Residual([cr.BatchNorm()])]
)
def test_what_makes_the_loss_another_at_every_call_is_refused(layer: Any) -> None:
    net = cr.Network([cr.Dense(4), layer, cr.Dense(3, "softmax")])
    with pytest.raises(cr.ArgumentError, match=r"no dropout and no batch norm.*Take adam"):
        net.fit(X, Y, optimizer="lbfgs")


def test_checkpoints_are_refused_before_the_work(tmp_path: Any) -> None:
    net = regression()
    with pytest.raises(cr.ArgumentError, match="an L-BFGS run cannot go on from a checkpoint"):
        net.fit(X, Y, optimizer="lbfgs", callbacks=cr.Checkpoint(tmp_path / "c.safetensors"))
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_not_finite_is_told() -> None:
    net = cr.Network([cr.Dense(1)], "mean_squared_error", n_inputs=3)
    net.theta[...] = 1e30
    with pytest.raises(cr.DivergenceError, match="epoch 1, step 1: the loss mean_squared_error is not finite"):
        net.fit(X, X[:, 0], optimizer="lbfgs")
    assert (net.theta == np.float32(1e30)).all()


def test_a_failure_within_scipy_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise FloatingPointError("within")

    monkeypatch.setattr("scipy.optimize.minimize", fail)
    with pytest.raises(FloatingPointError, match="within"):
        regression().fit(X, Y, optimizer="lbfgs")


def test_no_thread_is_left_behind() -> None:
    net = regression()
    net.fit(X, Y, epochs=2, optimizer="lbfgs")  # ended before SciPy did
    with pytest.raises(ZeroDivisionError):
        net.fit(X, Y, epochs=9, optimizer="lbfgs", callbacks=lambda _: 1 / 0)
    for thread in threading.enumerate():
        if thread.name == "L-BFGS":
            thread.join(10)
    assert "L-BFGS" not in {thread.name for thread in threading.enumerate()}


def test_without_scipy_it_says_what_to_install() -> None:
    code = """
import sys
sys.modules["scipy"] = sys.modules["scipy.optimize"] = None
import chainrule as cr
try:
    cr.Network([cr.Dense(2, "softmax")]).fit([[0.0], [1.0]], [0, 1], optimizer="lbfgs")
except cr.MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "L-BFGS needs scipy, which is not installed: pip install 'chainrule[lbfgs]'\n"
