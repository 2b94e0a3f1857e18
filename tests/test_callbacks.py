"""Who listens to a training, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.callbacks import Listeners

if TYPE_CHECKING:
    from chainrule.records import Epoch, Steps

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3))
Y = RNG.integers(0, 2, size=20)


def fit(callbacks: Any, net: cr.Network | None = None, **options: Any) -> Any:
    net = net or cr.Network([cr.Dense(2, "softmax")])
    return net.fit(X, Y, **{"epochs": 3, "batch_size": 6, "callbacks": callbacks, **options})


class Diary(cr.Callback):
    def __init__(self) -> None:
        self.lines: list[Any] = []

    def on_begin(self, training: Any) -> None:
        self.lines.append(("begin", training.standing.epoch))

    def on_steps(self, record: Steps) -> None:
        self.lines.append((record.epoch, record.step, record.steps_per_epoch))

    def on_epoch(self, record: Epoch) -> None:
        self.lines.append(record.epoch)

    def on_end(self, training: Any) -> None:
        self.lines.append(("end", training.standing.epoch))


def test_everything_is_told_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.pace._AT_ONCE", 1e-9)
    diary = Diary()
    fit([diary], epochs=2)
    steps = [[(e, k, 4) for k in (1, 2, 3)] + [e] for e in (1, 2)]
    assert diary.lines == [("begin", 0), *steps[0], *steps[1], ("end", 2)]


def test_a_record_tells_what_happened() -> None:
    records: list[Epoch] = []
    history = fit(records.append)
    assert records == list(history)
    assert [(r.epoch, r.taken, r.rate) for r in records] == [(1, 4, 0.001), (2, 8, 0.001), (3, 12, 0.001)]


def test_functions_and_objects_one_or_many() -> None:
    seen: list[str] = []

    class Mine(cr.Callback):
        def on_epoch(self, record: Epoch) -> None:
            seen.append(f"object {record.epoch}")

    fit([lambda r: seen.append(f"function {r.epoch}"), Mine()], epochs=1)
    fit(Mine(), epochs=1)
    assert seen == ["function 1", "object 1", "object 1"]


def test_a_callback_may_end_the_training() -> None:
    def stop(record: Epoch) -> None:
        if record.epoch == 2:
            raise cr.StopTraining("good enough")

    diary, net = Diary(), cr.Network([cr.Dense(2, "softmax")])
    history = fit([stop, diary], net, epochs=9)
    assert (len(history), history.stopped, net.history) == (2, "good enough", history)
    assert diary.lines[-1] == ("end", 2)
    assert fit(lambda _: (_ for _ in ()).throw(cr.StopTraining)).stopped == "a callback asked for it"


def test_an_error_in_a_callback_comes_out_and_the_end_is_told() -> None:
    diary, net = Diary(), cr.Network([cr.Dense(2, "softmax")])
    with pytest.raises(ZeroDivisionError):
        fit([diary, lambda _: 1 / 0], net)
    assert [line for line in diary.lines if line not in {(1, 1, 4), (1, 2, 4), (1, 3, 4)}] == [
        ("begin", 0),
        1,
        ("end", 1),
    ]
    assert net.history is not None
    assert len(net.history) == 1


def test_the_end_is_told_after_the_best_weights_are_back() -> None:
    seen: dict[str, bytes] = {}

    class Last(cr.Callback):
        def on_end(self, training: Any) -> None:
            seen["theta"] = training.run.theta.tobytes()

    net = cr.Network([cr.Dense(16, "tanh"), cr.Dense(2, "softmax")])
    history = fit(Last(), net, epochs=60, validation=0.5, early_stopping=3, optimizer=cr.Adam(0.1))
    assert history.best_epoch < len(history)
    assert seen["theta"] == net.theta.tobytes()


def test_anything_else_is_refused() -> None:
    with pytest.raises(cr.ArgumentError, match="callbacks: expected functions or Callback objects, got 'x'"):
        Listeners("x")  # type: ignore[arg-type]
    with pytest.raises(cr.ArgumentError, match="callbacks: expected functions or Callback objects, got 3"):
        fit(3)
