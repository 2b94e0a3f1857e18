"""Several epochs in one call of the engine: nobody can tell, but by the clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.native import NativeRun, kernels

pytestmark = pytest.mark.skipif(kernels() is None, reason="the native engine was not built")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3)).astype("float32")
Y = (X @ RNG.normal(size=(3, 3))).argmax(axis=1)


@pytest.fixture
def at_once(monkeypatch):
    """How many epochs each call took."""
    calls: list[int] = []
    advance = NativeRun.advance_epochs

    def noted(self, orders, rates, taken, thetas):
        calls.append(len(thetas))
        return advance(self, orders, rates, taken, thetas)

    monkeypatch.setattr(NativeRun, "advance_epochs", noted)
    return calls


def network(**options: Any) -> cr.Network:
    return cr.Network([cr.Dense(5, "tanh"), cr.Dropout(0.2), cr.Dense(3, "softmax")], seed=1, **options)


def told(net: cr.Network) -> list[Any]:
    records = [(r.epoch, r.taken, r.loss, r.penalty, r.rate, r.scores, r.best) for r in net.history]
    return [records, net.history.best_epoch, net.history.stopped]


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": cr.SGD(0.1, momentum=0.9)},
        {"optimizer": cr.Adam(cr.schedules.Cosine(0.01)), "batch_size": 50},
        {"optimizer": cr.Adam(0.1, clip_norm=1.0), "validation": 0.2, "early_stopping": 3, "metrics": "accuracy"},
        {"shuffle": False, "batch_size": 1, "class_weight": "balanced"},
        {"early_stopping": 2, "optimizer": cr.SGD(2.0, momentum=0.9)},
        {"early_stopping": cr.EarlyStopping(3, min_delta=0.01, monitor="loss"), "optimizer": cr.SGD(1.0)},
    ],
    ids=["last batch shorter", "full batch", "early stopping", "online", "by the objective", "by some margin"],
)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_epochs_at_once_end_in_the_bits_of_each_alone(at_once, options, reduction):
    both = [network(loss=cr.losses.CrossEntropy(reduction=reduction), l2=0.01) for _ in range(2)]
    both[0].fit(X, Y, epochs=40, **options)
    assert max(at_once) > 1
    at_once.clear()
    both[1].fit(X, Y, epochs=40, callbacks=cr.Callback(), **options)
    assert not at_once
    assert both[0].theta.tobytes() == both[1].theta.tobytes()
    assert told(both[0]) == told(both[1])


def test_who_may_miss_epochs_hears_of_the_last_of_some_and_all_are_kept(at_once):
    heard = []

    class Sampler(cr.Callback):
        only_watches, every_epoch = True, False

        def on_epoch(self, record):
            heard.append(record)

    net = network()
    net.fit(X, Y, epochs=200, callbacks=Sampler())
    assert [record.epoch for record in net.history] == list(range(1, 201))
    assert np.cumsum([1, *at_once]).tolist() == [record.epoch for record in heard]
    assert heard == [net.history.epochs[record.epoch - 1] for record in heard]
    assert sorted(net.history["seconds"]) == net.history["seconds"]
    assert net.history.best_epoch == max(record.epoch for record in net.history if record.best)


def test_early_stopping_looks_no_further_than_it_may_stop(at_once):
    network().fit(X, Y, epochs=60, early_stopping=4, validation=0.2, optimizer=cr.Adam(0.1))
    assert max(at_once) <= 4


def test_a_schedule_that_listens_is_taken_epoch_by_epoch(at_once):
    schedule = cr.schedules.ReduceOnPlateau(0.1, patience=1)
    network().fit(X, Y, epochs=20, optimizer=cr.SGD(schedule))
    assert not at_once


@pytest.mark.parametrize(("rate", "scale"), [(10.0, 1.0), (1.0, 10.0), (100.0, 1000.0)])
def test_a_fault_is_found_at_the_same_place_with_the_same_weights(at_once, rate, scale):
    def fails(**options):
        net = cr.Network([cr.Dense(4, "relu"), cr.Dense(1)], loss="mean_squared_error", seed=0)
        growing = cr.schedules.WarmUp(rate, epochs=290)
        with pytest.raises(cr.DivergenceError) as caught:
            net.fit(X * scale, Y.astype(float), epochs=300, optimizer=cr.SGD(growing), **options)
        return caught.value, net

    (ahead, one), (stepped, other) = fails(), fails(callbacks=cr.Callback())
    assert (ahead.epoch, ahead.step, ahead.place) == (stepped.epoch, stepped.step, stepped.place)
    assert ahead.epoch > 1
    assert at_once
    assert one.theta.tobytes() == other.theta.tobytes()
    assert told(one) == told(other)


def test_whoever_stops_finds_the_weights_of_that_epoch(at_once):
    class StopAt(cr.Callback):
        only_watches = True

        def on_epoch(self, record):
            if record.epoch == 17:
                raise cr.StopTraining("17")

    one, other = network(), network()
    one.fit(X, Y, epochs=400, callbacks=StopAt())
    assert at_once
    other.fit(X, Y, epochs=17)
    assert one.theta.tobytes() == other.theta.tobytes()
    assert len(one.history) == 17


def test_wrong_arrays_are_refused():
    training = network().prepare(network().read(X, Y, where="test"), cr.fitting.FitOptions(batch_size=10))
    run, P = training.run, training.run.theta.size
    thetas, rates = np.empty((2, P), "float32"), np.full(10, 0.1)
    for orders, given, into in [
        (None, rates[:9], thetas),
        (np.zeros((1, 50), int), rates, thetas),
        (np.full((2, 50), 50), rates, thetas),
        (None, rates, np.empty((2, P - 1), "float32")),
    ]:
        with pytest.raises(ValueError, match=r"rate|order|row|thetas"):
            run.advance_epochs(orders, given, 0, into)
    assert len(run.advance_epochs(None, rates, 0, thetas)) == 10
