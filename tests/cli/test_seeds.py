"""`chainrule train --seeds`: mean, spread and the best, which is kept."""

from __future__ import annotations

import json
import signal
import statistics
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

pytestmark = pytest.mark.usefixtures("flowers")

TRAIN = ("train", "flowers.csv", "--target", "species", "--test", 0.2, "--validation", 0.2, "--epochs", 3)


def alone(seed):
    """The network of one seed on the rows of `TRAIN`, trained by itself; the answers of the model are its own."""
    training = cr.table_training.TableTraining(
        "flowers.csv", cr.Settings(target="species", test=0.2, validation=0.2, epochs=3, patience=10)
    )
    training.model.network = training.model.network.with_seed(seed)
    model = training.run()
    return model, min(model.history["validation_loss"])


def test_it_reports_every_seed_and_keeps_the_best(call):
    code, out, err = call(*TRAIN, "--seeds", 3, "--plot", "c.png")
    assert (code, err) == (0, "")
    models = [alone(seed) for seed in range(3)]
    best = min(range(3), key=lambda seed: models[seed][1])
    scores = [model.test_report.accuracy for model, _ in models]
    mean, deviation = statistics.fmean(scores), statistics.stdev(scores)
    assert "3 seeds, accuracy on the 12 test rows:" in out
    words = [line.split() for line in out.splitlines()]
    losses = [loss for _, loss in models]
    assert ["mean", f"{statistics.fmean(losses):.4f}", f"{mean:.4f}"] in words
    assert ["std", f"{statistics.stdev(losses):.4f}", f"{deviation:.4f}"] in words
    assert ["min", f"{min(losses):.4f}", f"{min(scores):.4f}"] in words
    assert ["max", f"{max(losses):.4f}", f"{max(scores):.4f}"] in words
    for seed, (_, loss) in enumerate(models):
        assert f"{seed}           {loss:.4f}    {scores[seed]:.4f}       3" in out
    assert f"The best is seed {best}, chosen by its validation loss, not by the test rows." in out
    assert f"On the 12 test rows, seed {best}:" in out
    assert str(models[best][0].test_report) in out
    kept = cr.load("flowers.safetensors").network
    assert kept.seed == best
    assert np.array_equal(kept.theta, models[best][0].network.theta)
    assert Path("c.png").read_bytes().startswith(b"\x89PNG")
    assert max(map(len, out.splitlines())) <= 80


def test_a_list_of_seeds_is_trained_and_the_run_can_be_repeated(call):
    assert call(*TRAIN, "--seeds", "7,3", "--quiet") == (0, "", "")
    theta = cr.load("flowers.safetensors").network.theta
    assert tomllib.loads(Path("flowers.toml").read_text())["seeds"] == [7, 3]
    assert call("train", "--config", "flowers.toml", "--out", "again.safetensors", "--quiet").code == 0
    assert np.array_equal(cr.load("again.safetensors").network.theta, theta)


def test_one_seed_is_a_list_of_one(call):
    call(*TRAIN, "--seeds", "7,", "--quiet")
    assert cr.load("flowers.safetensors").network.seed == 7


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.2, "on these rows: its score there is a little too good (--test 0.25)."),
        (0, "on the training rows (--validation 0.1 would choose by others)."),
    ],
)
def test_it_says_by_what_the_best_was_chosen(call, share, words):
    _, out, _ = call(*TRAIN[:4], "--validation", share, "--epochs", 2, "--seeds", 2)
    assert words in out


def test_machines_are_told_of_each_seed(call):
    _, out, _ = call(*TRAIN, "--seeds", 2, "--json")
    begin, *fits, end = map(json.loads, out.splitlines())
    assert begin["seeds"] == 2
    assert sorted(fit["seed"] for fit in fits) == [0, 1]
    assert {fit["event"] for fit in fits} == {"fit"}
    assert {fit["seed"]: fit["value"] for fit in fits} == {
        each["seed"]: each["monitored"] for each in end["seeds"]["seeds"]
    }
    assert end["seeds"]["spread"]["mean"] == statistics.fmean(each["score"] for each in end["seeds"]["seeds"])
    assert end["report"]["accuracy"] == end["seeds"]["seeds"][end["seeds"]["best"]]["score"]


def test_the_library_gives_the_best_too(call):
    call(*TRAIN, "--seeds", 2, "--quiet")
    model = cr.train("flowers.csv", target="species", test=0.2, validation=0.2, epochs=3, seeds=2)
    assert np.array_equal(model.network.theta, cr.load("flowers.safetensors").network.theta)
    assert len(model.fits) == 2
    assert model.network is model.fits.best.network


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", 0), "--seeds: expected a whole number >= 1, got 0"),
        (("--seeds", "1,1"), "--seeds: expected a number, or a list without repetition, got (1, 1)"),
        (("--seeds", "1,-2"), "--seeds: expected a whole number >= 0, got -2"),
        (("--seeds", "many"), "--seeds: expected whole numbers such as 20 or 3,7,9, got 'many'"),
        (("--seeds", 2, "--checkpoint", "c.ckpt"), "--checkpoint: expected nothing beside --seeds, got 'c.ckpt'"),
    ],
)
def test_what_cannot_be_is_refused(call, options, message):
    code, _, err = call(*TRAIN, *options)
    assert (code, err.partition("Error: ")[2][: len(message)]) == (2, message)


def test_when_all_diverge_nothing_is_written(call):
    code, _, err = call(*TRAIN, "--seeds", 2, "--lr", 1e38, "--quiet")
    assert code == 1
    assert "training diverged" in err
    assert "Nothing was written" in err
    assert not Path("flowers.safetensors").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_keeps_the_best_of_those_that_were_finished(start, tmp_path):
    process = start("train", "iris", "--seeds", 500, "--epochs", 300, "--json")
    process.stdout.readline()
    first = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (first["event"], process.returncode) == ("fit", 130)
    assert err.startswith("Interrupted. Wrote iris.safetensors: seed ")
    assert "that came to an end" in err
    done = 1 + sum(json.loads(line)["event"] == "fit" for line in out.splitlines())
    assert done < 500
    best = cr.load(tmp_path / "iris.safetensors").network
    again = cr.train("iris", epochs=300, seeds=(best.seed,))
    assert np.array_equal(best.theta, again.network.theta)
