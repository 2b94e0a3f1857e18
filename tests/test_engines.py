"""The contract of an engine, which every engine fulfils: `ENGINES` drives it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.choose import ENGINES, choose
from chainrule.engines.interface import Data
from chainrule.engines.reference import ReferenceEngine
from chainrule.layers import Mode, Sequence
from chainrule.objective import Objective
from chainrule.splitting import epoch_order

if TYPE_CHECKING:
    from chainrule.engines.interface import Engine, Run

N, I, B = 29, 4, 6
STEPS = 5  # of an epoch; the last batch is shorter
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(N, I))
TARGETS = np.eye(3)[RNG.integers(0, 3, size=N)]
WEIGHTS = RNG.uniform(0.5, 2.0, size=N)
ORDER = epoch_order(N, seed=1, epoch=0)
RATES = np.linspace(0.1, 0.02, STEPS)
OPTIMIZERS = [
    cr.SGD(0.1),
    cr.SGD(0.1, momentum=0.9, nesterov=True, clip_norm=0.5),
    cr.RMSProp(0.01, momentum=0.5),
    cr.Adagrad(0.1),
    cr.Adam(0.01, clip_value=0.1),
    cr.AdamW(0.01, weight_decay=0.1),
    cr.NAdam(0.01),
]
NETWORKS: dict[str, tuple[Any, ...]] = {
    "linear": (cr.Dense(3, "softmax"),),
    "hidden": (cr.Dense(5, "tanh"), cr.Dense(3, "softmax")),
    "no bias": (cr.Dense(5, "sigmoid", bias=False), cr.Dense(3, "softmax", bias=False)),
    "frozen": (cr.Dense(5, "tanh", frozen=("W", "b")), cr.Dense(3, "softmax", frozen=("b",))),
    "everything": (
        cr.Dense(6, "relu"),
        cr.BatchNorm(),
        cr.Dropout(0.4),
        cr.Residual([cr.Dense(6, "gelu"), cr.Dropout(0.2)]),
        cr.LayerNorm(),
        cr.Activation("silu"),
        cr.Dense(3, "softmax"),
    ),
    "without norms": (
        cr.Dropout(0.1),
        cr.Dense(6, "relu"),
        cr.Dropout(0.4),
        cr.Dense(17, "gelu"),
        cr.Activation("silu"),
        cr.Dense(3, "softmax"),
    ),
}


@pytest.fixture(params=[name for name, engine in ENGINES.items() if not engine.refuses()])
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest.fixture
def richest(engine: Engine) -> str:
    """The network of most kinds of layers that the engine takes."""
    return "without norms" if engine.refuses(objective("everything"), cr.SGD(0.1)) else "everything"


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> Any:
    return request.param


def objective(kind: str = "hidden", loss: Any = "cross_entropy", **options: Any) -> Objective:
    return Objective(Sequence(NETWORKS[kind]), cr.losses.get(loss), (I,), **options)


def rows(dtype: str, weights: np.ndarray | None = None) -> Data:
    return Data(ROWS.astype(dtype), TARGETS.astype(dtype), None if weights is None else weights.astype(dtype))


def first_theta(objective: Objective, dtype: Any) -> np.ndarray:
    return objective.layout.draw(np.random.default_rng(7), dtype)


def started(engine: Engine, objective: Objective, dtype: Any, optimizer: Any = OPTIMIZERS[0], **options: Any) -> Run:
    data = options.pop("data", rows(dtype))
    theta = first_theta(objective, dtype)
    batch_size = options.pop("batch", B)
    return engine.start(objective, theta, data, optimizer=optimizer, batch_size=batch_size, seed=11)


def skip_refused(engine: Engine, goal: Objective) -> None:
    refused = engine.refuses(goal, cr.SGD(0.1))
    if refused:
        pytest.skip(refused)


def test_the_name_is_that_of_the_choice(engine: Engine) -> None:
    chosen = choose(engine.name)
    assert chosen.engine is engine
    assert chosen.reason
    assert choose("auto").engine in ENGINES.values()


def test_it_says_whether_it_refuses(engine: Engine) -> None:
    assert isinstance(engine.refuses(objective(), cr.SGD(0.1)), str)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
def test_each_step_is_the_optimizers_step_along_the_objectives_gradient(
    engine: Engine, optimizer: Any, kind: str, dtype: Any
) -> None:
    """Each value is that of before the update; theta is what the pure functions make of it."""
    skip_refused(engine, objective(kind))
    goal = objective(kind, l1=0.001, l2=0.01)
    run = started(engine, goal, dtype, optimizer, data=rows(dtype, WEIGHTS))
    theta = run.theta.copy()
    slots = optimizer.slots(theta)
    trainable = goal.layout.trainable("float64") > 0
    state = {p.name for p in goal.layout.parameters if p.kind == "state"}
    X, T, w = rows(dtype, WEIGHTS)
    for k in range(STEPS):
        batch = ORDER[k * B : (k + 1) * B]
        mode = Mode(True, 11, 40 + k)
        loss, _, _ = goal.data_term(goal.layout.split(theta), X[batch], T[batch], w[batch], mode)
        penalty, _ = goal.penalty(theta)
        _, gradient = goal.value_and_gradient(theta, X[batch], T[batch], w[batch], mode)
        clipped = cr.optimizers.clip(gradient, optimizer)
        change, slots = optimizer.change(
            theta, clipped, slots, rate=RATES[k], t=40 + k + 1, weights=goal.layout.weights(dtype)
        )
        theta = np.where(trainable, theta + change, theta)

        values = run.advance(ORDER, k, RATES[k : k + 1], 40 + k)

        assert values.shape == (1, 2)
        np.testing.assert_allclose(values[0], (loss, penalty), rtol=1e-4 if dtype == "float32" else 1e-11)
        for name in state:  # kept by the engine; the loop here takes it over
            place = goal.layout.place(name)
            assert not np.array_equal(run.theta[place], theta[place])
            theta[place] = run.theta[place]
        tolerance = dict(rtol=2e-4, atol=2e-5) if dtype == "float32" else dict(rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(run.theta, theta, **tolerance)
    assert run.slots.keys() == slots.keys()


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("pieces", [(5,), (1, 1, 1, 1, 1), (2, 3), (4, 1)])
def test_pieces_come_to_the_same_bits(
    engine: Engine, richest: str, optimizer: Any, pieces: tuple[int, ...], dtype: Any
) -> None:
    whole = started(engine, objective(richest), dtype, optimizer)
    pieced = started(engine, objective(richest), dtype, optimizer)
    expected = [whole.advance(ORDER, 0, RATES, 0), whole.advance(ORDER, 0, RATES, STEPS)]
    for epoch in range(2):
        losses, k = [], 0
        for length in pieces:
            losses += pieced.advance(ORDER, k, RATES[k : k + length], epoch * STEPS + k).tolist()
            k += length
        assert losses == expected[epoch].tolist()
    assert whole.theta.tobytes() == pieced.theta.tobytes()
    assert {k: v.tobytes() for k, v in whole.slots.items()} == {k: v.tobytes() for k, v in pieced.slots.items()}


def decayed(*pieces: int) -> Run:
    """Weights that only a penalty moves: below the normal range after some 250 steps."""
    data = Data(np.zeros((320, I), np.float32), np.zeros((320, 3), np.float32))
    goal = objective("frozen", "mean_squared_error", l2=1.0)
    run = started(ReferenceEngine(), goal, "float32", cr.SGD(0.5, momentum=0.5), data=data, batch=1)
    run.theta[goal.layout.place("dense_1.b")] = 1e-40
    first = 0
    for length in pieces:
        run.advance(None, first, np.full(length, 0.5), first)
        first += length
    return run


def test_decay_leaves_no_subnormal_numbers_but_the_frozen_ones() -> None:
    run, layout = decayed(320), objective("frozen").layout
    for numbers in (run.theta[layout.trainable("float32") > 0], run.slots["velocity"]):
        assert not ((numbers != 0) & (np.abs(numbers) < np.finfo("float32").tiny)).any()
    assert run.theta[layout.place("dense_1.b")].tolist() == np.full(5, 1e-40, np.float32).tolist()


@pytest.mark.parametrize("pieces", [(5,) * 54, (63, 1, 1, 205), (100, 170)], ids=["fives", "odd", "two"])
def test_how_steps_are_grouped_does_not_matter_among_subnormal_numbers(pieces: tuple[int, ...]) -> None:
    run, whole = decayed(*pieces), decayed(270)
    assert run.theta.tobytes() == whole.theta.tobytes()
    assert run.slots["velocity"].tobytes() == whole.slots["velocity"].tobytes()


def test_without_an_order_the_rows_come_as_they_are(engine: Engine, dtype: Any) -> None:
    one, other = (started(engine, objective(), dtype) for _ in range(2))
    a, b = one.advance(None, 0, RATES, 0), other.advance(np.arange(N), 0, RATES, 0)
    assert a.tolist() == b.tolist()
    assert one.theta.tobytes() == other.theta.tobytes()


def test_theta_is_changed_in_place_and_the_data_are_not(engine: Engine, dtype: Any) -> None:
    goal, data = objective(), rows(dtype, WEIGHTS)
    for array in data:
        array.flags.writeable = False
    theta = first_theta(goal, dtype)
    before = theta.copy()
    run = engine.start(goal, theta, data, optimizer=cr.Adam(0.01), batch_size=B, seed=0)
    run.advance(ORDER, 0, RATES, 0)
    assert run.theta is theta
    assert not np.array_equal(theta, before)
    assert all(slot.shape == theta.shape and slot.dtype == theta.dtype for slot in run.slots.values())


def test_restored_numbers_go_on_to_the_same_bits_and_are_copies(engine: Engine, richest: str, dtype: Any) -> None:
    run = started(engine, objective(richest), dtype, cr.Adam(0.01))
    run.advance(ORDER, 0, RATES[:2], 0)
    theta, slots = run.theta.copy(), {name: slot.copy() for name, slot in run.slots.items()}
    run.advance(ORDER, 2, RATES[2:], 2)
    end = run.theta.copy()
    for target in (run, started(engine, objective(richest), dtype, cr.Adam(0.01))):
        target.restore(theta, slots)
        target.advance(ORDER, 2, RATES[2:], 2)
        assert target.theta.tobytes() == end.tobytes()
    assert theta.tobytes() != end.tobytes()


def test_what_is_frozen_keeps_its_bits(engine: Engine, dtype: Any) -> None:
    goal = objective("frozen", l2=0.1)
    for optimizer in OPTIMIZERS:
        run = started(engine, goal, dtype, optimizer)
        run.theta[goal.layout.place("dense_2.b")] = [-0.0, 1.0, -0.0]
        before = run.theta.copy()
        run.advance(ORDER, 0, RATES, 0)
        frozen = goal.layout.trainable(dtype) == 0
        assert run.theta[frozen].tobytes() == before[frozen].tobytes()
        assert (run.theta[~frozen] != before[~frozen]).all()


def test_a_value_that_is_not_finite_is_the_last_and_changes_nothing(engine: Engine, dtype: Any) -> None:
    data = rows(dtype)
    data.T[ORDER[2 * B]] = np.nan
    run, other = (started(engine, objective(loss="mean_squared_error"), dtype, data=data) for _ in range(2))
    losses = run.advance(ORDER, 0, RATES, 0)
    assert losses.shape == (3, 2)
    assert np.isfinite(losses[:2]).all()
    assert np.isnan(losses[2, 0])
    assert (losses[:, 1] == 0).all()  # there is no penalty
    other.advance(ORDER, 0, RATES[:2], 0)
    assert run.theta.tobytes() == other.theta.tobytes()
    assert np.isfinite(run.theta).all()


def test_a_penalty_that_is_not_finite_is_the_last_and_changes_nothing(engine: Engine) -> None:
    goal = objective(l2=1e30)
    run = started(engine, goal, "float32")
    run.theta[goal.layout.place("dense_2.W")] *= 1e10
    before = run.theta.copy()
    ((loss, penalty),) = run.advance(ORDER, 0, RATES, 0)
    assert np.isfinite(loss)
    assert penalty == np.inf
    assert run.theta.tobytes() == before.tobytes()


def test_dropout_depends_on_the_seed_and_the_step_alone(engine: Engine, richest: str) -> None:
    goal = objective(richest)

    def first_loss(taken: int, seed: int) -> float:
        run = engine.start(
            goal, first_theta(goal, "float64"), rows("float64"), optimizer=cr.SGD(0.1), batch_size=B, seed=seed
        )
        return float(run.advance(ORDER, 0, RATES[:1], taken)[0, 0])

    assert first_loss(3, 1) == first_loss(3, 1)
    assert len({first_loss(taken, seed) for taken in range(3) for seed in range(3)}) == 9


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_predictions_and_the_loss_are_those_of_all_rows_at_once(
    engine: Engine, richest: str, reduction: str, dtype: Any
) -> None:
    goal = objective(richest, cr.losses.CrossEntropy(reduction=reduction), l1=0.01, l2=0.1)
    theta = first_theta(goal, dtype)
    many = 700  # 20300 rows: more than a block
    X, T, w = (np.concatenate([array] * many) for array in rows(dtype, WEIGHTS))
    rtol = 2e-4 if dtype == "float32" else 1e-10
    Y = engine.predict(goal, theta, X)
    np.testing.assert_allclose(Y, goal.predict(goal.layout.split(theta), X), rtol=rtol, atol=1e-6)
    value, _, _ = goal.data_term(goal.layout.split(theta), X, T, w)
    assert engine.evaluate(goal, theta, Data(X, T, w))[0] == pytest.approx(float(value), rel=rtol)


def test_numbers_beyond_the_range_are_given_back_without_a_warning(engine: Engine) -> None:
    goal = objective(loss="mean_squared_error")
    theta = first_theta(goal, "float32")
    theta[...] = 3e38
    assert not np.isfinite(engine.evaluate(goal, theta, rows("float32"))[0])
    assert engine.predict(goal, theta, rows("float32").X).shape == (N, 3)


def test_runs_in_threads_are_those_alone(engine: Engine, richest: str) -> None:
    def work(results: dict[int, bytes], seed: int) -> None:
        run = started(engine, objective(richest), "float32", cr.Adam(0.01))
        for epoch in range(20):
            run.advance(epoch_order(N, seed=seed, epoch=epoch), 0, RATES, epoch * STEPS)
        results[seed] = run.theta.tobytes()

    alone: dict[int, bytes] = {}
    together: dict[int, bytes] = {}
    for seed in range(4):
        work(alone, seed)
    threads = [threading.Thread(target=work, args=(together, seed)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alone == together


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_engine_trains_as_the_reference_does(engine: Engine, kind: str) -> None:
    """To rounding: initial weights, orders and masks come from elsewhere."""
    skip_refused(engine, objective(kind))
    run = started(engine, objective(kind), "float64", cr.Adam(0.01))
    wanted = started(ReferenceEngine(), objective(kind), "float64", cr.Adam(0.01))
    for epoch in range(3):
        order = epoch_order(N, seed=2, epoch=epoch)
        losses = (r.advance(order, 0, RATES, epoch * STEPS) for r in (run, wanted))
        np.testing.assert_allclose(*losses, rtol=1e-9)
    np.testing.assert_allclose(run.theta, wanted.theta, rtol=1e-7, atol=1e-10)
