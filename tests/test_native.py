"""The native engine against the reference: every activation, loss, optimiser, any threads, any instruction set."""

from __future__ import annotations

import itertools
import os
import threading
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import activations, losses
from chainrule.engines import native
from chainrule.engines.choose import choose
from chainrule.engines.interface import Data
from chainrule.engines.native import NativeEngine, instruction_sets
from chainrule.engines.reference import ReferenceEngine

pytestmark = pytest.mark.skipif(native.kernels() is None, reason="built without a compiler")
N = 40
LAST = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "poisson": "softplus"}
OPTIMIZERS = [
    cr.SGD(0.05, momentum=0.9),
    cr.SGD(0.05, momentum=0.9, nesterov=True),
    cr.RMSProp(0.01),
    cr.RMSProp(0.01, momentum=0.5),
    cr.Adagrad(0.05),
    cr.Adam(0.01),
    cr.AdamW(0.01, weight_decay=0.1),
    cr.NAdam(0.01),
    cr.Adam(0.01, clip_norm=0.1),
    cr.Adam(0.01, clip_value=0.01),
    cr.SGD(0.05, clip_norm=0.1, clip_value=0.05),
]


def data(net: cr.Network, *, weights: bool = False, N: int = N) -> Data:
    rng, (K,) = np.random.default_rng(1), net.objective.output_shape
    X = rng.standard_normal((N, *net.input_shape)).astype(net.dtype)
    T = np.eye(max(K, 2), dtype=net.dtype)[rng.integers(0, max(K, 2), N)][:, :K].copy()
    return Data(X, T, rng.random(N).astype(net.dtype) if weights else None)


def fifty_steps(
    engine: Any, net: cr.Network, rows: Data, optimizer: Any, B: int, total: int = 50
) -> tuple[np.ndarray, np.ndarray]:
    """Theta and the losses after 50 steps, epochs in another order each."""
    N = len(rows.X)
    theta, per_epoch, values = net.theta.copy(), -(-N // min(B, N)), []
    run = engine.start(net.objective, theta, rows, optimizer=optimizer, batch_size=B, seed=3)
    while len(values) < total:
        steps = min(per_epoch, total - len(values))
        order = np.random.default_rng(len(values)).permutation(N)
        values += list(run.advance(order, 0, np.full(steps, 0.05), len(values)))
    return theta, np.array(values)


def check(
    layers: list[Any],
    loss: Any,
    optimizer: Any,
    dtype: Any,
    *,
    B: int = 7,
    rows: int = N,
    steps: int = 50,
    weights: bool = False,
    threads: tuple[int, ...] = (1, 2),
    **options: Any,
) -> None:
    """To rounding the same as the reference; to the bit the same for any number of threads."""
    net = cr.Network(layers, loss, n_inputs=options.pop("I", 7), dtype=dtype, seed=3, **options)
    given, tolerance = data(net, weights=weights, N=rows), 1e-10 if dtype == "float64" else 1e-4
    theta, values = fifty_steps(ReferenceEngine(), net, given, optimizer, B, steps)
    outputs = ReferenceEngine().predict(net.objective, theta, given.X)
    loss, _ = ReferenceEngine().evaluate(net.objective, theta, given)
    bits: dict[str, bytes] = {}
    for n, name in itertools.product(threads, instruction_sets()):
        engine = NativeEngine(n, name)
        found, its_values = fifty_steps(engine, net, given, optimizer, B, steps)
        assert np.linalg.norm(found - theta) <= tolerance * np.linalg.norm(theta), (n, name)
        np.testing.assert_allclose(its_values, values, rtol=tolerance, atol=tolerance * np.abs(values).max())
        Y = engine.predict(net.objective, theta, given.X)
        its_loss, its_outputs = engine.evaluate(net.objective, theta, given)
        assert its_loss == pytest.approx(loss, rel=tolerance)
        np.testing.assert_allclose(its_outputs, outputs, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(Y, outputs, rtol=tolerance, atol=tolerance)
        assert bits.setdefault(name, found.tobytes() + its_values.tobytes() + Y.tobytes()) == (
            found.tobytes() + its_values.tobytes() + Y.tobytes()
        )


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize("loss", losses.names())
@pytest.mark.parametrize("activation", activations.names())
def test_every_activation_and_loss(activation: str, loss: str, dtype: Any) -> None:
    first = "tanh" if activation == "exp" else activation  # exp of exp outgrows every rate
    layers = [cr.Dense(9, first), cr.Dense(5, activation), cr.Dense(3, LAST.get(loss, "identity"))]
    check(layers, loss, cr.SGD(0.05), dtype, threads=(1,))


@pytest.mark.parametrize("last", ["softmax", "sigmoid", "tanh"])
@pytest.mark.parametrize("loss", losses.names())
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_every_last_layer(loss: str, last: str, reduction: Any, dtype: Any) -> None:
    chosen = type(losses.get(loss))(reduction=reduction)
    if last == "tanh" and loss in LAST:
        pytest.skip("outputs outside of the loss's domain: where the logarithm is cut off, rounding decides")
    check([cr.Dense(33, "tanh"), cr.Dense(3, last)], chosen, cr.SGD(0.01), dtype, weights=True, threads=(1,))


@pytest.mark.parametrize("threads", [(1,), pytest.param((1, 2, 3, 5), marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_every_optimizer(optimizer: Any, threads: tuple[int, ...], dtype: Any) -> None:
    """More threads than cores wait for each other at every step: these take two epochs."""
    layers = [cr.Dense(70, "tanh"), cr.Dropout(0.3), cr.Dense(17, "sigmoid"), cr.Dense(3, "softmax")]
    steps = 50 if threads == (1,) else 12
    check(layers, "cross_entropy", optimizer, dtype, weights=True, threads=threads, steps=steps, l2=1e-2)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_what_is_frozen_or_has_no_bias(optimizer: Any, dtype: Any) -> None:
    layers = [
        cr.Dropout(0.2),
        cr.Dense(20, frozen=("b",)),
        cr.Activation("gelu"),
        cr.Dense(6, "tanh", frozen=("W",)),
        cr.Dense(4, "softmax", bias=False),
    ]
    check(layers, "cross_entropy", optimizer, dtype)


@pytest.mark.slow
@pytest.mark.parametrize("B", [1, 2, 3, 5, 7, 16, 39, 40, 64])
@pytest.mark.parametrize("units", [1, 15, 16, 17, 130])
def test_every_size(B: int, units: int, dtype: Any) -> None:
    check(
        [cr.Dense(units, "tanh"), cr.Dense(3, "softmax")], "cross_entropy", cr.SGD(0.01, momentum=0.9), dtype, B=B, I=19
    )


@pytest.mark.parametrize("optimizer", [cr.SGD(0.05), *OPTIMIZERS], ids=repr)
@pytest.mark.parametrize("narrow", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_one_row_at_a_time(optimizer: Any, narrow: bool, dtype: Any) -> None:
    """The way of online.hpp, in narrow vectors and in wide ones, a layer of which is several blocks.

    Few steps: one row's gradient under RMSProp is little but a sign, and float32's roundings grow from step to step.
    """
    layers = [
        cr.Dense(3 if narrow else 17, "gelu", frozen=("W",)),
        cr.Dense(4 if narrow else 130, "sigmoid", frozen=("b",)),
        cr.Dense(5 if narrow else 131, "tanh"),
        cr.Dense(2, "softmax", bias=False),
    ]
    check(layers, "cross_entropy", optimizer, dtype, B=1, I=2, weights=True, l2=1e-2, steps=8, threads=(1, 2))


def test_penalties(dtype: Any) -> None:
    check([cr.Dense(30, "tanh"), cr.Dense(1, "sigmoid")], "binary_cross_entropy", cr.SGD(0.01), dtype, l1=1e-3, l2=1e-2)


def test_a_frozen_parameter_keeps_its_bits() -> None:
    net = cr.Network([cr.Dense(8, "tanh", frozen=("W",)), cr.Dense(3, "softmax")], l2=0.1, n_inputs=7)
    theta, _ = fifty_steps(NativeEngine(), net, data(net), cr.AdamW(0.01), 7)
    place = net.objective.layout.place("dense_1.W")
    assert theta[place].tobytes() == net.theta[place].tobytes()


def apply(f: Any, x: np.ndarray, name: str) -> np.ndarray:
    net = cr.Network([cr.Activation(f)], "mean_squared_error", n_inputs=1, dtype=x.dtype.name)
    return NativeEngine(1, name).predict(net.objective, net.theta, x[:, None])[:, 0]


@pytest.mark.parametrize("name", instruction_sets())
def test_tanh_to_two_ulp_and_sigmoid_to_two_and_a_half(name: str) -> None:
    """Against float64, over every power of two that float32 has and at the joints of the approximations."""
    rng = np.random.default_rng(0)
    spread = np.float32(2.0) ** rng.uniform(-60, 7, 200_000).astype(np.float32)
    x = np.concatenate(
        [spread, np.linspace(0.5, 1, 50_000, dtype=np.float32), np.linspace(0, 20, 50_000, dtype=np.float32)]
    )
    x = np.concatenate([x, -x])
    exact = {"tanh": np.tanh(x.astype(float)), "sigmoid": 1 / (1 + np.exp(-x.astype(float)))}
    for f, y in exact.items():
        normal = np.abs(y) > np.finfo(np.float32).tiny
        ulps = np.abs(apply(f, x, name) - y)[normal] / np.spacing(np.abs(y[normal]).astype(np.float32))
        assert ulps.max() <= (2 if f == "tanh" else 2.5), (f, ulps.max(), x[normal][ulps.argmax()])


@pytest.mark.parametrize("name", instruction_sets())
def test_extremes(name: str, dtype: Any) -> None:
    x = np.array([-np.inf, -1e30, -1e4, -200, -0.0, 0.0, 200, 1e4, 1e30, np.inf], dtype=dtype)
    assert apply("sigmoid", x, name).tolist() == pytest.approx([0, 0, 0, 0, 0.5, 0.5, 1, 1, 1, 1], abs=1e-80)
    assert apply("tanh", x, name).tolist() == [-1, -1, -1, -1, 0, 0, 1, 1, 1, 1]
    assert np.isnan(apply("tanh", np.array([np.nan], dtype=dtype), name)).all()
    assert np.isnan(apply("relu", np.array([np.nan], dtype=dtype), name)).all()
    assert np.isnan(apply("sigmoid", np.array([np.nan], dtype=dtype), name)).all()


def test_auto_takes_it_and_says_why_not() -> None:
    dense = cr.Network([cr.Dense(3, "softmax")], n_inputs=2)
    normed = cr.Network([cr.Dense(4), cr.BatchNorm(), cr.Dense(3, "softmax")], n_inputs=2)
    assert dense.engine_choice.engine.name == "native"
    assert normed.engine_choice.engine.name == "reference"
    assert "batch_norm" in normed.engine_choice.reason
    assert choose("auto", dense.objective, cr.LBFGS()).engine.name == "reference"
    with pytest.raises(cr.ArgumentError, match="batch_norm"):
        normed.fit(np.zeros((4, 2)), [0, 1, 2, 0], engine="native")


def test_subnormal_numbers_are_flushed_within_a_run_alone() -> None:
    net = cr.Network([cr.Dense(3, "softmax")], n_inputs=7)
    net.theta[:] = np.float32(1e-40)
    fifty_steps(NativeEngine(), net, data(net), cr.Adam(0.01), 7)
    assert np.float32(1e-40) * np.float32(1.0) > 0


def test_settings_of_its_own() -> None:
    net = cr.Network([cr.Dense(3, "softmax")], n_inputs=2)
    net.fit(np.eye(2), [0, 1], epochs=1, engine=NativeEngine(threads=2))
    assert net.engine_choice.reason == "it was given"
    with pytest.raises(cr.ArgumentError, match="instruction set"):
        NativeEngine(instruction_set="avx1024")
    with pytest.raises(cr.ArgumentError, match="threads"):
        NativeEngine(threads=0)


def test_trainings_side_by_side_are_those_alone() -> None:
    def work(results: dict[int, bytes], seed: int) -> None:
        net = cr.Network([cr.Dense(20, "tanh"), cr.Dropout(0.2), cr.Dense(3, "softmax")], n_inputs=7, seed=seed)
        results[seed] = fifty_steps(NativeEngine(1 + seed % 2), net, data(net), cr.Adam(0.01), 7)[0].tobytes()

    alone: dict[int, bytes] = {}
    together: dict[int, bytes] = {}
    for seed in range(6):
        work(alone, seed)
    threads = [threading.Thread(target=work, args=(together, seed)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alone == together


@pytest.mark.parametrize(
    "change",
    [
        {"order": np.array([0, 1, 99])},
        {"order": np.array([0, -1, 2])},
        {"order": np.arange(2)},
        {"first": 2},
        {"first": -1},
    ],
    ids=str,
)
def test_a_wrong_call_is_an_error_and_no_crash(change: dict[str, Any]) -> None:
    net = cr.Network([cr.Dense(2, "softmax")], n_inputs=2)
    rows = Data(np.zeros((3, 2), np.float32), np.eye(3, 2, dtype=np.float32))
    run = NativeEngine().start(net.objective, net.theta, rows, optimizer=cr.SGD(0.1), batch_size=2, seed=0)
    call = {"order": np.arange(3), "first": 0, "rates": np.full(2, 0.1), "taken": 0} | change
    with pytest.raises(ValueError):
        run.advance(**call)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_run_goes_on_in_a_forked_process() -> None:
    """Fork takes none of the threads along that a run keeps: the child's are made anew, and the parent's work on."""
    net = cr.Network([cr.Dense(40, "tanh"), cr.Dense(3, "softmax")], n_inputs=7)
    rows = data(net)

    def thetas(forks: bool) -> list[bytes]:
        theta, found = net.theta.copy(), []
        run = NativeEngine(2).start(net.objective, theta, rows, optimizer=cr.SGD(0.1), batch_size=20, seed=0)
        for epoch in range(2):
            run.advance(None, 0, np.full(2, 0.1), 2 * epoch)
            found.append(theta.tobytes())
            if forks and epoch == 0:
                child = os.fork()
                if child == 0:
                    run.advance(None, 0, np.full(2, 0.1), 2)
                    os._exit(0 if theta.tobytes() == alone[1] else 1)
                assert os.waitpid(child, 0)[1] == 0
        return found

    alone = thetas(forks=False)
    assert thetas(forks=True) == alone


@pytest.mark.parametrize("optimizer", [cr.SGD(0.05), cr.Adam(0.01), cr.Adam(0.01, clip_norm=0.1)], ids=repr)
def test_a_batch_that_goes_through_by_slices(optimizer: Any, dtype: Any) -> None:
    """Large batches: slices of rows, in groups with a gradient each; the masks go on from slice to slice."""
    layers = [cr.Dense(70, "tanh"), cr.Dropout(0.3), cr.Dense(3, "softmax")]
    check(layers, "cross_entropy", optimizer, dtype, B=3000, rows=4500, steps=4, weights=True, l2=1e-2)
