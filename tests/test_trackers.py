"""Callbacks for TensorBoard, MLflow and W&B: what they hand on, and that their libraries load only when used."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import chainrule as cr
from chainrule import trackers

X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])


def trained(*callbacks, epochs=3):
    net = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1, "sigmoid")], "binary_cross_entropy")
    return net.fit(X, y, epochs=epochs, metrics="accuracy", callbacks=callbacks)


class FakeRun:
    def __init__(self):
        self.logged, self.config, self.ended = [], {}, 0

    def log(self, numbers, *, step):
        self.logged.append((step, numbers))

    def finish(self):
        self.ended += 1


@pytest.mark.slow
def test_tensorboard_reads_the_losses_and_scores(tmp_path):
    event_file = pytest.importorskip("tensorboardX.proto.event_pb2")
    history = trained(trackers.TensorBoard(tmp_path / "run"))
    (path,) = (tmp_path / "run").iterdir()
    content, place, found = path.read_bytes(), 0, {}
    while place < len(content):  # a record: its length, a checksum, the event, a checksum
        length = int.from_bytes(content[place : place + 8], "little")
        event = event_file.Event.FromString(content[place + 12 : place + 12 + length])
        place += 16 + length
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    assert [step for step, _ in found["loss"]] == [1, 2, 3]
    assert [value for _, value in found["loss"]] == pytest.approx(history["loss"])
    assert set(found) == {"loss", "penalty", "rate", "accuracy"}


def test_mlflow_gets_parameters_and_the_numbers_of_each_epoch(monkeypatch):
    calls = []
    fake = SimpleNamespace(
        active_run=lambda: None,
        set_experiment=lambda name: calls.append(("experiment", name)),
        start_run=lambda: calls.append(("start",)),
        log_params=lambda told: calls.append(("params", told["epochs"], told["rows"])),
        log_metrics=lambda told, step: calls.append(("metrics", step, told["loss"])),
        end_run=lambda status: calls.append(("end", status)),
    )
    monkeypatch.setattr(trackers.MLflow, "load", classmethod(lambda _cls: fake))
    history = trained(trackers.MLflow("flowers"), epochs=2)
    one, two = history["loss"]
    assert calls == [
        ("experiment", "flowers"),
        ("start",),
        ("params", 2, 4),
        ("metrics", 1, one),
        ("metrics", 2, two),
        ("end", "FINISHED"),
    ]


@pytest.mark.parametrize("own", [True, False])
def test_wandb_ends_only_a_run_of_its_own(monkeypatch, own):
    run = FakeRun()
    fake = SimpleNamespace(run=None if own else run, init=lambda **_options: run)
    monkeypatch.setattr(trackers.WandB, "load", classmethod(lambda _cls: fake))
    history = trained(trackers.WandB(project="p"), epochs=2)
    assert [(step, told["loss"]) for step, told in run.logged] == list(enumerate(history["loss"], 1))
    assert (run.ended, run.config["rows"]) == (int(own), 4)


@pytest.mark.parametrize("kind", [trackers.TensorBoard, trackers.MLflow, trackers.WandB])
def test_a_missing_library_is_named_with_what_installs_it(monkeypatch, kind):
    monkeypatch.setattr(trackers, "find_spec", lambda _name: None)
    with pytest.raises(cr.MissingExtraError, match=rf"pip install 'chainrule\[{kind.extra}\]'"):
        trained(kind(**({"folder": "x"} if kind is trackers.TensorBoard else {})))


@pytest.mark.slow
def test_no_library_loads_before_a_training_begins():
    code = (
        "import sys, chainrule.trackers as t; t.TensorBoard('x'); t.MLflow(); t.WandB();"
        "print([m for m in ('tensorboardX', 'mlflow', 'wandb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_listening_changes_no_bit(tmp_path):
    pytest.importorskip("tensorboardX")
    nets = [cr.Network([cr.Dense(3, "tanh"), cr.Dense(1, "sigmoid")], "binary_cross_entropy") for _ in range(2)]
    nets[0].fit(X, y, epochs=5)
    nets[1].fit(X, y, epochs=5, callbacks=trackers.TensorBoard(tmp_path))
    assert np.array_equal(nets[0].theta, nets[1].theta)
