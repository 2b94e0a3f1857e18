"""Callbacks for TensorBoard, MLflow and W&B: what they hand on, and that their libraries load only when used."""

from __future__ import annotations

import contextlib
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
    """As W&B's: a key of the config changes only if that is allowed, steps only rise."""

    def __init__(self):
        self.logged, self.config, self.axes, self.exits = [], self, {}, []
        self.settings = {}

    def update(self, told, *, allow_val_change=False):
        changed = {name for name, value in told.items() if self.settings.get(name, value) != value}
        assert allow_val_change or not changed
        self.settings |= told

    def define_metric(self, name, *, step_metric):
        self.axes[name] = step_metric

    def log(self, numbers, *, step=None):
        assert step is None or step > len(self.logged)
        self.logged.append(numbers)

    def finish(self, *, exit_code):
        self.exits.append(exit_code)


class FakeMLflow:
    """As MLflow: a parameter of a run is written once, a batch holds no more than 1000 metrics."""

    def __init__(self):
        self.runs, self.stack, self.batches = [], [], []
        self.entities = SimpleNamespace(Metric=lambda name, value, _when, step: (name, value, step))
        self.MlflowClient = lambda: self

    def set_experiment(self, name):
        self.experiment = name

    def active_run(self):
        return self.stack[-1] if self.stack else None

    def start_run(self, *, nested=False):
        assert nested == bool(self.stack)
        number = len(self.runs)
        told = SimpleNamespace(params={}, metrics=[])
        self.runs.append(SimpleNamespace(info=SimpleNamespace(run_id=number), data=told, status="RUNNING"))
        self.stack.append(self.runs[-1])
        return self.runs[-1]

    def get_run(self, number):
        return self.runs[number]

    def log_params(self, told):
        params = self.active_run().data.params
        assert params.keys().isdisjoint(told)
        params |= told

    def log_batch(self, number, *, metrics):
        assert len(metrics) <= 1000
        self.batches.append(len(metrics))
        self.runs[number].data.metrics += metrics

    def end_run(self, status):
        self.stack.pop().status = status


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


@pytest.fixture
def mlflow(monkeypatch):
    fake = FakeMLflow()
    monkeypatch.setattr(trackers.MLflow, "load", classmethod(lambda _cls: fake))
    return fake


def test_mlflow_gets_parameters_and_the_numbers_of_each_epoch(mlflow):
    history = trained(trackers.MLflow("flowers"), epochs=400)
    (run,) = mlflow.runs
    assert (mlflow.experiment, run.status, mlflow.stack) == ("flowers", "FINISHED", [])
    assert (run.data.params["epochs"], run.data.params["rows"]) == (400, 4)
    for name in ("loss", "accuracy", "rate"):
        assert [(value, step) for each, value, step in run.data.metrics if each == name] == list(
            zip(history[name], range(1, 401), strict=True)
        )
    assert len(mlflow.batches) < 10  # each costs a message to a server


def test_a_second_training_in_a_run_of_mlflow_is_nested_in_it(mlflow):
    outer = mlflow.start_run()
    for _ in range(2):
        trained(trackers.MLflow(), epochs=2)
    assert [len(run.data.metrics) for run in mlflow.runs] == [8, 8]
    assert [run.status for run in mlflow.runs] == ["RUNNING", "FINISHED"]
    assert mlflow.stack == [outer]


def stops(how):
    def listen(record):
        if record.epoch == 2:
            raise {"KILLED": KeyboardInterrupt, "FAILED": cr.ChainruleError, "FINISHED": cr.StopTraining}[how]

    return listen


@pytest.mark.parametrize("how", ["KILLED", "FAILED", "FINISHED"])
def test_trackers_are_told_how_it_ended(mlflow, how):
    with contextlib.suppress(KeyboardInterrupt, cr.ChainruleError):
        trained(trackers.MLflow(), stops(how))
    (run,) = mlflow.runs
    assert run.status == how
    assert {step for _, _, step in run.data.metrics} == {1, 2}


@pytest.mark.parametrize("own", [True, False])
def test_wandb_ends_only_a_run_of_its_own(monkeypatch, own):
    run = FakeRun()
    fake = SimpleNamespace(run=None if own else run, init=lambda **_options: run)
    monkeypatch.setattr(trackers.WandB, "load", classmethod(lambda _cls: fake))
    history = trained(trackers.WandB(project="p"), epochs=2)
    assert [told["loss"] for told in run.logged] == history["loss"]
    assert (run.exits, run.settings["rows"]) == ([0] * own, 4)
    if not own:  # its steps are its owner's: the epochs are an axis, and a second training changes the settings
        assert ([told["epoch"] for told in run.logged], run.axes["loss"]) == ([1, 2], "epoch")
        trained(trackers.WandB(), epochs=3)
        assert run.settings["epochs"] == 3


def test_a_tracker_that_fails_does_not_end_the_training(mlflow, monkeypatch):
    monkeypatch.setattr(mlflow, "log_batch", lambda *_args, **_options: (_ for _ in ()).throw(OSError("no server")))
    monkeypatch.setattr(trackers, "_SECONDS", 0.0)
    with pytest.warns(RuntimeWarning, match="MLflow takes no more: no server") as warned:
        history = trained(trackers.MLflow(), epochs=5)
    assert (len(history), len(warned)) == (5, 1)


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
