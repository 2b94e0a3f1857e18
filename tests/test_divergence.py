"""NaN and infinity: the step and the place are those where a run taken step by step first meets them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import training
from chainrule.engines.choose import ENGINES
from chainrule.engines.interface import Data
from chainrule.losses import Loss
from chainrule.schedules import Plan, WarmUp
from chainrule.splitting import epoch_order

N, B = 40, 8
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3)).astype(np.float32)
VALUES = (X @ np.array([1.0, -2.0, 0.5], dtype=np.float32))[:, None]


GROWING = cr.SGD(WarmUp(30.0, epochs=200))

engines = pytest.mark.parametrize(
    "engine", [engine for engine in ENGINES.values() if not engine.refuses()], ids=lambda engine: engine.name
)


def step_by_step(
    net: cr.Network, X: np.ndarray, T: np.ndarray, optimizer: Any, engine: Any = None, B: int = B
) -> tuple[int, int, np.ndarray]:
    """Epoch and step of the first number that is not finite, and theta before it."""
    theta = net.theta.copy()
    data = Data(X, T.astype(np.float32))
    engine = engine or ENGINES["reference"]
    run = engine.start(net.objective, theta, data, optimizer=optimizer, batch_size=B, seed=net.seed)
    plan = Plan(N // B, 200, B, N)
    for taken in range(plan.total_steps):
        epoch, k = divmod(taken, N // B)
        before = theta.copy()
        rates = optimizer.schedule.rates(np.array([taken]), plan)
        values = run.advance(epoch_order(N, seed=net.seed, epoch=epoch), k, rates, taken)
        if not (np.isfinite(values).all() and np.isfinite(theta).all()):
            return epoch + 1, taken + 1, before
    raise AssertionError("it did not diverge")


def diverged(net: cr.Network, y: Any, X: np.ndarray = X, **options: Any) -> cr.DivergenceError:
    with pytest.raises(cr.DivergenceError) as caught:
        net.fit(X, y, **{"batch_size": B, "epochs": 200, **options})
    assert np.isfinite(net.theta).all()
    assert net.history is not None
    return caught.value


def relu_network() -> cr.Network:
    return cr.Network([cr.Dense(8, "relu"), cr.Dense(8, "relu"), cr.Dense(1)], "mean_squared_error", n_inputs=3)


def linear_network() -> cr.Network:
    return cr.Network([cr.Dense(1)], "mean_squared_error", n_inputs=3)


@pytest.mark.parametrize(
    ("make", "rate", "late"),
    [
        (linear_network, 1.5, True),
        (linear_network, 3.0, True),
        (relu_network, 3.0, True),
        (relu_network, 1e12, False),
    ],
)
@pytest.mark.parametrize("pace", [None, 1, 3, 1000])
@engines
def test_a_huge_rate_is_found_at_its_step(
    make: Any, rate: float, late: bool, pace: int | None, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pace:
        monkeypatch.setattr(training.Pace, "steps", lambda _self, left: min(left, pace))
    optimizer = cr.SGD(rate, momentum=0.9)
    epoch, step, before = step_by_step(make(), X, VALUES, optimizer, engine)
    assert (epoch > 1) == late
    net = make()
    error = diverged(net, VALUES, optimizer=optimizer, engine=engine)
    assert (error.epoch, error.step) == (epoch, step)
    assert net.history is not None
    if epoch == 1:
        assert net.theta.tobytes() == before.tobytes()
        assert "The weights kept are those before that step" in str(error)
    else:
        best = net.history.best_epoch
        assert 1 <= best < epoch
        assert f"The weights kept are those of epoch {best}, the best" in str(error)
    assert "Try a smaller learning rate" in str(error)


@pytest.mark.parametrize("engine", [name for name, engine in ENGINES.items() if not engine.refuses()])
@pytest.mark.parametrize(("make", "rate"), [(linear_network, 3.0), (relu_network, 1e12)])
def test_every_engine_names_the_step_that_the_reference_names(engine: str, make: Any, rate: float) -> None:
    errors = [diverged(make(), VALUES, optimizer=cr.SGD(rate), engine=name) for name in (engine, "reference")]
    assert len({(error.epoch, error.step, error.place) for error in errors}) == 1


def test_the_layer_is_named() -> None:
    net = relu_network()
    net.parameters["dense_1.W"] = np.full((3, 8), 1e30, dtype=np.float32)
    net.parameters["dense_2.W"] = np.full((8, 8), 1e30, dtype=np.float32)
    error = diverged(net, VALUES)
    assert (error.epoch, error.step, error.place) == (1, 1, "the output of layer dense_2")


def test_the_loss_is_named_when_all_outputs_are_finite() -> None:
    net = cr.Network([cr.Dense(1)], "mean_squared_error", n_inputs=3)
    net.theta[...] = 1e30
    assert diverged(net, VALUES).place == "the loss mean_squared_error"


def test_the_penalty_is_named() -> None:
    net = cr.Network([cr.Dense(1, "tanh")], "mean_squared_error", n_inputs=3, l2=1.0)
    net.theta[...] = 1e30
    assert diverged(net, VALUES).place == "the penalty"


@engines
def test_theta_may_overflow_while_the_loss_stays_finite(engine: Any) -> None:
    """A sigmoid saturates: an infinite weight gives an output of 0 or 1; momentum carries the weight there."""
    column, target, optimizer = X[:, :1], (X[:, :1] > 0).astype(float), cr.SGD(1.5e38, momentum=0.99)

    def network() -> cr.Network:
        return cr.Network([cr.Dense(1, "sigmoid", bias=False)], "mean_squared_error", n_inputs=1)

    epoch, step, before = step_by_step(network(), column, target, optimizer, engine)
    assert step > 2
    net = network()
    error = diverged(net, target, column, optimizer=optimizer, engine=engine)
    assert (error.epoch, error.step, error.place) == (epoch, step, "the parameter dense_1.W")
    assert np.isfinite(before).all()


@engines
@pytest.mark.parametrize("pace", [1, 7, 40])
def test_many_steps_at_once_are_taken_back_to_the_one_before_it(
    engine: Any, pace: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first epoch, with a rate of its own at each step, and noticed only when all have been taken."""
    monkeypatch.setattr(training.Pace, "steps", lambda _self, left: min(left, pace))
    ones, target = np.ones((N, 1), dtype=np.float32), (X[:, :1] > 0).astype(float)
    optimizer = cr.SGD(WarmUp(3e38, epochs=1), momentum=0.9)

    def network() -> cr.Network:
        return cr.Network([cr.Dense(1, "sigmoid", bias=False)], "binary_cross_entropy", n_inputs=1)

    epoch, step, before = step_by_step(network(), ones, target, optimizer, engine, B=1)
    assert (epoch, step > 7) == (1, True)
    net = network()
    error = diverged(net, target, ones, optimizer=optimizer, batch_size=1, engine=engine)
    assert (error.epoch, error.step, error.place) == (epoch, step, "the parameter dense_1.W")
    assert net.theta.tobytes() == before.tobytes()


def test_the_state_of_batch_norm_is_theta_too() -> None:
    net = cr.Network([cr.Dense(4), cr.BatchNorm(), cr.Dense(1, "sigmoid")], "mean_squared_error", n_inputs=3)
    net.parameters["dense_1.W"] = np.full((3, 4), 1e20, dtype=np.float32)  # its variance overflows, the rest does not
    error = diverged(net, (X[:, :1] > 0).astype(float))
    assert error.place == "the parameter batch_norm_1.variance"
    assert net.parameters["batch_norm_1.variance"].tolist() == [1.0] * 4


def test_the_validation_loss_is_watched() -> None:
    net = cr.Network([cr.Dense(1)], "mean_squared_error", seed=1)
    far = np.full((2, 3), 1e25, dtype=np.float32)
    error = diverged(net, VALUES, validation=(far, [[0.0], [0.0]]), metrics=["r2"], optimizer=cr.SGD(1e-3))
    assert (error.epoch, error.step, error.place) == (1, N // B, "the validation loss")


def test_metrics_of_outputs_that_are_not_finite_are_nan() -> None:
    """Theta and the losses were finite up to the last step: nothing to stop for yet."""
    net = cr.Network([cr.Dense(1)], "mean_absolute_error", n_inputs=3)
    history = net.fit(X, VALUES, epochs=1, batch_size=N, optimizer=cr.SGD(3e38), metrics=["r2"])
    assert np.isfinite(net.theta).all()
    assert np.isnan(history["r2"]).all()
    error = diverged(net, VALUES, optimizer=cr.SGD(1.0))
    assert error.place == "the output of layer dense_1"


class _Nan(Loss, frozen=True, tag="nan_from_the_third_row"):
    """A loss of a person's own, with a fault in it."""

    def rows(self, Y: Any, T: Any) -> tuple[Any, Any]:
        D = Y - T
        values = (D * D)[:, 0]
        return np.where(T[:, 0] == VALUES[3, 0], np.nan, values), 2 * D


def test_a_loss_of_ones_own_is_named() -> None:
    net = cr.Network([cr.Dense(1)], _Nan(), n_inputs=3)
    place = int(np.flatnonzero(epoch_order(N, seed=0, epoch=0) == 3)[0])
    error = diverged(net, VALUES, optimizer=cr.SGD(1e-3))
    assert (error.epoch, error.step) == (1, place // B + 1)
    assert error.place == "the loss nan_from_the_third_row"


def test_the_best_weights_are_kept_to_the_bit() -> None:
    thetas: list[np.ndarray] = []
    net = linear_network()
    error = diverged(net, VALUES, optimizer=GROWING, callbacks=lambda _: thetas.append(net.theta.copy()))
    assert net.history is not None
    assert len(net.history) == error.epoch - 1 > net.history.best_epoch > 1
    assert net.theta.tobytes() == thetas[net.history.best_epoch - 1].tobytes()


def test_a_resumed_run_diverges_at_the_same_step(tmp_path: Any) -> None:
    path = tmp_path / "c.safetensors"
    one = diverged(linear_network(), VALUES, optimizer=GROWING, callbacks=cr.Checkpoint(path))
    other = diverged(linear_network(), VALUES, optimizer=GROWING, resume=path)
    assert (one.epoch, one.step, one.place) == (other.epoch, other.step, other.place)
    assert str(one) == str(other)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@engines
def test_a_rate_that_is_infinite_in_float32_is_found_at_its_step(dtype: Any, engine: Any) -> None:
    net = cr.Network([cr.Dense(3, "relu"), cr.Dense(1)], "mean_squared_error", n_inputs=3, l2=0.1, dtype=dtype)
    error = diverged(net, VALUES, optimizer=cr.Adam(1e308), engine=engine)
    assert (error.epoch, error.step) == ((1, 1) if dtype == "float32" else (1, 2))


@pytest.mark.parametrize("pace", [1, 1000])
@engines
def test_a_callback_that_writes_into_theta(pace: int, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.Pace, "steps", lambda _self, left: min(left, pace))
    net = linear_network()

    def spoil(record: Any) -> None:
        if record.epoch == 2:
            net.theta[0] = np.nan

    error = diverged(net, VALUES, optimizer=cr.SGD(1e-3), engine=engine, callbacks=spoil)
    assert error.epoch == 3
