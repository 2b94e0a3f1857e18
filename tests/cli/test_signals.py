"""The command as a process: Ctrl-C, a sudden death, and a reader who goes away. No test waits for a clock."""

from __future__ import annotations

import json
import signal
import sys

import numpy as np
import pytest

import chainrule as cr

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def read_until_epoch(process, epoch):
    """Read records of ``--json`` until that epoch was finished."""
    for line in process.stdout:
        record = json.loads(line)
        if record["event"] == "epoch" and record["epoch"] == epoch:
            return
    raise AssertionError(process.stderr.read())


@pytest.mark.slow
def test_ctrl_c_writes_the_best_weights_so_far(start, tmp_path):
    process = start("train", "iris", "--epochs", 1_000_000, "--json", "--plot", "p.png")
    read_until_epoch(process, 3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert err.startswith("Interrupted. Wrote iris.safetensors: the weights of epoch ")
    assert json.loads(out.splitlines()[-1])["stopped"] == "interrupted"
    assert (tmp_path / "p.png").exists()
    best = int(err.split("epoch ")[1].split(",")[0])
    again = cr.train("iris", epochs=best)
    assert np.array_equal(cr.load(tmp_path / "iris.safetensors").network.theta, again.network.theta)


@pytest.mark.slow
def test_ctrl_c_to_a_run_that_talks_to_people(start, tmp_path):
    process = start("train", "digits", "--epochs", 1_000_000)
    for line in process.stdout:
        if line.startswith("epoch "):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "Interrupted. Wrote digits.safetensors" in err
    assert cr.load(tmp_path / "digits.safetensors").predict("digits").height == 1797


@pytest.mark.slow
@pytest.mark.parametrize("often", [(), ("--checkpoint-every", "0.001")], ids=["by epoch", "within epochs"])
def test_killed_and_resumed_it_ends_in_the_same_bits(start, tmp_path, often):
    run = ("train", "digits", "--epochs", 40, "--dropout", 0.2, "--patience", 30, "--json")
    killed = start(*run, "--checkpoint", "run.ckpt", *often, "--out", "killed.safetensors")
    read_until_epoch(killed, 7)
    killed.kill()
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed.safetensors").exists()
    resumed = start(*run, "--checkpoint", "run.ckpt", "--resume", "run.ckpt", "--out", "resumed.safetensors")
    whole = start(*run, "--out", "whole.safetensors")
    out, _ = resumed.communicate()
    whole.communicate()
    assert (resumed.returncode, whole.returncode) == (0, 0)
    first = json.loads(out.splitlines()[1])["epoch"]
    assert 7 <= first <= 40
    thetas = [cr.load(tmp_path / f"{name}.safetensors").network.theta for name in ("resumed", "whole")]
    assert np.array_equal(*thetas)


@pytest.mark.slow
def test_a_reader_who_goes_away_does_not_end_the_training(start, tmp_path):
    process = start("train", "iris", "--epochs", 30)
    assert process.stdout.readline().startswith("iris: 150 rows")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0
    assert len(cr.load(tmp_path / "iris.safetensors").network.theta)


@pytest.mark.parametrize(
    "arguments",
    [
        ("data", "digits", "--head", 3000),
        pytest.param(("predict", "m.safetensors", "big.csv"), marks=pytest.mark.slow),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_broken_pipe_is_quiet(start, tmp_path, arguments):
    frame = cr.train("iris", epochs=1)
    frame.save(tmp_path / "m.safetensors")
    lines = ["sepal_length,sepal_width,petal_length,petal_width", *["5,3,1,0.2"] * 50_000]
    (tmp_path / "big.csv").write_text("\n".join(lines))
    process = start(*arguments)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0
