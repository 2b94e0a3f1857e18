"""The loop: what it computes, held to a plain loop written here and to scikit-learn; what it must not depend on."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier

import chainrule as cr
from chainrule import training
from chainrule.losses import CrossEntropy
from chainrule.schedules import Cosine, OneCycle, ReduceOnPlateau
from chainrule.splitting import epoch_order, split_rows
from chainrule.training_settings import TrainingSettings

N, I, H, K = 23, 4, 5, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, I))
Y = RNG.integers(0, K, size=N)
WEIGHTS = RNG.uniform(0.2, 3.0, size=N)


def network(**options: Any) -> cr.Network:
    layers = [cr.Dense(H, "tanh"), cr.Dense(K, "softmax")]
    return cr.Network(layers, options.pop("loss", "cross_entropy"), **{"seed": 3, "dtype": "float64", **options})


def regular(**options: Any) -> cr.Network:
    """A network with everything that is random or has a memory."""
    layers = [cr.Dense(16, "relu"), cr.BatchNorm(), cr.Dropout(0.3), cr.Dense(K, "softmax")]
    return cr.Network(layers, **{"seed": 5, **options})


# ---- a plain loop, written without the library -----------------------------------------------------------------------


def plain_loop(
    parameters: list[np.ndarray],
    *,
    epochs: int,
    batch: int,
    rate: float,
    momentum: float = 0.0,
    orders: list[np.ndarray],
    weights: np.ndarray | None = None,
    total: bool = False,
    l1: float = 0.0,
    l2: float = 0.0,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Gradient descent on a tanh layer and a softmax layer: parameters in the end; loss and penalty of each epoch."""
    W1, b1, W2, b2 = parameters
    velocity = [np.zeros_like(p) for p in parameters]
    w = np.ones(N) if weights is None else weights
    history = []
    for epoch in range(epochs):
        values = []
        for start in range(0, N, batch):
            rows = orders[epoch][start : start + batch]
            x, t, wr = X[rows], np.eye(K)[Y[rows]], w[rows]
            h = np.tanh(x @ W1 + b1)
            e = np.exp(h @ W2 + b2)
            p = e / e.sum(1, keepdims=True)
            share = 1.0 if total else 1.0 / len(rows)
            penalty = sum(l1 * np.abs(W).sum() + l2 / 2 * (W**2).sum() for W in (W1, W2))
            loss = share * -(wr * np.log((p * t).sum(1))).sum()
            values.append(np.array([loss, penalty]) * (1.0 if total else len(rows)))
            d2 = (p - t) * wr[:, None] * share
            d1 = (d2 @ W2.T) * (1 - h**2)
            grads = [
                x.T @ d1 + l1 * np.sign(W1) + l2 * W1,
                d1.sum(0),
                h.T @ d2 + l1 * np.sign(W2) + l2 * W2,
                d2.sum(0),
            ]
            velocity = [momentum * v - rate * g for v, g in zip(velocity, grads, strict=True)]
            W1, b1, W2, b2 = (p + v for p, v in zip((W1, b1, W2, b2), velocity, strict=True))
        history.append(sum(values) / (1 if total else N))
    return [W1, b1, W2, b2], np.array(history)


CASES = {
    "mini-batch with a short last batch": dict(batch_size=7),
    "online": dict(batch_size=1),
    "full batch": dict(batch_size=None),
    "a batch larger than the data": dict(batch_size=100),
    "not shuffled": dict(batch_size=7, shuffle=False),
    "momentum": dict(batch_size=7, optimizer=cr.SGD(0.05, momentum=0.9)),
    "sample weights": dict(batch_size=7, sample_weight=WEIGHTS),
}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("penalties", [{}, {"l1": 0.01}, {"l2": 0.02}], ids=["plain", "l1", "l2"])
@pytest.mark.parametrize("case", CASES)
def test_fit_is_the_plain_loop(case: str, penalties: dict[str, float], reduction: str) -> None:
    options = {"optimizer": cr.SGD(0.05), "shuffle": True, **CASES[case]}
    net = network(loss=CrossEntropy(reduction=reduction), n_inputs=I, **penalties)
    first = [np.array(p) for p in net.parameters.values()]
    shuffled = options["shuffle"]
    orders = [epoch_order(N, seed=3, epoch=e) if shuffled else np.arange(N) for e in range(4)]

    history = net.fit(X, Y, epochs=4, **options)

    wanted, values = plain_loop(
        first,
        epochs=4,
        batch=min(options["batch_size"] or N, N),
        rate=0.05,
        momentum=options["optimizer"].momentum,
        orders=orders,
        weights=options.get("sample_weight"),
        total=reduction == "sum",
        **penalties,
    )
    for found, expected in zip(net.parameters.values(), wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(np.transpose([history["loss"], history["penalty"]]), values, rtol=1e-12)
    np.testing.assert_allclose(history["objective"], values.sum(axis=1), rtol=1e-12)


def test_fit_is_scikit_learn() -> None:
    peer = MLPClassifier((H,), activation="tanh", solver="sgd", alpha=0.0, batch_size=7, shuffle=False, momentum=0.0)
    peer.set_params(learning_rate_init=0.05, random_state=0)
    peer.partial_fit(X, Y, classes=np.arange(K))
    net = network(n_inputs=I)
    net.theta = np.concatenate([a.ravel() for W, b in zip(peer.coefs_, peer.intercepts_, strict=True) for a in (W, b)])
    for _ in range(6):
        peer.partial_fit(X, Y)
    net.fit(X, Y, epochs=6, batch_size=7, shuffle=False, optimizer=cr.SGD(0.05))
    np.testing.assert_allclose(net.predict_proba(X), peer.predict_proba(X), rtol=1e-10)


def test_epochs_take_the_rows_in_orders_of_their_own() -> None:
    orders = [epoch_order(1000, seed=1, epoch=e) for e in range(3)]
    assert all(np.array_equal(np.sort(order), np.arange(1000)) for order in orders)
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], epoch_order(1000, seed=2, epoch=0))


@pytest.mark.parametrize(("batch", "same"), [(None, True), (N, True), (N - 1, False)])
def test_one_batch_of_all_rows_is_not_shuffled(batch: int | None, same: bool) -> None:
    nets = [network(n_inputs=I) for _ in range(2)]
    for net, shuffle in zip(nets, (True, False), strict=True):
        net.fit(X, Y, epochs=3, batch_size=batch, shuffle=shuffle, optimizer=cr.SGD(0.05))
    assert (nets[0].theta.tobytes() == nets[1].theta.tobytes()) == same


# ---- weights, frozen parameters, clipping, schedules -----------------------------------------------------------------


def test_a_row_of_weight_two_is_the_row_twice() -> None:
    weights = np.where(np.arange(N) < 4, 2.0, 1.0)
    doubled = np.concatenate([np.arange(N), np.arange(4)])
    summed = CrossEntropy(reduction="sum")
    one, other = network(loss=summed), network(loss=summed)
    a = one.fit(X, Y, epochs=5, batch_size=None, optimizer=cr.SGD(0.01), sample_weight=weights)
    b = other.fit(X[doubled], Y[doubled], epochs=5, batch_size=None, optimizer=cr.SGD(0.01))
    np.testing.assert_allclose(one.theta, other.theta, rtol=1e-11)
    np.testing.assert_allclose(a["loss"], b["loss"], rtol=1e-12)


def test_balanced_class_weights_give_every_class_the_same_say() -> None:
    y = np.repeat(["a", "b", "c"], [12, 8, 3])
    share = {"a": N / (3 * 12), "b": N / (3 * 8), "c": N / (3 * 3)}
    nets = [network() for _ in range(3)]
    nets[0].fit(X, y, epochs=3, class_weight="balanced")
    nets[1].fit(X, y, epochs=3, class_weight=share)
    nets[2].fit(X, y, epochs=3, sample_weight=[share[label] for label in y])
    assert nets[0].theta.tobytes() == nets[1].theta.tobytes() == nets[2].theta.tobytes()
    assert nets[0].theta.tobytes() != trained(network(), epochs=3, y=y).theta.tobytes()


def test_class_and_sample_weights_multiply() -> None:
    one, other = network(), network()
    one.fit(X, Y, epochs=3, class_weight={1: 3.0}, sample_weight=WEIGHTS)
    other.fit(X, Y, epochs=3, sample_weight=WEIGHTS * np.where(Y == 1, 3.0, 1.0))
    assert one.theta.tobytes() == other.theta.tobytes()


def trained(net: cr.Network, *, epochs: int = 4, y: Any = Y, **options: Any) -> cr.Network:
    net.fit(X, y, epochs=epochs, **{"batch_size": 5, **options})
    return net


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "rmsprop", "adagrad", "adam", "adamw", "nadam", "lbfgs"])
def test_frozen_parameters_keep_their_bits(optimizer: str) -> None:
    layers = [cr.Dense(H, "tanh", frozen=("W",)), cr.LayerNorm(frozen=("gamma",)), cr.Dense(K, "softmax", frozen="b")]
    net = cr.Network(layers, n_inputs=I, l2=0.1, dtype="float64")
    net.parameters["dense_2.b"][...] = [-0.0, 0.5, -0.0]
    before = {name: value.tobytes() for name, value in net.parameters.items()}
    net.fit(X, Y, epochs=3, optimizer=optimizer)
    kept = {name for name, value in net.parameters.items() if value.tobytes() == before[name]}
    assert kept == {"dense_1.W", "layer_norm_1.gamma", "dense_2.b"}


def test_clipping_bounds_the_step() -> None:
    net = network(n_inputs=I)
    before = net.theta.copy()
    net.fit(100 * X, Y, epochs=1, batch_size=None, optimizer=cr.SGD(1.0, clip_norm=0.01))
    assert np.linalg.norm(net.theta - before) == pytest.approx(0.01, rel=1e-9)
    before = net.theta.copy()
    net.fit(100 * X, Y, epochs=1, batch_size=None, optimizer=cr.SGD(1.0, clip_value=1e-3))
    assert np.abs(net.theta - before).max() == pytest.approx(1e-3, rel=1e-9)


def test_the_rate_follows_its_schedule_by_the_step() -> None:
    history = network().fit(X, Y, epochs=4, batch_size=6, optimizer=cr.SGD(Cosine(0.2)))
    last = np.array([4, 8, 12, 16]) - 1  # the last step of each epoch, from 0
    np.testing.assert_allclose(history["rate"], 0.1 * (1 + np.cos(np.pi * last / 16)), rtol=1e-12)


def test_the_plateau_schedule_hears_the_monitored_loss() -> None:
    schedule = ReduceOnPlateau(0.5, factor=0.5, patience=0, min_delta=1e9)  # nothing is ever an improvement
    history = network().fit(X, Y, epochs=4, optimizer=cr.SGD(schedule))
    assert history["rate"] == [0.5, 0.5, 0.25, 0.125]


# ---- validation, metrics, early stopping -----------------------------------------------------------------------------


def test_a_share_held_out_is_stratified_and_never_trained_on() -> None:
    kept, held = split_rows(N, 0.3, seed=3, classes=Y)
    one, other = network(), network()
    a = one.fit(X, Y, epochs=3, validation=0.3, metrics=["accuracy"], class_weight="balanced")
    b = other.fit(
        X[kept], Y[kept], epochs=3, validation=(X[held], Y[held]), metrics=["accuracy"], class_weight="balanced"
    )
    assert one.theta.tobytes() == other.theta.tobytes()
    assert a["validation_loss"] == b["validation_loss"]
    assert a["validation_accuracy"] == b["validation_accuracy"]


def test_the_validation_loss_is_that_of_the_weights_after_the_epoch() -> None:
    V, v = X[:9], Y[:9]
    net = network()
    history = net.fit(X, Y, epochs=2, validation=(V, v), metrics=["accuracy", "log_loss", "roc_auc"])
    P = net.predict_proba(V)
    assert history["validation_loss"][-1] == pytest.approx(log_loss(v, P), rel=1e-12)
    assert history["validation_accuracy"][-1] == accuracy_score(v, P.argmax(1))
    assert history["validation_roc_auc"][-1] == pytest.approx(roc_auc_score(v, P, multi_class="ovr"))


def test_validation_rows_have_weights_of_their_own() -> None:
    V, v, w = X[:9], Y[:9], WEIGHTS[:9]
    net = network()
    history = net.fit(X, Y, epochs=1, validation=(V, v, w))
    rows = -np.log(net.predict_proba(V)[np.arange(9), v])
    assert history["validation_loss"][0] == pytest.approx((w * rows).sum() / 9, rel=1e-12)


def test_class_weights_count_in_validation_too() -> None:
    V, v = X[:9], Y[:9]
    net = network()
    history = net.fit(X, Y, epochs=1, validation=(V, v), class_weight={1: 5.0})
    rows = -np.log(net.predict_proba(V)[np.arange(9), v])
    assert history["validation_loss"][0] == pytest.approx((np.where(v == 1, 5.0, 1.0) * rows).mean(), rel=1e-12)


def test_without_validation_metrics_are_of_the_training_rows() -> None:
    net = network()
    history = net.fit(X, Y, epochs=3, metrics="accuracy")
    assert history.names == ("epoch", "loss", "accuracy", "rate", "seconds")
    assert history["accuracy"][-1] == accuracy_score(Y, net.predict(X))


@pytest.mark.parametrize("monitor", [None, "validation_loss", "validation_accuracy"])
def test_early_stopping_goes_back_to_the_best_weights(monitor: str | None) -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 5)), rng.integers(0, 2, size=60)  # noise: validation gets worse before long
    thetas: list[np.ndarray] = []
    net = cr.Network([cr.Dense(32, "tanh"), cr.Dense(2, "softmax")], seed=2)
    history = net.fit(
        X,
        y,
        epochs=200,
        optimizer=cr.Adam(0.02),
        validation=0.4,
        metrics=["accuracy"],
        early_stopping=cr.EarlyStopping(7, monitor=monitor),
        callbacks=lambda _: thetas.append(net.theta.copy()),
    )
    values = np.array(history[monitor or "validation_loss"])
    best = int((-values if monitor == "validation_accuracy" else values).argmin())
    assert history.best_epoch == best + 1
    assert len(history) == best + 1 + 7 < 200
    assert net.theta.tobytes() == thetas[best].tobytes() != thetas[-1].tobytes()
    assert f"{monitor or 'validation_loss'} has not improved for 7 epochs" in repr(history)
    assert [record.epoch for record in history if record.best][-1] == best + 1


def overfitted(**options: Any) -> cr.Network:
    """Weights of before the penalty: with it the loss rises from then on, while the objective descends."""
    free = network(n_inputs=I)
    free.fit(X, Y, epochs=300, batch_size=None, optimizer=cr.Adam(0.05))
    net = network(n_inputs=I, **options)
    net.theta = free.theta
    return net


@pytest.mark.parametrize(("monitor", "best"), [(None, 8), ("objective", 8), ("loss", 1)])
def test_without_validation_the_objective_is_watched_since_that_descends(monitor: str | None, best: int) -> None:
    schedule = ReduceOnPlateau(0.01, factor=0.5, patience=0)
    stopping = cr.EarlyStopping(99, monitor=monitor)
    history = overfitted(l2=0.5).fit(
        X, Y, epochs=8, batch_size=None, optimizer=cr.SGD(schedule), early_stopping=stopping
    )
    assert history["loss"] == sorted(history["loss"])
    assert history["objective"] == sorted(history["objective"], reverse=True)
    assert history.best_epoch == best
    assert (history["rate"][-1] == 0.01) == (best == 8)


def test_losses_of_training_and_validation_compare() -> None:
    """The same rows, the same loss: a penalty is in neither of them."""
    net = network(l2=0.3)
    history = net.fit(X, Y, epochs=3, batch_size=None, validation=(X, Y))
    np.testing.assert_allclose(history["loss"][1:], history["validation_loss"][:-1], rtol=1e-12)
    assert net.evaluate_loss(X, Y) == pytest.approx(history["validation_loss"][-1], rel=1e-12)
    assert min(history["penalty"]) > 0.1


def test_steps_tell_loss_and_penalty_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.pace._AT_ONCE", 1e-9)  # a record after every step
    told: list[tuple[float, float, float]] = []

    class Look(cr.Callback):
        def on_steps(self, record: Any) -> None:
            told.append((record.loss, record.penalty, record.objective))

    net = network(l2=0.3, n_inputs=I)
    first, _ = net.objective.penalty(net.theta)
    rows = epoch_order(N, seed=net.seed, epoch=0)[:8]
    loss = net.evaluate_loss(X[rows], Y[rows])
    net.fit(X, Y, epochs=1, batch_size=8, callbacks=Look())
    assert told[0] == pytest.approx((loss, first, loss + first), rel=1e-12)


def test_early_stopping_restores_the_best_when_it_did_not_stop() -> None:
    thetas: list[np.ndarray] = []
    net = network()
    look = [lambda _: thetas.append(net.theta.copy())]
    history = net.fit(X, Y, epochs=30, optimizer=cr.Adam(0.3), validation=0.4, early_stopping=100, callbacks=look)
    assert 0 < history.best_epoch < len(history) == 30
    assert net.theta.tobytes() == thetas[history.best_epoch - 1].tobytes()


def test_a_gain_smaller_than_min_delta_is_none() -> None:
    history = network().fit(X, Y, epochs=9, early_stopping=cr.EarlyStopping(2, min_delta=100.0))
    assert (len(history), history.best_epoch) == (3, 1)


def test_an_equal_value_is_no_improvement() -> None:
    net = cr.Network([cr.Dense(K, "softmax", frozen=("W", "b"))])
    history = net.fit(X, Y, epochs=9, batch_size=None, shuffle=False, early_stopping=2)
    assert len(set(history["loss"])) == 1
    assert (len(history), history.best_epoch) == (3, 1)


def test_an_undefined_score_is_never_the_best() -> None:
    y = np.where(np.arange(N) % 2, "a", "b")
    V, v = X[:3], ["a", "a", "a"]  # ROC AUC of one class: undefined
    net = cr.Network([cr.Dense(2, "softmax")])
    history = net.fit(
        X,
        y,
        epochs=9,
        validation=(V, v),
        metrics="roc_auc",
        early_stopping=cr.EarlyStopping(3, monitor="validation_roc_auc"),
    )
    assert np.isnan(history["validation_roc_auc"]).all()
    assert (history.best_epoch, len(history)) == (0, 3)


# ---- what the result must not depend on ------------------------------------------------------------------------------


def test_one_seed_one_result() -> None:
    a, b, c = (trained(regular(seed=seed)) for seed in (5, 5, 6))
    assert a.theta.tobytes() == b.theta.tobytes() != c.theta.tobytes()


class _Everything(cr.Callback):
    """Looks at everything there is."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_begin(self, training: Any) -> None:
        self.training = training
        self.seen.append("begin")

    def on_steps(self, record: Any) -> None:
        self._look(record)

    def on_epoch(self, record: Any) -> None:
        self._look(record)

    def on_end(self, training: Any) -> None:
        assert training is self.training
        self.seen.append("end")

    def _look(self, record: Any) -> None:
        self.seen.append(type(record).__name__)
        self.training.objective.value_and_gradient(self.training.run.theta, *self.training.data)
        repr((record, self.training.standing, self.training.run.slots))


def test_observation_changes_no_bit(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = trained(regular(), validation=0.3)
    monkeypatch.setattr("chainrule.pace._AT_ONCE", 1e-9)  # a record after every step
    watcher = _Everything()
    watched = trained(
        regular(),
        validation=0.3,
        metrics=["accuracy", "f1", "log_loss"],
        callbacks=[watcher, cr.Checkpoint(tmp_path / "c.safetensors", every=1e-9), repr],
    )
    assert plain.theta.tobytes() == watched.theta.tobytes()
    assert {"begin", "end", "Steps", "Epoch"} == set(watcher.seen)
    assert (watcher.seen[0], watcher.seen[-1], watcher.seen.count("Epoch")) == ("begin", "end", 4)


@pytest.mark.parametrize(
    "optimizer", [cr.Adam(ReduceOnPlateau(0.05, patience=0)), cr.SGD(OneCycle(0.3)), cr.NAdam(Cosine(0.1))]
)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_no_bit_depends_on_how_many_steps_are_taken_at_once(
    optimizer: Any, reduction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, I)), rng.integers(0, K, size=200)
    found = set()
    for pace in (1, 2, 3, 7, 1000):
        monkeypatch.setattr(training.Pace, "steps", lambda _self, left, pace=pace: min(left, pace))
        net = regular(loss=CrossEntropy(reduction=reduction), dtype="float64")  # sums of float32 would be exact
        history = net.fit(X, y, epochs=3, batch_size=3, optimizer=optimizer)
        found.add((net.theta.tobytes(), tuple(history["loss"]), tuple(history["rate"])))
    assert len(found) == 1


def test_trainings_in_threads_are_those_alone() -> None:
    alone = [trained(regular(seed=s), epochs=20).theta.tobytes() for s in range(4)]
    together: dict[int, bytes] = {}

    def work(seed: int) -> None:
        together[seed] = trained(regular(seed=seed), epochs=20).theta.tobytes()

    threads = [threading.Thread(target=work, args=(s,)) for s in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[s] for s in range(4)] == alone


# ---- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(epochs=0), "epochs: expected a whole number >= 1, got 0"),
        (dict(epochs=1.5), "epochs: expected a whole number"),
        (dict(epochs=True), "epochs: expected a whole number"),
        (dict(batch_size=0), "batch_size: expected a whole number >= 1, got 0"),
        (dict(batch_size="8"), "batch_size: expected a whole number"),
        (dict(shuffle="no"), "shuffle: expected True or False"),
        (dict(optimizer="adm"), "Did you mean 'adam'"),
        (dict(optimizer=0.1), "optimizer: expected a name or an optimizer"),
        (dict(engine="referense"), "Did you mean 'reference'"),
        (dict(metrics=["acuracy"]), "Did you mean 'accuracy'"),
        (dict(metrics="acuracy"), "Did you mean 'accuracy'"),
        (dict(metrics=3), "there is no metric 3"),
        (dict(callbacks=[3]), "callbacks: expected functions or Callback objects, got 3"),
        (dict(early_stopping="10"), "early_stopping: expected an EarlyStopping, or its patience"),
        (dict(early_stopping=0), "patience: expected a whole number >= 1, got 0"),
        (dict(early_stopping=True), "early_stopping: expected an EarlyStopping"),
        (dict(early_stopping=cr.EarlyStopping(3, monitor="validation_los")), "no quantity 'validation_los'"),
        (dict(early_stopping=cr.EarlyStopping(3, monitor="validation_loss")), "There are: loss"),
        (dict(validation=1.5), "validation: share: expected a number between 0 and 1, got 1.5"),
        (dict(validation=True), "share: expected a number between 0 and 1, got True"),
        (dict(validation=(X,)), r"expected a share, \(X, y\) or \(X, y, weights\), got '1 things'"),
        (dict(validation=(X[:, :2], Y)), "fit: validation: X: expected 4 columns"),
        (dict(validation=(X, Y[:3])), "fit: validation: y: expected 23 rows, as X has, got 3"),
        (dict(validation=(X, Y + 7)), "fit: validation: y: row 0 is .*none of the classes"),
        (dict(class_weight="balance"), "class_weight: expected 'balanced' or a dict"),
        (dict(class_weight={"x": 1}), "class_weight: expected labels among"),
        (dict(class_weight={0: -1}), "class_weight of 0: expected a finite number >= 0, got -1"),
        (dict(class_weight={0: "a"}), "class_weight of 0: expected a finite number >= 0, got 'a'"),
        (dict(class_weight={0: 0, 1: 0, 2: 0}), "class_weight: expected a weight above 0"),
        (dict(sample_weight=np.ones(3)), r"sample_weight: expected \(23,\), one for each row, got \(3,\)"),
        (dict(sample_weight=np.ones((N, 1))), r"sample_weight: expected \(23,\)"),
        (
            dict(sample_weight=-np.ones(N)),
            "sample_weight: expected finite numbers >= 0, not all zero, got '-1.0 in row 0'",
        ),
        (dict(sample_weight=np.zeros(N)), "not all zero, got 'only 0'"),
        (dict(sample_weight=["a"] * N), "sample_weight: expected numbers"),
    ],
)
def test_a_wrong_argument_is_named_and_the_network_left_as_it_was(options: dict[str, Any], message: str) -> None:
    net = network()
    with pytest.raises(cr.InputError, match=message):
        net.fit(X, Y, **options)
    with pytest.raises(cr.NotFittedError, match="no weights yet"):
        _ = net.theta
    net.fit(X[:, :2], Y, epochs=1)  # the number of inputs was not fixed by a call that was refused


def test_settings_are_plain_numbers() -> None:
    settings = TrainingSettings(
        epochs=np.int64(3), batch_size=np.int32(2), optimizer=cr.SGD(0.1), early_stopping=cr.EarlyStopping(np.int64(2))
    )
    assert settings.early_stopping is not None
    assert [type(n) for n in (settings.epochs, settings.batch_size, settings.early_stopping.patience)] == [int] * 3
