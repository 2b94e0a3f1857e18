"""What the layers did: beside difference quotients and the steps really taken; nothing is changed."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

import chainrule as cr
from chainrule.report import watching
from chainrule.report.watching import turns

rng = np.random.default_rng(3)
X = rng.normal(0, 1, (40, 3))
y = (X[:, 0] * X[:, 1] > 0).astype(int)


def network(**options):
    layers = [cr.Dense(5, "tanh"), cr.Dropout(0.2), cr.Dense(4, "relu"), cr.Dense(2, "softmax")]
    return cr.Network(options.pop("layers", layers), seed=1, dtype="float64", **options)


@pytest.mark.parametrize("epochs", [1, 7, 90])
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_listening_changes_no_bit(epochs, engine):
    nets = [network(l2=0.01) for _ in range(2)]
    one = nets[0].fit(X, y, epochs=epochs, batch_size=8, engine=engine, validation=0.2)
    two = nets[1].fit(X, y, epochs=epochs, batch_size=8, engine=engine, validation=0.2, callbacks=cr.LayerStatistics())
    assert np.array_equal(nets[0].theta, nets[1].theta)
    assert one["loss"] == two["loss"]
    assert one["validation_loss"] == two["validation_loss"]


def test_every_turn_is_looked_at_also_where_the_engine_takes_many_epochs_at_once():
    watch = cr.LayerStatistics()
    network(layers=[cr.Dense(2, "softmax")]).fit(X[:4], y[:4], epochs=3000, callbacks=watch)
    assert {record.epoch for record in watch.weights} == {0, *turns(0, 3000)}


def test_the_update_is_the_step_that_is_taken_next():
    watch, net = cr.LayerStatistics(), network(layers=[cr.Dense(5, "tanh"), cr.Dense(2, "softmax")])
    thetas = []
    options = dict(batch_size=40, shuffle=False, optimizer=cr.Adam(0.01))
    net.fit(X, y, epochs=6, callbacks=[watch, lambda _: thetas.append(net.theta.copy())], **options)
    place = net.objective.layout.place("dense_1.W")
    ratio = {record.epoch: record.ratio for record in watch.weights if record.name == "dense_1.W"}
    for epoch in range(1, 6):
        before, after = thetas[epoch - 1][place], thetas[epoch][place]
        assert ratio[epoch] == pytest.approx(np.linalg.norm(after - before) / np.linalg.norm(before), rel=1e-6)


def test_the_gradient_is_that_of_difference_quotients():
    watch, net = cr.LayerStatistics(), network(layers=[cr.Dense(3, "tanh"), cr.Dense(2, "softmax")])
    net.fit(X, y, epochs=2, callbacks=watch)
    place, h, quotients = net.objective.layout.place("dense_1.W"), 1e-6, []
    for i in range(place.start, place.stop):
        values = []
        for sign in (1, -1):
            net.theta[i] += sign * h
            values.append(net.evaluate_loss(X, y))
            net.theta[i] -= sign * h
        quotients.append((values[0] - values[1]) / (2 * h))
    (found,) = [each.gradient for each in watch.weights if each.name == "dense_1.W" and each.epoch == 2]
    assert found == pytest.approx(np.linalg.norm(quotients), rel=1e-6)


def test_outputs_are_told_with_the_share_where_f_is_flat():
    watch = cr.LayerStatistics()
    net = network(layers=[cr.Dense(6, "relu"), cr.Dense(2, "softmax")])
    W = net.build(3).parameters["dense_1.W"].copy()
    net.fit(X, y, epochs=1, callbacks=watch)
    Y = np.maximum(X @ W, 0)
    first = watch.units[0]
    assert (first.layer, first.activation, first.epoch) == ("dense_1", "relu", 0)
    assert (first.mean, first.deviation) == (pytest.approx(Y.mean()), pytest.approx(Y.std()))
    assert first.flat == pytest.approx((Y == 0).mean())
    softmax = watch.units[1]
    assert softmax.mean == pytest.approx(0.5)  # two probabilities that sum to 1


def test_training_scores_are_those_of_the_network_as_it_predicts():
    watch, net = cr.LayerStatistics(), network()
    thetas = [net.build(3).theta.copy()]
    given = dict(validation=(X[30:], y[30:]), metrics=["accuracy", "roc_auc"], epochs=3, batch_size=8)
    net.fit(X[:30], y[:30], callbacks=[watch, lambda _: thetas.append(net.theta.copy())], **given)
    assert [(each.epoch, each.name) for each in watch.scores[::2]] == [(epoch, "accuracy") for epoch in range(4)]
    for each in watch.scores[::2]:
        net.theta = thetas[each.epoch]
        assert each.value == np.mean(net.predict(X[:30]) == y[:30])


def test_states_of_a_large_network_are_looked_at_at_once(monkeypatch):
    later, at_once = cr.LayerStatistics(), cr.LayerStatistics()
    network().fit(X, y, epochs=9, batch_size=8, callbacks=later)
    monkeypatch.setattr(watching, "_BYTES", 0)
    network().fit(X, y, epochs=9, batch_size=8, callbacks=at_once)
    assert at_once.weights == later.weights
    assert at_once.units == later.units
    assert len(later.weights) == 3 * 10


@pytest.mark.parametrize("how", ["interrupted", "stopped early"])
def test_weights_that_were_put_back_are_not_those_of_the_last_epoch(how):
    def interrupt(record):
        if record.epoch == 60 and how == "interrupted":
            raise KeyboardInterrupt

    watch, net = cr.LayerStatistics(), network(layers=[cr.Dense(2, "softmax")])
    given = dict(early_stopping=7) if how == "stopped early" else {}
    with contextlib.suppress(KeyboardInterrupt):
        net.fit(X, y, epochs=200, optimizer=cr.SGD(2.0), validation=0.5, callbacks=[watch, interrupt], **given)
    last = net.history.epochs[-1].epoch
    assert net.history.best_epoch < last < 200
    assert max(each.epoch for each in watch.weights) in {*turns(0, 200)}
