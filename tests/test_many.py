"""Many trainings as one job: the bits of each alone, whatever happens to the others."""

from __future__ import annotations

import io
import signal
import tracemalloc
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from threadpoolctl import threadpool_info

import chainrule as cr
from chainrule.engines.native import NativeEngine, kernels
from chainrule.engines.threads import cores
from chainrule.many import FitsInterrupted, fit_many
from chainrule.network import Network
from chainrule.progress import FitsListener, FitsProgress

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).astype("float32")
Y = (X @ RNG.normal(size=(3, 3))).argmax(axis=1)
OPTIONS: dict[str, Any] = dict(epochs=6, batch_size=8, optimizer=cr.SGD(0.1, momentum=0.9))


def network(seed: int = 0, **options: Any) -> cr.Network:
    layers = [cr.Dense(5, "tanh"), cr.Dropout(0.2), cr.Dense(3, "softmax")]
    return cr.Network(layers, seed=seed, **options)


def told(history: cr.history.History) -> list[Any]:
    """All that a history tells but the seconds."""
    return [(r.epoch, r.taken, r.loss, r.penalty, r.rate, r.scores, r.best) for r in history]


def same(one: cr.Network, other: cr.Network) -> bool:
    return one.theta.tobytes() == other.theta.tobytes() and told(one.history) == told(other.history)


# ---- the same bits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(
    "more",
    [{}, {"validation": 0.25, "early_stopping": 2, "metrics": "accuracy"}, {"engine": "reference"}],
    ids=["plain", "validation", "reference"],
)
def test_each_seed_ends_in_the_bits_of_that_seed_alone(threads: int, more: dict[str, Any]) -> None:
    fits = cr.fit_many(network(), X, Y, seeds=5, threads=threads, **OPTIONS, **more)
    assert [fit.labels for fit in fits] == [{"seed": seed} for seed in range(5)]
    for seed, fit in enumerate(fits):
        alone = network(seed)
        alone.fit(X, Y, **OPTIONS, **more)
        assert same(fit.network, alone)


def test_networks_alone_are_trained_themselves() -> None:
    nets = [network(3), network(1, dtype="float64"), cr.Network([cr.Dense(3, "softmax")], seed=2, l2=0.1)]
    again = [network(3), network(1, dtype="float64"), cr.Network([cr.Dense(3, "softmax")], seed=2, l2=0.1)]
    fits = cr.fit_many(nets, X, Y, **OPTIONS)
    assert fits.networks == nets
    for one, other in zip(nets, again, strict=True):
        other.fit(X, Y, **OPTIONS)
        assert same(one, other)


def test_a_network_that_has_learned_goes_on_and_its_copies_begin_anew() -> None:
    net, other = network(), network()
    for each in (net, other):
        each.fit(X, Y, **OPTIONS)
    copies = cr.fit_many(net, X, Y, seeds=[0], **OPTIONS)
    assert same(copies[0].network, other)
    other.fit(X, Y, **OPTIONS)
    cr.fit_many(net, X, Y, **OPTIONS)
    assert same(net, other)


def test_a_fold_is_a_fit_on_the_other_rows_with_the_fold_as_validation() -> None:
    held = []
    for fit in cr.fit_many(network(4), X, Y, folds=4, metrics="accuracy", **OPTIONS):
        fold = fit.labels["fold"] - 1
        places = cr.splitting.fold_rows(60, 4, seed=4, classes=Y)[fold]
        kept = np.setdiff1d(np.arange(60), places)
        alone = network(4)
        alone.fit(X[kept], Y[kept], validation=(X[places], Y[places]), metrics="accuracy", **OPTIONS)
        assert same(fit.network, alone)
        held += places.tolist()
    assert sorted(held) == list(range(60))


def test_settings_are_tried_over_the_other_options() -> None:
    fits = cr.fit_many(network(), X, Y, settings=[{"batch_size": 4}, {"optimizer": cr.Adam()}], seeds=[7, 8], **OPTIONS)
    assert [fit.labels for fit in fits] == [
        {"seed": 7, "batch_size": 4},
        {"seed": 7, "optimizer": cr.Adam()},
        {"seed": 8, "batch_size": 4},
        {"seed": 8, "optimizer": cr.Adam()},
    ]
    alone = network(8)
    alone.fit(X, Y, **{**OPTIONS, "optimizer": cr.Adam()})
    assert same(fits[3].network, alone)


def test_weights_of_rows_and_classes_count() -> None:
    weights = RNG.random(60)
    more = {"sample_weight": weights, "class_weight": "balanced"}
    alone = network(1)
    alone.fit(X, Y, **OPTIONS, **more)
    assert same(cr.fit_many(network(), X, Y, seeds=[1], **OPTIONS, **more)[0].network, alone)


# ---- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
def test_one_that_diverges_leaves_the_others_alone() -> None:
    settings = [{"optimizer": cr.SGD(0.1)}, {"optimizer": cr.SGD(1e38)}, {"optimizer": cr.SGD(0.01)}]
    fits = cr.fit_many(network(), X * 100, Y, settings=settings, epochs=5)
    assert [fit.fault is None for fit in fits] == [True, False, True]
    assert isinstance(fits[1].fault, cr.DivergenceError)
    assert np.isfinite(fits[1].network.theta).all()
    assert fits.best in (fits[0], fits[2])
    assert fits.summary()["fault"].is_null().to_list() == [True, False, True]
    assert "diverged: optimizer SGD(rate=1e+38)" in repr(fits)


def test_when_all_diverge_there_is_no_best() -> None:
    fits = cr.fit_many(network(), X * 100, Y, seeds=2, epochs=5, optimizer=cr.SGD(1e38))
    assert len(fits.failed) == 2
    assert repr(fits).endswith("none of these trainings came to its end")
    with pytest.raises(cr.NotFittedError, match="none of these"):
        _ = fits.best


class InterruptAfter(FitsListener):
    """Presses Ctrl-C once so many were finished."""

    def __init__(self, count: int) -> None:
        self.count, self.ended = count, False

    def on_fit(self, fit: object) -> None:  # noqa: ARG002
        self.count -= 1
        if self.count == 0:
            signal.raise_signal(signal.SIGINT)

    def on_end(self) -> None:
        self.ended = True


def test_ctrl_c_stops_all_and_keeps_what_is_finished() -> None:
    forever = {"epochs": 10**9}
    settings = [{"epochs": 2}, {"epochs": 3}, forever, forever]
    listener = InterruptAfter(2)
    with pytest.raises(KeyboardInterrupt) as caught:
        cr.fit_many(network(), X, Y, settings=settings, threads=2, progress=listener)
    assert isinstance(caught.value, FitsInterrupted)
    assert [fit.labels["epochs"] for fit in caught.value.fits] == [2, 3]
    assert str(caught.value) == "interrupted; of 4 trainings these are finished, and kept in .fits: epochs 2, epochs 3"
    assert listener.ended
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_any_other_fault_stops_all_and_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    fit_rows = Network.fit_rows

    def broken(self: Network, *given: Any, **options: Any) -> Any:
        if self.seed == 1:
            raise RuntimeError("seed 1 is broken")
        return fit_rows(self, *given, **options)

    monkeypatch.setattr(Network, "fit_rows", broken)
    with pytest.raises(RuntimeError, match="seed 1 is broken"):
        cr.fit_many(network(), X, Y, seeds=2, threads=2, epochs=10**9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(networks=[]), "fit_many: networks: expected a Network, or a list of them"),
        (dict(networks=[NET := network(), NET]), "one of them is there twice"),
        (dict(seeds=0), "fit_many: seeds: expected a whole number >= 1, got 0"),
        (dict(seeds=[]), "seeds: expected a number, or a list without repetition"),
        (dict(seeds=[1, 1]), "seeds: expected a number, or a list without repetition"),
        (dict(seeds=[-1]), "seeds: expected a whole number >= 0"),
        (dict(folds=1), "folds: expected a whole number from 2 to the 60 rows, got 1"),
        (dict(folds=61), "folds: expected a whole number from 2 to the 60 rows, got 61"),
        (dict(folds=3, validation=0.1), "validation: expected nothing beside folds"),
        (dict(settings={"epochs": 1}), "settings: expected a list of dicts of options"),
        (dict(settings=[{"epoch": 1}]), "there is no option 'epoch'. Did you mean 'epochs'?"),
        (dict(settings=[{"epochs": 1}, {"epochs": 0}]), "epochs: expected a whole number >= 1, got 0"),
        (dict(optimiser="adam"), "Did you mean 'optimizer'?"),
        (dict(callbacks=[print]), "callbacks: expected nothing, .*It belongs to one training"),
        (dict(threads=0), "threads: expected a whole number >= 1"),
        (dict(engine="nativ"), "there is no engine 'nativ'"),
        (dict(metrics="acuracy"), "there is no metric 'acuracy'"),
        (dict(validation=1.5), "share: expected a number between 0 and 1"),
        (dict(early_stopping=cr.EarlyStopping(monitor="validation_loss")), "there is no quantity 'validation_loss'"),
        (dict(y=Y[:-1]), "y: expected 60 rows, as X has"),
        (dict(y=np.arange(60)), "3 classes for 3 outputs"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(given: dict[str, Any], message: str) -> None:
    net = network()
    with pytest.raises(cr.InputError, match=message):
        fit_many(**{"networks": net, "X": X, "y": Y, **given})
    with pytest.raises(cr.NotFittedError):
        _ = net.theta


# ---- cores and memory ------------------------------------------------------------------------------------------------


def test_no_more_threads_than_asked_for() -> None:
    assert cr.fit_many(network(), X, Y, seeds=9, threads=3, epochs=1).threads == 3
    assert cr.fit_many(network(), X, Y, seeds=2, threads=3, epochs=1).threads == 2
    assert cr.fit_many(network(), X, Y, seeds=99, epochs=1).threads == cores()


@pytest.mark.skipif(kernels() is None, reason="the native engine was not built")
def test_an_engine_with_threads_of_its_own_counts_for_as_many() -> None:
    assert cr.fit_many(network(), X, Y, seeds=9, threads=6, epochs=1, engine=NativeEngine(threads=2)).threads == 3
    assert cr.fit_many(network(), X, Y, seeds=9, threads=1, epochs=1, engine=NativeEngine(threads=2)).threads == 1


def test_blas_has_one_thread_meanwhile() -> None:
    def blas_threads() -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    class Look(FitsListener):
        seen: set[int]

        def on_fit(self, fit: object) -> None:  # noqa: ARG002
            self.seen = blas_threads()

    before, look = blas_threads(), Look()
    cr.fit_many(network(), X, Y, seeds=1, epochs=1, engine="reference", progress=look)
    assert look.seen == {1}
    assert blas_threads() == before


def test_the_rows_are_shared() -> None:
    wide = RNG.normal(size=(4000, 200))  # float64: read into float32 once
    labels = (wide[:, 0] > 0).astype(int)
    net = cr.Network([cr.Dense(2, "softmax")], n_inputs=200)
    cr.fit_many(net, wide[:10], labels[:10], seeds=1, epochs=1)  # what loads for the first time
    tracemalloc.start()
    cr.fit_many(net, wide, labels, seeds=8, threads=4, epochs=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * wide.nbytes / 2


# ---- what is shown ---------------------------------------------------------------------------------------------------


def test_a_pipe_is_told_of_each_and_of_some_where_there_are_many() -> None:
    file = io.StringIO()
    cr.fit_many(network(), X, Y, seeds=3, epochs=1, threads=1, progress=FitsProgress(file=file))
    lines = file.getvalue().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["1/3  seed 0", "2/3  seed 1", "3/3  seed 2"]
    file = io.StringIO()
    cr.fit_many(network(), X, Y, seeds=90, epochs=1, threads=1, progress=FitsProgress(file=file))
    assert 10 <= len(file.getvalue().splitlines()) <= 21


def test_a_terminal_sees_one_bar() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=70, color_system=None, _environ={"TERM": "xterm"})
    fits = cr.fit_many(network(), X, Y, seeds=4, epochs=2, progress=FitsProgress(console=console))
    last = next(line for line in reversed(file.getvalue().replace("\r", "\n").splitlines()) if "4/4" in line)
    assert "0:00" in last
    assert any(f"{fit.name}: loss" in last for fit in fits)
    assert len(last.removeprefix("\x1b[?25l")) <= 70


def test_nothing_is_shown_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    cr.fit_many(network(), X, Y, seeds=2, epochs=1)
    assert capsys.readouterr().out == ""
    cr.fit_many(network(), X, Y, seeds=2, epochs=1, progress=True)
    assert "2/2" in capsys.readouterr().out
