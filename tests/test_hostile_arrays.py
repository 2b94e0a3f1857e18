"""Arrays of every make and calls that make no sense: the native engine is right, or Python raises; it never crashes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines import native
from chainrule.engines.interface import Data
from chainrule.engines.native import NativeEngine, instruction_sets
from chainrule.engines.reference import ReferenceEngine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

kernels = native.kernels()
if kernels is None:
    pytest.skip("built without a compiler", allow_module_level=True)

N, I, K = 21, 6, 3
RNG = np.random.default_rng(0)
ROWS = RNG.integers(-3, 4, size=(N, I)).astype(np.float64)  # whole numbers: the same in every type
LABELS = np.arange(N) % K


def network(**options: Any) -> cr.Network:
    return cr.Network([cr.Dense(5, "tanh"), cr.Dense(K, "softmax")], seed=1, **options)


def fitted(X: Any, y: Any = LABELS, **options: Any) -> cr.Network:
    net = network()
    net.fit(X, y, **{"epochs": 2, "batch_size": 8, "engine": "native"} | options)
    return net


def on_disk(X: np.ndarray, folder: Path) -> np.ndarray:
    path = folder / f"{X.shape}.npy"
    np.save(path, X)
    return np.load(path, mmap_mode="r")


def read_only(X: np.ndarray) -> np.ndarray:
    X = X.copy()
    X.flags.writeable = False
    return X


MAKES: dict[str, Callable[[np.ndarray, Path], Any]] = {
    "transposed": lambda X, _: np.ascontiguousarray(X.T).T,
    "Fortran order": lambda X, _: np.asfortranarray(X),
    "every second column": lambda X, _: np.repeat(X, 2, axis=1)[:, ::2],
    "every second row": lambda X, _: np.repeat(X, 2, axis=0)[::2],
    "negative strides": lambda X, _: X[::-1, ::-1].copy()[::-1, ::-1],
    "stride 0": lambda X, _: np.broadcast_to(X[:1], X.shape),
    "off its alignment": lambda X, _: np.frombuffer(b"." + X.tobytes(), np.uint8)[1:].view(X.dtype).reshape(X.shape),
    "read-only": lambda X, _: read_only(X),
    "memory-mapped": on_disk,
    "big-endian": lambda X, _: X.astype(">f8"),
    "the other float32": lambda X, _: X.astype(np.dtype(np.float32).newbyteorder()),
    "float16": lambda X, _: X.astype(np.float16),
    "longdouble": lambda X, _: X.astype(np.longdouble),
    "int8": lambda X, _: X.astype(np.int8),
    "big-endian integers": lambda X, _: X.astype(">i8"),
    "objects": lambda X, _: X.astype(object),
    "lists": lambda X, _: X.tolist(),
    "a subclass": lambda X, _: X.view(np.ma.MaskedArray),
}


@pytest.mark.parametrize("make", MAKES)
def test_inputs_of_every_make_train_to_the_bits_of_plain_ones(make: str, tmp_path: Path) -> None:
    odd = MAKES[make](ROWS, tmp_path)
    plain = np.array(np.asarray(odd).tolist(), dtype=np.float64)
    one, other = fitted(odd), fitted(plain)
    assert one.theta.tobytes() == other.theta.tobytes()
    assert one.forward(odd).tobytes() == other.forward(plain).tobytes()
    (value, gradient), (wanted, wanted_gradient) = (
        net.loss_and_gradient(x, LABELS) for net, x in [(one, odd), (other, plain)]
    )
    assert value == wanted
    assert gradient.theta.tobytes() == wanted_gradient.theta.tobytes()


@pytest.mark.parametrize("make", [make for make in MAKES if make != "stride 0"])
def test_the_engine_itself_takes_them(make: str, tmp_path: Path) -> None:
    net = network(n_inputs=I, dtype="float64")
    T = np.eye(K)[LABELS]
    odd = Data(np.asarray(MAKES[make](ROWS, tmp_path)), np.asarray(MAKES[make](T, tmp_path)))
    results = []
    for data in (Data(ROWS, T, np.ones(N)), odd):
        theta = net.theta.copy()
        run = NativeEngine().start(net.objective, theta, data, optimizer=cr.Adam(0.01), batch_size=8, seed=0)
        run.advance(np.arange(N)[::-1], 0, np.full(6, 0.01)[::2], 0)
        results.append(theta.tobytes() + NativeEngine().predict(net.objective, theta, data.X).tobytes())
    assert results[0] == results[1]


def test_booleans_are_numbers() -> None:
    assert fitted(ROWS > 0).theta.tobytes() == fitted((ROWS > 0).astype(float)).theta.tobytes()


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (ROWS[:0], LABELS[:0]),
        (ROWS[:, :0], LABELS),
        (ROWS[0], LABELS[:1]),
        (ROWS[None], LABELS),
        (ROWS, LABELS[:-1]),
        (ROWS + 1j, LABELS),
        (ROWS.astype(str), LABELS),
        (ROWS.astype("M8[s]"), LABELS),
        (np.array(5.0), LABELS),
        (np.full((N, I), np.inf), LABELS),
        (np.array([[object()] * I] * N), LABELS),
        (np.zeros(N, dtype=[("a", float)]), LABELS),
    ],
    ids=["rows", "columns", "flat", "deep", "short", "complex", "text", "dates", "scalar", "inf", "objects", "records"],
)
def test_what_is_no_table_of_numbers_is_refused(X: Any, y: Any) -> None:
    with pytest.raises(cr.InputError):
        fitted(X, y)
    with pytest.raises(cr.InputError):
        network(n_inputs=I).loss_and_gradient(X, y)


def test_no_rows_have_no_outputs() -> None:
    net = network(n_inputs=I)
    assert NativeEngine().predict(net.objective, net.theta, ROWS[:0].astype("f4")).shape == (0, K)
    with pytest.raises(cr.ShapeError):
        net.forward(ROWS[:0])


def test_inputs_that_are_theta_itself() -> None:
    """Rows that lie in the vector that training writes: no more than odd numbers come of it."""
    net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], n_inputs=4, dtype="float64")
    rows = net.theta[:16].reshape(4, 4)
    net.fit(rows, [0, 1, 0, 1], epochs=3, engine="native")
    net.forward(net.theta[:16].reshape(4, 4))
    assert np.isfinite(net.theta).all()


def test_theta_takes_numbers_of_other_types() -> None:
    net = network(n_inputs=I)
    for kind in (np.float64, np.float16, ">f4", np.int64, object):
        net.theta = np.ones(len(net.theta), dtype=kind)
        assert net.theta.dtype == np.float32
        assert (net.theta == 1).all()
    with pytest.raises(cr.ShapeError):
        net.theta = np.ones(3)
    assert fitted(ROWS).theta.dtype == np.float32


@pytest.mark.parametrize(
    "theta",
    [
        lambda P: np.ones(2 * P, np.float32)[::2],
        lambda P: np.ones(P, np.float16),
        lambda P: np.ones(P, ">f4"),
        lambda P: np.ones(P, np.int32),
        lambda P: np.ones(P - 1, np.float32),
        lambda P: np.ones((P, 1), np.float32),
        lambda P: read_only(np.ones(P, np.float32)),
        lambda P: np.zeros(4 * P + 1, np.uint8)[1:].view(np.float32),
    ],
    ids=["strides", "float16", "big-endian", "int32", "short", "column", "read-only", "off its alignment"],
)
def test_a_theta_that_cannot_be_trained_in_place_is_refused(theta: Callable[[int], np.ndarray]) -> None:
    net = network(n_inputs=I)
    data = Data(ROWS.astype("f4"), np.eye(K, dtype="f4")[LABELS])
    with pytest.raises(cr.ArgumentError, match="theta"):
        NativeEngine().start(net.objective, theta(len(net.theta)), data, optimizer=cr.SGD(0.1), batch_size=4, seed=0)


@pytest.mark.parametrize(
    "change", [{"X": ROWS[:, :3]}, {"X": ROWS[:0]}, {"T": np.zeros((N, 5))}, {"weights": np.ones(2)}], ids=str
)
def test_data_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    net = network(n_inputs=I)
    data = Data(ROWS, np.eye(K)[LABELS])._replace(**change)
    with pytest.raises(cr.ShapeError):
        NativeEngine().start(net.objective, net.theta, data, optimizer=cr.SGD(0.1), batch_size=4, seed=0)


# ---- sizes ----------------------------------------------------------------------------------------------------------


def trained(engine: Any, net: cr.Network, data: Data, B: int) -> np.ndarray:
    theta, steps = net.theta.copy(), -(-len(data.X) // B)
    run = engine.start(net.objective, theta, data, optimizer=cr.SGD(0.05, momentum=0.9), batch_size=B, seed=0)
    for epoch in range(2):
        run.advance(None, 0, np.full(steps, 0.05), epoch * steps)
    return np.concatenate([theta, engine.predict(net.objective, theta, data.X).ravel()])


sizes = st.integers(1, 35)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(n=sizes, inputs=sizes, hidden=sizes, outputs=sizes, B=sizes, threads=st.integers(1, 3))
def test_every_size_on_every_instruction_set(
    n: int, inputs: int, hidden: int, outputs: int, B: int, threads: int
) -> None:
    net = cr.Network(
        [cr.Dense(hidden, "tanh"), cr.Dense(outputs)], loss="mean_squared_error", n_inputs=inputs, dtype="float64"
    )
    rng = np.random.default_rng(n)
    data = Data(rng.normal(size=(n, inputs)), rng.normal(size=(n, outputs)))
    wanted = trained(ReferenceEngine(), net, data, B)
    for name in instruction_sets():
        np.testing.assert_allclose(trained(NativeEngine(threads, name), net, data, B), wanted, rtol=1e-9, atol=1e-11)


# ---- other threads --------------------------------------------------------------------------------------------------


def test_inputs_that_change_under_a_training_do_no_harm() -> None:
    X, stop = np.asfortranarray(ROWS).copy(order="C").astype(np.float32), threading.Event()
    order = np.arange(N)

    def disturb() -> None:
        while not stop.is_set():
            X[...] = np.nan
            X[...] = 1
            order[...] = 2**40
            order[...] = 0

    net = network(n_inputs=I)
    data = Data(X, np.eye(K, dtype="f4")[LABELS])
    run = NativeEngine(2).start(net.objective, net.theta, data, optimizer=cr.SGD(0.01), batch_size=2, seed=0)
    other = threading.Thread(target=disturb)
    other.start()
    try:
        for _ in range(15):
            try:
                run.advance(order, 0, np.full(11, 0.01), 0)
            except ValueError:
                continue  # an order of rows that are not there was seen
    finally:
        stop.set()
        other.join()


def test_one_run_called_from_two_threads_takes_one_call_after_the_other() -> None:
    def run() -> Any:
        net = network(n_inputs=I)
        data = Data(ROWS.astype("f4"), np.eye(K, dtype="f4")[LABELS])
        return NativeEngine(2).start(net.objective, net.theta, data, optimizer=cr.Adam(0.01), batch_size=4, seed=0)

    one, other = run(), run()
    call = (None, 0, np.full(6, 0.01), 0)
    for _ in range(40):
        one.advance(*call)
    threads = [threading.Thread(target=lambda: [other.advance(*call) for _ in range(20)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one.theta.tobytes() == other.theta.tobytes()


# ---- the compiled module itself -------------------------------------------------------------------------------------


def layer(**fields: Any) -> Any:
    record = kernels.Layer()
    for name, value in ({"inputs": 2, "units": 3, "w": 0, "b": 6, "bias": True, "train_w": True} | fields).items():
        setattr(record, name, value)
    return record


def adam() -> Any:
    record = kernels.Optimizer()
    record.kind = kernels.OptimizerKind.Adam
    return record


def arguments(**change: Any) -> dict[str, Any]:
    """A call of ``Run64`` that is right, but for what is changed."""
    right: dict[str, Any] = {
        "theta": np.zeros(9), "slots": [np.zeros(9), np.zeros(9)], "X": np.zeros((4, 2)), "T": np.zeros((4, 3)),
        "weights": None, "layers": [layer()], "loss": kernels.Loss(), "optimizer": adam(), "batch_size": 2, "seed": 0,
        "threads": 1, "instruction_set": "",
    }  # fmt: skip
    return right | change


WRONG: dict[str, Any] = {
    "no theta": {"theta": None},
    "theta of another type": {"theta": np.zeros(9, np.float32)},
    "theta with strides": {"theta": np.zeros(18)[::2]},
    "theta read-only": {"theta": read_only(np.zeros(9))},
    "a short theta": {"theta": np.zeros(8), "slots": [np.zeros(8)] * 2},
    "short slots": {"slots": [np.zeros(9), np.zeros(8)]},
    "no slots": {"slots": []},
    "three slots": {"slots": [np.zeros(9)] * 3},
    "slots of None": {"slots": [None, None]},
    "flat X": {"X": np.zeros(8)},
    "wide X": {"X": np.zeros((4, 3))},
    "X without rows": {"X": np.zeros((0, 2)), "T": np.zeros((0, 3))},
    "X in Fortran order": {"X": np.zeros((4, 2), order="F")},
    "X of objects": {"X": np.zeros((4, 2), object)},
    "few targets": {"T": np.zeros((3, 3))},
    "narrow targets": {"T": np.zeros((4, 1))},
    "few weights": {"weights": np.ones(3)},
    "no layers": {"layers": []},
    "layers of None": {"layers": [None]},
    "negative units": {"layers": [layer(units=-3)]},
    "no inputs": {"layers": [layer(inputs=0)]},
    "units that overflow": {"layers": [layer(units=2**31 - 1)]},
    "weights outside": {"layers": [layer(w=4)]},
    "weights around the end of memory": {"layers": [layer(w=2**64 - 3)]},
    "a bias outside": {"layers": [layer(b=2**64 - 2)]},
    "layers apart": {"layers": [layer(), layer(inputs=4)]},
    "an enormous layer without weights": {"layers": [layer(kind=kernels.LayerKind.dropout, inputs=2**31 - 1)]},
    "no rows at once": {"batch_size": 0},
    "fewer rows than none": {"batch_size": -5},
    "more rows than an int": {"batch_size": 2**40},
    "no threads": {"threads": 0},
    "negative threads": {"threads": -1},
    "another machine's instructions": {"instruction_set": "vax"},
    "a negative seed": {"seed": -1},
}


@pytest.mark.parametrize("change", WRONG)
def test_a_run_that_makes_no_sense_is_refused(change: str) -> None:
    kernels.Run64(**arguments())
    with pytest.raises((TypeError, ValueError, MemoryError)):
        kernels.Run64(**arguments(**WRONG[change]))


def test_an_enormous_batch_is_all_the_rows() -> None:
    run = kernels.Run64(**arguments(batch_size=2**31 - 1))
    assert run.advance(None, 0, np.zeros(1), 0, 1, np.zeros((1, 2))) == 1


def test_more_threads_than_there_can_be_are_an_error_and_no_crash() -> None:
    """Where the system gives so many, it is no error: the bits are those of one thread."""
    theta = np.zeros(9)
    run = kernels.Run64(**arguments(theta=theta, threads=300))
    run.advance(None, 0, np.full(2, 0.1), 0, 300, np.zeros((2, 2)))
    alone = np.zeros(9)
    kernels.Run64(**arguments(theta=alone)).advance(None, 0, np.full(2, 0.1), 0, 1, np.zeros((2, 2)))
    assert theta.tobytes() == alone.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"order": np.array([0, 1, 2, 4])},
        {"order": np.array([0, 1, 2, -1])},
        {"order": np.arange(3)},
        {"order": np.arange(4.0)},
        {"order": np.arange(8)[::2]},
        {"first": -1},
        {"first": 1},
        {"first": 2**62},
        {"first": 2**63 - 1},
        {"rates": np.zeros(3), "values": np.zeros((3, 2))},
        {"rates": None},
        {"rates": np.zeros(2, np.float32)},
        {"values": np.zeros((1, 2))},
        {"values": np.zeros((2, 1))},
        {"values": np.zeros((2, 4))[:, ::2]},
        {"values": read_only(np.zeros((2, 2)))},
        {"taken": -1},
        {"taken": 2**70},
        {"threads": 0},
        {"threads": 2},
    ],
    ids=str,
)
def test_steps_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    run = kernels.Run64(**arguments())
    right = {
        "order": np.arange(4),
        "first": 0,
        "rates": np.zeros(2),
        "taken": 0,
        "threads": 1,
        "values": np.zeros((2, 2)),
    }
    assert run.advance(**right) == 2
    with pytest.raises((TypeError, ValueError)):
        run.advance(**right | change)


@pytest.mark.parametrize(
    "change",
    [
        {"X": np.zeros((4, 3))},
        {"X": np.zeros((8, 2))[::2]},
        {"T": np.zeros((4, 2))},
        {"T": np.zeros((3, 3))},
        {"weights": np.zeros(3)},
        {"theta": np.zeros(3)},
        {"theta": None},
        {"layers": []},
        {"threads": 0},
        {"instruction_set": "vax"},
        {"Y": np.zeros((3, 3))},
        {"Y": np.zeros((4, 6))[:, ::2]},
        {"Y": np.zeros((4, 3), np.float32)},
        {"Y": read_only(np.zeros((4, 3)))},
    ],
    ids=str,
)
def test_evaluations_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    right = {
        name: value for name, value in arguments().items() if name not in {"slots", "optimizer", "batch_size", "seed"}
    }
    right |= {"Y": np.zeros((4, 3)), "threads": 1}
    assert kernels.evaluate(**right) == 0
    with pytest.raises((TypeError, ValueError)):
        kernels.evaluate(**right | change)
