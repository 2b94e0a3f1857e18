"""Checkpoints: a run that was killed and resumed ends in the bits of one that never stopped."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.schedules import Cosine, ReduceOnPlateau

if TYPE_CHECKING:
    from pathlib import Path

CHILD = """
import sys
import numpy as np
import chainrule as cr
from chainrule import training
from tests_checkpoints_run import run

class Tell(cr.Callback):
    def on_begin(self, training): print("begun", training.standing.taken, flush=True)
    def on_steps(self, record): print("step", flush=True)
    def on_epoch(self, record): print("epoch", record.epoch, flush=True)

resume = sys.argv[2] if sys.argv[2] != "-" else None
net, history = run(sys.argv[1], sys.argv[3], resume=resume, also=[Tell()])
print("theta", net.theta.tobytes().hex(), flush=True)
print("losses", history["loss"], flush=True)
"""

RUN = '''
"""The runs that are killed: in a file of their own, so that a child process can import them."""
import numpy as np
import chainrule as cr
from chainrule import pace
from chainrule.schedules import Cosine, ReduceOnPlateau

pace._AT_ONCE = 1e-9  # a record after every step

CASES = {
    "momentum": dict(optimizer=cr.SGD(0.05, momentum=0.9)),
    "adam": dict(optimizer=cr.Adam(0.02), shuffle=False),
    "plateau": dict(optimizer=cr.NAdam(ReduceOnPlateau(0.1, patience=0)), validation=0.3),
    "early stopping": dict(optimizer=cr.AdamW(Cosine(0.1)), validation=0.3, early_stopping=2, metrics=["roc_auc"]),
}

def run(case, path, resume=None, also=(), every=1e-9):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), rng.integers(0, 2, size=60)
    layers = [cr.Dense(8, "tanh"), cr.BatchNorm(), cr.Dropout(0.2), cr.Dense(2, "softmax")]
    net = cr.Network(layers, seed=7, l2=0.01)
    listeners = [*([cr.Checkpoint(path, every=every)] if path else []), *also]
    history = net.fit(X, y, epochs=9, batch_size=8, callbacks=listeners, resume=resume, **CASES[case])
    return net, history
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    (folder / "child.py").write_text(CHILD)
    (folder / "tests_checkpoints_run.py").write_text(RUN)
    return folder


def killed_after(folder: Path, case: str, path: Path, lines: int) -> list[str]:
    """The lines of a run that is killed after so many of them, or that came to its end before."""
    resume = str(path) if path.exists() else "-"
    child = subprocess.Popen(
        [sys.executable, folder / "child.py", case, resume, path], stdout=subprocess.PIPE, text=True, cwd=folder
    )
    with child:
        assert child.stdout is not None
        seen = [line for line, _ in zip(child.stdout, range(lines), strict=False)]
        child.kill()
        seen += child.stdout.readlines()
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("case", ["momentum", "adam", "plateau", "early stopping"])
def test_a_run_killed_again_and_again_ends_in_the_same_bits(folder: Path, tmp_path: Path, case: str) -> None:
    wanted = subprocess.run(
        [sys.executable, "-c", CHILD, case, "-", ""], capture_output=True, text=True, check=True, cwd=folder
    ).stdout.splitlines()[-2:]
    rng, path, begun = np.random.default_rng(len(case)), tmp_path / "c.safetensors", [0]
    for _ in range(4):
        seen = killed_after(folder, case, path, int(rng.integers(2, 19)))
        begun += [int(line.split()[1]) for line in seen if line.startswith("begun")]
    seen = killed_after(folder, case, path, 10**6)
    begun += [int(line.split()[1]) for line in seen if line.startswith("begun")]
    assert [line.strip() for line in seen[-2:]] == wanted
    assert wanted[0].startswith("theta ")
    assert begun == sorted(begun)
    assert begun[-1] > begun[1] == 0, "it was never resumed in its midst"


# ---- within one process ----------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
Y = RNG.integers(0, 2, size=40)
OPTIONS: dict[str, Any] = {"batch_size": 8, "optimizer": cr.Adam(0.02), "epochs": 6}


def network(**options: Any) -> cr.Network:
    layers = [cr.Dense(8, "tanh"), cr.BatchNorm(), cr.Dropout(0.2), cr.Dense(2, "softmax")]
    return cr.Network(layers, **{"seed": 7, "l2": 0.01, **options})


def fit(net: cr.Network, X: Any = X, y: Any = Y, **options: Any) -> Any:
    return net.fit(X, y, **{**OPTIONS, **options})


class _Pulled(Exception):  # noqa: N818 -- the plug
    pass


def interrupted(path: Path, after: int, every: float | None = 1e-9, **options: Any) -> None:
    """Leave a checkpoint of a run that ended after so many records."""
    count = iter(range(after))

    class Pull(cr.Callback):
        def on_steps(self, record: Any) -> None:  # noqa: ARG002 -- counted only
            if next(count, None) is None:
                raise _Pulled

        on_epoch = on_steps

    with pytest.raises(_Pulled):
        fit(network(), callbacks=[cr.Checkpoint(path, every=every), Pull()], **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": cr.SGD(0.1, momentum=0.9, nesterov=True), "shuffle": False},
        {"optimizer": cr.RMSProp(Cosine(0.05))},
        {"optimizer": cr.SGD(ReduceOnPlateau(0.3, patience=0)), "validation": 0.3},
        {"validation": 0.3, "early_stopping": 2, "metrics": ["accuracy"], "epochs": 40},
        {"sample_weight": np.linspace(0, 1, 40), "class_weight": "balanced"},
        {"batch_size": None},
        {"early_stopping": 2},
        {"validation": (X[:1], Y[:1]), "metrics": ["roc_auc"]},
    ],
    ids=[
        "adam",
        "nesterov",
        "cosine",
        "plateau",
        "early stopping",
        "weights",
        "full batch",
        "no validation",
        "an undefined score",
    ],
)
@pytest.mark.parametrize("after", [0, 1, 3, 4, 5])
def test_it_goes_on_to_the_same_bits(
    tmp_path: Path, options: dict[str, Any], after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainrule.pace._AT_ONCE", 1e-9)
    whole, path = network(), tmp_path / "c.safetensors"
    wanted = fit(whole, **options)
    interrupted(path, after, **options)
    resumed = network()
    history = fit(resumed, resume=path, **options)
    assert resumed.theta.tobytes() == whole.theta.tobytes()
    for name in wanted.names[:-1]:
        np.testing.assert_array_equal(history[name], wanted[name])
    assert (history.best_epoch, history.stopped) == (wanted.best_epoch, wanted.stopped)
    assert history["seconds"] == sorted(history["seconds"])


def test_every_epoch_is_the_default(tmp_path: Path) -> None:
    path, written = tmp_path / "c.safetensors", []
    fit(network(), callbacks=[cr.Checkpoint(path), lambda _: written.append(path.read_bytes())])
    assert len(set(written)) == 6


def test_seconds_that_have_not_passed_write_nothing(tmp_path: Path) -> None:
    path, written = tmp_path / "c.safetensors", []
    fit(network(), callbacks=[cr.Checkpoint(path, every=1e9), lambda _: written.append(path.read_bytes())])
    assert len(set(written)) == 1  # that of the beginning


def test_a_longer_run_goes_on(tmp_path: Path) -> None:
    path, whole, resumed = tmp_path / "c.safetensors", network(), network()
    fit(whole, epochs=9)
    fit(network(), epochs=4, callbacks=cr.Checkpoint(path))
    history = fit(resumed, epochs=9, resume=path)
    assert resumed.theta.tobytes() == whole.theta.tobytes()
    assert len(history) == 9


def test_a_run_that_is_over_stays_over(tmp_path: Path) -> None:
    path, whole, resumed = tmp_path / "c.safetensors", network(), network()
    options = {"validation": 0.4, "early_stopping": 3, "epochs": 100}
    wanted = fit(whole, callbacks=cr.Checkpoint(path), **options)
    assert len(wanted) < 100
    history = fit(resumed, resume=path, **options)
    assert resumed.theta.tobytes() == whole.theta.tobytes()
    assert (len(history), history.stopped) == (len(wanted), wanted.stopped)


def test_the_file_that_is_resumed_may_be_the_one_that_is_written(tmp_path: Path) -> None:
    path, whole = tmp_path / "c.safetensors", network()
    fit(whole)
    interrupted(path, 2, every=None)
    resumed = network()
    fit(resumed, resume=path, callbacks=cr.Checkpoint(path))
    assert resumed.theta.tobytes() == whole.theta.tobytes()


def changed(X: np.ndarray) -> np.ndarray:
    X = X.copy()
    X[3, 2] = np.nextafter(X[3, 2], 1e9).astype(np.float32) + 1e-3
    return X


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"X": changed(X)}, "the data differ"),
        ({"X": X[::-1]}, "the data differ"),
        ({"y": 1 - Y}, "the data differ"),
        ({"sample_weight": np.ones(40)}, "the data differ"),
        ({"validation": (changed(X), Y)}, "the data differ"),
        ({"validation": None}, "the data differ"),
        ({"metrics": ["f1"]}, "the metrics differ"),
        ({"batch_size": 9}, "batch_size differ"),
        ({"optimizer": cr.Adam(0.03)}, "optimizer differ"),
        ({"optimizer": "sgd", "shuffle": False}, "optimizer, shuffle differ"),
        ({"early_stopping": 3}, "early_stopping differ"),
        ({"net": network(seed=8)}, "seed differ"),
        ({"net": network(l2=0.1)}, "the network, its loss or its penalties differ"),
        ({"net": network(loss="binary_cross_entropy")}, "the network, its loss or its penalties differ"),
        ({"net": network(dtype="float64")}, "the data differ"),
        ({"net": cr.Network([cr.Dense(2, "softmax")], seed=7)}, "the network, its loss or its penalties differ"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_run_is_refused_and_nothing_touched(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    path = tmp_path / "c.safetensors"
    interrupted(path, 2, every=None, validation=(X, Y))
    net = options.pop("net", None) or network()
    net.forward(X)
    theta, file = net.theta.tobytes(), path.read_bytes()
    with pytest.raises(cr.ArgumentError, match=f"the checkpoint is of another run: {message}. Give the same data"):
        fit(net, **{"validation": (X, Y), "resume": path, "callbacks": cr.Checkpoint(path), **options})
    assert net.theta.tobytes() == theta
    assert path.read_bytes() == file


def test_what_cannot_be_resumed_is_told(tmp_path: Path) -> None:
    network().forward(X)
    net = network()
    net.forward(X)
    net.save(tmp_path / "m.safetensors")
    for path, message in (
        (tmp_path / "m.safetensors", r"this is a model file\. Give a checkpoint file"),
        (tmp_path / "nowhere", "there is no such checkpoint file"),
        (tmp_path, "this is a folder, not a checkpoint file"),
    ):
        with pytest.raises(cr.FileFormatError, match=message):
            fit(network(), resume=path)
    with pytest.raises(cr.ArgumentError, match="path: expected the path of a checkpoint file"):
        fit(network(), resume=3)


@pytest.mark.parametrize("every", [0, -1, float("nan"), "1", True])
def test_seconds_are_a_number_above_0(tmp_path: Path, every: Any) -> None:
    with pytest.raises(cr.ArgumentError, match="Checkpoint: every: expected a number > 0"):
        cr.Checkpoint(tmp_path / "c", every=every)


def test_a_checkpoint_that_cannot_be_written_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(cr.StorageError, match="could not be written: No such file or directory"):
        fit(network(), callbacks=cr.Checkpoint(tmp_path / "nowhere" / "c"))


# ---- tampered --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "c.safetensors"
    interrupted(path, 2, every=None, **TAMPER)
    return path.read_bytes()


TAMPER: dict[str, Any] = {"optimizer": cr.Adam(ReduceOnPlateau(0.1, patience=0)), "validation": 0.3, "metrics": ["f1"]}


def with_record(data: bytes, change: Any) -> bytes:
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    record = json.loads(header["__metadata__"]["chainrule"])
    change(record["parts"])
    header["__metadata__"]["chainrule"] = json.dumps(record)
    packed = json.dumps(header).encode()
    return struct.pack("<Q", len(packed)) + packed + data[8 + length :]


def resumed_or_refused(path: Path, data: bytes) -> bool:
    """Whether it was refused."""
    path.write_bytes(data)
    net = network()
    try:
        fit(net, resume=path, **TAMPER)
    except (cr.FileFormatError, cr.ArgumentError):
        return True
    except cr.DivergenceError:
        pass
    assert np.isfinite(net.theta).all()
    return False


STANDING: list[dict[str, Any]] = [
    {"epoch": 1},
    {"epoch": -1},
    {"epoch": 10**30},
    {"step": -1},
    {"step": 5},
    {"step": 10**9},
    {"taken": 3},
    {"taken": -1},
    {"loss_sum": "nan"},
    {"loss_sum": "inf"},
    {"penalty_sum": "nan"},
    {"seconds": "inf"},
    {"seconds": None},
    {"best_epoch": 9},
    {"best_epoch": -1},
    {"best_epoch": 0},
    {"best_value": None},
    {"best_value": "nan"},
    {"epochs": []},
    {"epochs": None},
    {"epochs": [{}]},
    {"plateau": {"factor": -1.0}},
    {"plateau": {"factor": 1e300}},
    {"plateau": {"bad_epochs": -5}},
    {"plateau": "x"},
    {"stopped": 3},
]


@pytest.mark.parametrize("fields", STANDING, ids=str)
def test_a_tampered_standing_is_refused(tmp_path: Path, good: bytes, fields: dict[str, Any]) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(with_record(good, lambda parts: parts["standing"].update(fields)))
    with pytest.raises(cr.FileFormatError, match=r"c\.safetensors"):
        fit(network(), resume=path, **TAMPER)


def test_a_step_beyond_the_epoch_is_refused(tmp_path: Path, good: bytes) -> None:
    def beyond(parts: Any) -> None:
        standing = parts["standing"]
        steps = standing["taken"] // standing["epoch"]
        standing.update(step=steps, taken=standing["taken"] + steps)

    assert resumed_or_refused(tmp_path / "c", with_record(good, beyond))


def test_one_of_before_penalties_stood_apart_is_refused(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "c"
    path.write_bytes(with_record(good, lambda parts: parts["standing"].pop("penalty_sum")))
    with pytest.raises(cr.FileFormatError, match="written by another version"):
        fit(network(), resume=path, **TAMPER)


def test_a_tampered_history_is_refused(tmp_path: Path, good: bytes) -> None:
    def wrong(name: str, value: Any) -> Any:
        return lambda parts: parts["standing"]["epochs"][0].update({name: value})

    for name, value in (
        ("epoch", 2),
        ("taken", 0),
        ("scores", {}),
        ("scores", {"x": 1.0}),
        ("loss", None),
        ("best", 3),
    ):
        assert resumed_or_refused(tmp_path / "c", with_record(good, wrong(name, value)))


def test_broken_checkpoints_are_refused(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "c"
    assert not resumed_or_refused(path, good)
    for length in [*range(0, len(good), 211), len(good) - 1]:
        assert resumed_or_refused(path, good[:length])
    for part in ("standing", "fingerprint"):
        for value in (None, [], {}, "x", 3):
            assert resumed_or_refused(path, with_record(good, lambda p, k=part, v=value: p.update({k: v})))
        assert resumed_or_refused(path, with_record(good, lambda p, k=part: p.pop(k)))


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=3))
def test_flipped_bytes_are_refused_or_harmless(tmp_path: Path, good: bytes, flips: list[tuple[float, int]]) -> None:
    data = bytearray(good)
    for place, mask in flips:
        data[int(place * len(data))] ^= mask
    resumed_or_refused(tmp_path / "c", bytes(data))
