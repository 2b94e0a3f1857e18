"""What a person holds: parameters, predictions, gradients, interruption."""

from __future__ import annotations

import signal
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.optimize import approx_fprime

import chainrule as cr

if TYPE_CHECKING:
    from collections.abc import Iterator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3))
Y = RNG.integers(0, 3, size=20)


def network(**options: Any) -> cr.Network:
    layers = [cr.Dense(4, "tanh"), cr.Dense(3, "softmax")]
    return cr.Network(layers, **{"seed": 1, "dtype": "float64", "n_inputs": 3, **options})


# ---- what it is ------------------------------------------------------------------------------------------------------


def test_parameters_are_views_of_theta() -> None:
    net = network()
    assert list(net.parameters) == ["dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b"]
    net.parameters["dense_1.W"][2, 1] = 7
    net.parameters["dense_2.b"] = [1, 2, 3]
    assert net.theta[2 * 4 + 1] == 7
    assert net.theta[-3:].tolist() == [1, 2, 3]
    net.theta = np.zeros(net.theta.size)
    assert not net.parameters["dense_2.b"].any()
    with pytest.raises(cr.ShapeError, match=r"dense_2.b: expected shape \(3,\), got \(2,\)"):
        net.parameters["dense_2.b"] = [1, 2]
    with pytest.raises(cr.ShapeError, match=r"theta: expected shape \(31,\), got \(\)"):
        net.theta = 0.0
    with pytest.raises(cr.ArgumentError, match=r"Did you mean 'dense_1\.W'"):
        net.parameters["dense_1.w"]


def test_the_number_of_inputs_comes_from_the_first_data() -> None:
    net = network(n_inputs=None)
    with pytest.raises(cr.NotFittedError, match="no weights yet"):
        _ = net.parameters
    assert "not built yet" in repr(net)
    net.forward(X)
    assert net.input_shape == (3,)
    assert net.theta.tobytes() == network().theta.tobytes()


def test_initial_weights_are_those_of_the_seed_in_both_number_types() -> None:
    a, b, c = network(), network(dtype="float32"), network(seed=2)
    np.testing.assert_array_equal(a.theta.astype(np.float32), b.theta)
    assert a.theta.tobytes() != c.theta.tobytes()
    first = a.theta.copy()
    a.fit(X, Y, epochs=1)
    assert a.theta.tobytes() != first.tobytes()
    assert a.reset().theta.tobytes() == first.tobytes()
    assert a.history is None
    assert a.classes is None


def test_a_second_fit_goes_on() -> None:
    once, twice = network(), network()
    once.fit(X, Y, epochs=2, batch_size=None, optimizer=cr.SGD(0.1))
    for _ in range(2):
        twice.fit(X, Y, epochs=1, batch_size=None, shuffle=False, optimizer=cr.SGD(0.1))
    np.testing.assert_allclose(once.theta, twice.theta, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.Network([]), "layers: expected at least one layer"),
        (lambda: cr.Network(cr.Dense(3)), "layers: expected a list such as"),
        (lambda: cr.Network(3), "layers: expected a list such as"),
        (lambda: cr.Network([3]), "layers: expected layers such as Dense"),
        (lambda: cr.Network([cr.Dense(3)], "cross_entrpy"), "Did you mean 'cross_entropy'"),
        (lambda: network(seed=-1), "seed: expected a whole number >= 0, got -1"),
        (lambda: network(seed=1.5), "seed: expected a whole number"),
        (lambda: network(dtype="float16"), "dtype: expected float32 or float64, got 'float16'"),
        (lambda: network(n_inputs=0), "n_inputs: expected a whole number >= 1"),
        (lambda: network(l1=-1), "l1: expected a number >= 0, got -1"),
        (lambda: network(l2=float("nan")), "l2: expected a number >= 0, got nan"),
        (lambda: cr.Network([cr.Residual([cr.Dense(2)])], n_inputs=3), "End with a layer of 3 units"),
    ],
)
def test_wrong_arguments_are_told(make: Any, message: str) -> None:
    with pytest.raises(cr.InputError, match=message):
        make()


# ---- use -------------------------------------------------------------------------------------------------------------


def test_predictions_are_the_labels_of_the_training() -> None:
    for labels in (["x", "y", "z"], [10, 20, 30], [1.0, 2.0, 3.0]):
        net = network()
        net.fit(X, np.array(labels)[Y], epochs=1)
        P = net.predict_proba(X)
        assert net.predict(X).tolist() == [labels[k] for k in P.argmax(axis=1)]
        np.testing.assert_allclose(P.sum(axis=1), 1)


def test_two_classes_under_one_output() -> None:
    net = cr.Network([cr.Dense(1, "sigmoid")], "binary_cross_entropy")
    y = np.where(X[:, 0] > 0, "yes", "no")
    net.fit(X, y, epochs=50, optimizer=cr.Adam(0.1))
    P = net.predict_proba(X)
    assert P.shape == (20, 2)
    assert net.predict(X).tolist() == np.where(P[:, 1] >= 0.5, "yes", "no").tolist()
    assert (net.predict(X) == y).mean() > 0.9


def test_several_classes_at_once_are_a_table_of_zeros_and_ones() -> None:
    net = cr.Network([cr.Dense(2, "sigmoid")], "binary_cross_entropy")
    net.fit(X, (X[:, :2] > 0).astype(int), epochs=60, optimizer=cr.Adam(0.1))
    predicted = net.predict(X)
    assert (predicted.shape, predicted.dtype) == ((20, 2), np.int64)
    assert (predicted == (X[:, :2] > 0)).mean() > 0.9
    assert net.predict_proba(X).shape == (20, 2)


def test_values_have_the_shape_of_their_targets() -> None:
    one = cr.Network([cr.Dense(1)], "mean_squared_error")
    one.fit(X, X[:, 0], epochs=1)
    assert one.predict(X).shape == (20,)
    two = cr.Network([cr.Dense(2)], "huber")
    two.fit(X, X[:, :2], epochs=1)
    assert two.predict(X).shape == (20, 2)
    with pytest.raises(cr.ArgumentError, match="a network with the loss huber gives no probabilities"):
        two.predict_proba(X)


def test_without_a_training_classes_are_places() -> None:
    net = network()
    assert net.predict(X).tolist() == net.forward(X).argmax(axis=1).tolist()
    single = cr.Network([cr.Dense(1, "sigmoid")], "binary_cross_entropy", n_inputs=3)
    assert single.predict(X).tolist() == (single.forward(X)[:, 0] >= 0.5).astype(int).tolist()


@pytest.mark.parametrize("loss", ["cross_entropy", "mean_squared_error"])
def test_the_gradient_is_the_derivative_of_loss_and_penalty(loss: str) -> None:
    net = network(loss=loss, l1=0.01, l2=0.1)
    weights = RNG.uniform(size=20)
    value, gradient = net.loss_and_gradient(X, Y, sample_weight=weights)

    def at(theta: np.ndarray) -> float:
        other = network(loss=loss, l1=0.01, l2=0.1)
        other.theta = theta
        W = np.concatenate([p.ravel() for name, p in other.parameters.items() if name.endswith(".W")])
        return other.evaluate_loss(X, Y, sample_weight=weights) + 0.01 * np.abs(W).sum() + 0.05 * (W @ W)

    assert value == pytest.approx(at(net.theta), rel=1e-12)

    np.testing.assert_allclose(gradient.theta, approx_fprime(net.theta, at, 1e-7), atol=1e-5)
    assert gradient["dense_1.W"].shape == (3, 4)


def test_the_other_number_type_computes_the_same_to_rounding() -> None:
    net = network()
    net.fit(X, np.array(["a", "b", "c"])[Y], epochs=3)
    single = net.astype("float32")
    assert single.forward(X).dtype == np.float32
    np.testing.assert_allclose(single.forward(X), net.forward(X), rtol=1e-4, atol=1e-6)
    assert single.predict(X).tolist() == net.predict(X).tolist()
    single.theta[...] = 0
    assert net.theta.any()


def test_a_given_array_survives_a_change_of_number_type(tmp_path: Any) -> None:
    W = np.arange(6.0).reshape(3, 2)
    net = cr.Network([cr.Dense(2, "softmax", init=W)], n_inputs=3, dtype="float64")
    np.testing.assert_array_equal(net.parameters["dense_1.W"], W)
    net.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(cr.load(tmp_path / "m.safetensors").astype("float32").parameters["dense_1.W"], W)


def test_wrong_widths_are_told() -> None:
    net = network()
    for use in (net.forward, net.predict, net.predict_proba):
        with pytest.raises(cr.ShapeError, match=r"X: expected 3 columns, as this network has inputs, got \(20, 2\)"):
            use(X[:, :2])
    with pytest.raises(cr.ShapeError, match="loss_and_gradient: y: expected 20 rows, as X has, got 19"):
        net.loss_and_gradient(X, Y[:19])


def test_prediction_takes_little_memory_beside_its_result() -> None:
    net = cr.Network([cr.Dense(16, "tanh"), cr.Dense(2, "softmax")], n_inputs=20)
    rows = np.zeros((400_000, 20), dtype=np.float32)
    tracemalloc.start()
    Y = net.forward(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - Y.nbytes < rows.nbytes / 8


# ---- Ctrl-C ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def default_interrupt() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("default_interrupt")
def test_the_first_interrupt_ends_between_steps_with_the_best_weights() -> None:
    thetas: list[np.ndarray] = []
    net = network()

    def listen(record: Any) -> None:
        thetas.append(net.theta.copy())
        if record.epoch == 12:
            press()
            thetas.append(np.array([]))  # what follows the signal is still done

    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, epochs=1000, validation=0.4, optimizer=cr.Adam(0.3), callbacks=listen)
    history = net.history
    assert history is not None
    assert (len(history), len(thetas), history.stopped) == (12, 13, "interrupted")
    assert history.best_epoch < 12
    assert net.theta.tobytes() == thetas[history.best_epoch - 1].tobytes()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("default_interrupt")
def test_the_second_interrupt_is_raised_at_once() -> None:
    reached = []

    def listen(_: Any) -> None:
        press()
        reached.append("after the first")
        press()
        reached.append("after the second")

    net = network()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, epochs=1000, callbacks=listen)
    assert reached == ["after the first"]
    assert net.history is not None
    assert (len(net.history), net.history.stopped) == (1, "interrupted")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("default_interrupt")
def test_an_interrupt_in_the_last_moment_is_not_lost() -> None:
    net = network()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, epochs=3, callbacks=lambda record: press() if record.epoch == 3 else None)
    assert net.history is not None
    assert len(net.history) == 3


@pytest.mark.usefixtures("default_interrupt")
def test_the_handler_of_somebody_else_keeps_its_say() -> None:
    heard = []
    signal.signal(signal.SIGINT, lambda *_: heard.append("theirs"))
    history = network().fit(X, Y, epochs=2, callbacks=press)
    assert (heard, len(history)) == (["theirs"] * 2, 2)


@pytest.mark.usefixtures("default_interrupt")
def test_outside_the_main_thread_nothing_is_installed() -> None:
    seen = []
    thread = threading.Thread(
        target=lambda: network().fit(X, Y, epochs=1, callbacks=lambda _: seen.append(signal.getsignal(signal.SIGINT)))
    )
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
