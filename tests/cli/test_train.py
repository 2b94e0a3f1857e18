"""`chainrule train`: what it says, what it writes, and that it can be repeated."""

from __future__ import annotations

import dataclasses
import errno
import json
import math
import os
import re
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.cli.options import attributes_told
from chainrule.cli.plan import Files, default_out
from chainrule.cli.train import SETTINGS_GROUPS
from chainrule.settings import Settings, choices_of_settings

pytestmark = pytest.mark.usefixtures("flowers")

QUICK = ("--epochs", 3, "--quiet")


def theta(path: str | Path) -> np.ndarray:
    return cr.load(path).network.theta


# what it says --------------------------------------------------------------------------------------------------------


def test_it_tells_what_was_read_what_came_out_and_what_to_do_next(call):
    code, out, err = call(
        "train",
        "flowers.csv",
        "--target",
        "species",
        "--test",
        0.2,
        "--epochs",
        5,
        "--plot",
        "c.png",
        "--validation",
        0.1,
    )
    assert (code, err) == (0, "")
    for words in (
        "flowers.csv: 60 rows, 4 columns",
        "species holds 3 different texts: classification",
        "64 relu, 32 relu, 3 softmax",
        "43 for training, 5 for validation, 12 for test",
        "epoch 1/5",
        "epoch 5/5",
        "On the 12 test rows",
        "precision",
        "Wrote flowers.safetensors: the model",
        "flowers.toml",
        "c.png: the curves",
        "Next: chainrule predict flowers.safetensors NEW.csv",
    ):
        assert words in out
    assert Path("c.png").read_bytes().startswith(b"\x89PNG")


def test_the_report_is_of_the_test_rows_and_agrees_with_the_library(call):
    _, out, _ = call("train", "flowers.csv", "--target", "species", "--test", 0.2, "--epochs", 5)
    model = cr.train("flowers.csv", target="species", test=0.2, epochs=5)
    assert str(model.test_report) in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--validation", 0.2), "On the 12 validation rows"),
        (("--validation", 0), "On the 60 training rows (it was trained on these"),
    ],
)
def test_without_test_rows_it_says_which_rows_were_scored(call, options, words):
    assert words in call("train", "flowers.csv", "--target", "species", "--epochs", 2, *options).out


def test_columns_that_are_set_aside_are_told_with_the_reason(call):
    pl.read_csv("flowers.csv").with_columns(same=pl.lit(7), other=pl.lit(7)).write_csv("more.csv")
    out = call("train", "more.csv", "--target", "species", "--epochs", 1, "--drop", "width").out
    assert "same, other: each holds 7 in every training row" in out
    assert "width: left out, as asked" in out


def test_which_weights_the_model_holds(call):
    stop = ("train", "flowers.csv", "--target", "species", "--epochs", 400, "--lr", 0.05, "--patience", 3)
    out = call(*stop, "--out", "a.safetensors").out
    assert "Stopped after epoch" in out
    assert "validation loss has not improved for 3 epochs" in out
    assert "the best (validation loss" in out


def test_the_best_epoch_is_told_by_what_was_watched(call):
    out = call("train", "flowers.csv", "--target", "species", "--epochs", 3, "--validation", 0).out
    assert re.search(r"epoch 3 of 3, the best \(objective [0-9.]+ = loss \+ penalty\)", out)
    out = call("train", "flowers.csv", "--target", "species", "--epochs", 3, "--validation", 0, "--l2", 0).out
    assert "epoch 3 of 3, the best (loss " in out


def test_the_first_loss_is_that_of_a_network_that_knows_nothing(call):
    out = call("train", "iris", "--epochs", 1, "--batch-size", 0).out
    (line,) = [line for line in out.splitlines() if line.startswith("epoch 1/1")]
    words = line.split()
    assert float(words[words.index("loss") + 1]) == pytest.approx(math.log(3), abs=0.2)
    assert float(words[words.index("penalty") + 1]) > 5


def test_a_thousand_epochs_are_some_lines(call):
    Path("xor.csv").write_text("a,b,c\n" + "0,0,no\n0,1,yes\n1,0,yes\n1,1,no\n" * 2)
    out = call("train", "xor.csv", "--target", "c", "--epochs", 1000, "--validation", 0, "--batch-size", 0).out
    lines = [line for line in out.splitlines() if line.startswith("epoch ")]
    assert [line.split("/")[0] for line in lines] == [f"epoch {n:>4}" for n in (1, *range(100, 1001, 100))]


def test_quiet_says_nothing(call):
    assert call("train", "flowers.csv", "--target", "species", *QUICK) == (0, "", "")
    assert theta("flowers.safetensors").size


def test_json_is_a_record_a_line_and_nothing_else(call):
    shares = ("--validation", 0.1, "--test", 0.2)
    code, out, err = call("train", "flowers.csv", "--target", "species", "--epochs", 3, *shares, "--json")
    assert (code, err) == (0, "")
    begin, *epochs, end = map(json.loads, out.splitlines())
    assert (begin["event"], begin["rows"], begin["classes"], begin["test_rows"]) == ("begin", 60, ["a", "b", "c"], 12)
    assert [record["epoch"] for record in epochs] == [1, 2, 3]
    assert all(record["loss"] < 3 < record["penalty"] for record in epochs)
    assert all(record["event"] == "epoch" and record["scores"]["validation_loss"] > 0 for record in epochs)
    assert (end["event"], end["scored_on"], end["report"]["rows"]) == ("end", "test", 12)
    assert end["written"] == ["flowers.safetensors", "flowers.toml"]


def test_what_is_shown_changes_nothing(call):
    thetas = []
    for options in ((), ("--quiet",), ("--json",), ("--checkpoint", "c.ckpt"), ("--plot", "p.svg")):
        call("train", "flowers.csv", "--target", "species", "--epochs", 3, *options)
        thetas.append(theta("flowers.safetensors"))
    assert all(np.array_equal(thetas[0], other) for other in thetas[1:])


@pytest.mark.slow
def test_standard_input(start, flowers):
    with flowers.open() as table:
        process = start("train", "-", "--target", "species", *QUICK, stdin=table)
        assert process.communicate() == ("", "")
    assert process.returncode == 0
    assert theta(flowers.with_name("model.safetensors")).size


# options -------------------------------------------------------------------------------------------------------------

_VALUES = {  # for each setting another value than its default, as written on the command line, and as the TOML has it
    "target": ("length", "length"),
    "task": ("classification", "classification"),
    "layers": ("5,4", [5, 4]),
    "activation": ("tanh", "tanh"),
    "loss": ("cross_entropy", "cross_entropy"),
    "optimizer": ("sgd", "sgd"),
    "lr": ("0.02", 0.02),
    "schedule": ("cosine", "cosine"),
    "epochs": ("2", 2),
    "batch_size": ("7", 7),
    "patience": ("4", 4),
    "validation": ("held.csv", "held.csv"),
    "test": ("0.3", 0.3),
    "dropout": ("0.25", 0.25),
    "norm": ("layer", "layer"),
    "l1": ("0.001", 0.001),
    "l2": ("0.01", 0.01),
    "clip_norm": ("2", 2.0),
    "clip_value": ("0.5", 0.5),
    "class_weight": ("balanced", "balanced"),
    "init": ("he_normal", "he_normal"),
    "scaling": ("minmax-matrix", "minmax-matrix"),
    "categories": ("colour,width", ["colour", "width"]),
    "max_categories": ("77", 77),
    "drop": ('"colour",length', ["colour", "length"]),
    "missing": ("n/k", ["n/k"]),
    "seed": ("5", 5),
    "seeds": ("3,7", [3, 7]),
    "engine": ("reference", "reference"),
    "threads": ("2", 2),
    "dtype": ("float64", "float64"),
}


@pytest.mark.parametrize("name", _VALUES)
def test_every_setting_is_an_option_and_stands_in_the_toml(call, flowers, name):
    typed, written = _VALUES[name]
    flowers.with_name("held.csv").write_text(flowers.read_text())
    options = {"target": "species", "epochs": "1"} | {name: typed}
    arguments = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", value)]
    assert call("train", "flowers.csv", *arguments, "--quiet") == (0, "", "")
    values = tomllib.loads(Path("flowers.toml").read_text())
    assert values[name] == written
    assert values[name] != getattr(Settings(), name)


def test_no_header(call):
    Path("bare.csv").write_text("".join(f"{n},{-n},{'xy'[n % 2]}\n" for n in range(20)))
    assert call("train", "bare.csv", "--no-header", "--target", "column_3", *QUICK).code == 0
    assert tomllib.loads(Path("bare.toml").read_text())["header"] is False


def test_options_and_settings_are_the_same():
    fields = {field.name for field in dataclasses.fields(Settings)}
    assert set(SETTINGS_GROUPS) == fields
    assert set(_VALUES) | {"header"} == fields


@pytest.mark.parametrize("record", [Settings, Files])
def test_every_option_is_told(record):
    told = attributes_told(record)
    assert set(told) == {field.name for field in dataclasses.fields(record)}
    assert all(words.endswith(".") for words in told.values())


def test_every_choice_is_named_in_the_help():
    told = attributes_told(Settings)
    assert all(choice in told[name] for name, choices in choices_of_settings().items() for choice in choices)


# files ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name"),
    [("iris", "iris"), ("a/b.csv.gz", "b"), ("b.PARQUET", "b"), ("-", "model"), ("mnist_test:x/y", "mnist_test")],
)
def test_the_model_is_named_after_the_table(data, name):
    assert default_out(data) == f"{name}.safetensors"


def test_the_toml_repeats_the_run_bit_for_bit(call):
    asked = ("--layers", "6", "--dropout", 0.1, "--lr", 0.01, "--seed", 3, "--schedule", "cosine", "--missing", "-")
    Path("models").mkdir()
    out = "models/flowers.safetensors"
    assert (
        call("train", "flowers.csv", "--target", "species", *asked, *QUICK, "--out", out, "--plot", "p.svg").code == 0
    )
    first, words = theta(out), Path("models/flowers.toml").read_text()
    Path(out).unlink()
    os.chdir("models")  # the paths in it are relative to the file
    assert call("train", "--config", "flowers.toml", "--quiet") == (0, "", "")
    assert np.array_equal(theta("flowers.safetensors"), first)
    assert Path("flowers.toml").read_text() == words
    assert 'data = "../flowers.csv"' in words
    assert 'plot = "../p.svg"' in words


def test_the_command_line_wins_over_the_file(call):
    Path("run.toml").write_text('data = "flowers.csv"\ntarget = "species"\nepochs = 2\nbatch-size = 8\nlayers = 4\n')
    call("train", "--config", "run.toml", "--epochs", 1, "--quiet")
    values = tomllib.loads(Path("flowers.toml").read_text())
    assert (values["epochs"], values["batch_size"], values["layers"]) == (1, 8, [4])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch = 3", "Did you mean 'epochs'"),
        ('epochs = "3"', "epochs: expected a whole number, got '3'"),
        ("layers = [4, 'x']", "layers: expected a whole number"),
        ("quiet = 1", "quiet: expected true or false, got 1"),
        ("optimizer = 'adm'", "Did you mean 'adam'"),
        ("scaling = 'minmx'", "Did you mean 'minmax'"),
        ("lr = = 3", "this is not TOML"),
        ("lr = -1", "--lr: expected a number > 0"),
        ("[lr]\na = 1", "lr: expected a number"),
    ],
)
def test_a_fault_in_the_toml(call, text, words):
    Path("run.toml").write_text(text)
    code, out, err = call("train", "flowers.csv", "--target", "species", "--config", "run.toml")
    assert (code, out) == (2, "")
    assert words in err
    assert not Path("flowers.safetensors").exists()


def test_a_toml_of_somebody_else_is_left_alone(call):
    text = 'data = "flowers.csv"\ntarget = "species"\nepochs = 2\n'
    Path("flowers.toml").write_text(text)
    out = call("train", "--config", "flowers.toml").out
    assert Path("flowers.toml").read_text() == text
    assert tomllib.loads(Path("flowers.run.toml").read_text())["epochs"] == 2
    assert "flowers.run.toml" in out


def test_a_model_file_is_replaced_and_said_so(call):
    call("train", "flowers.csv", "--target", "species", *QUICK)
    assert "in place of the one before" in call("train", "flowers.csv", "--target", "species", "--epochs", 1).out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--out", "a.txt"), "--out: expected a name that ends in .safetensors"),
        (("--out", "no/a.safetensors"), "mkdir -p"),
        (("--out", "folder.safetensors"), "not of a folder"),
        (("--out", "precious.safetensors"), "will not be written over"),
        (("--plot", "a.gif"), "--plot: expected a name ending in .png"),
        (("--plot", "no/a.png"), "--plot: expected a file in a folder that exists"),
        (("--checkpoint", "precious.safetensors"), "will not be written over"),
        (("--checkpoint", "no/a.ckpt"), "--checkpoint: expected a file in a folder that exists"),
        (("--checkpoint-every", 3), "--checkpoint FILE beside it"),
        (("--checkpoint", "c", "--checkpoint-every", 0), "--checkpoint-every: expected a number > 0"),
        (("--checkpoint", "flowers.safetensors"), "another file than --out"),
        (("--resume", "none.ckpt"), "there is no such checkpoint file"),
        (("--resume", "flowers.csv"), "no checkpoint file of chainrule"),
    ],
)
def test_paths_are_checked_before_training(call, options, words):
    Path("precious.safetensors").write_text("my diary")
    Path("folder.safetensors").mkdir()
    before = sorted(Path().iterdir())
    code, out, err = call("train", "flowers.csv", "--target", "species", *options)
    assert (code, out) == (2, "")
    assert words in err
    assert sorted(Path().iterdir()) == before
    assert Path("precious.safetensors").read_text() == "my diary"


@pytest.mark.skipif(os.name != "posix" or not hasattr(os, "geteuid"), reason="permissions of POSIX")
def test_a_folder_that_may_not_be_written_to(call, monkeypatch):
    Path("locked").mkdir()
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    code, out, err = call("train", "flowers.csv", "--target", "species", "--out", "locked/a.safetensors")
    assert (code, out) == (1, "")
    assert "may not be written to" in err


def test_a_checkpoint_of_an_unfinished_run_is_not_lost_by_starting_anew(call):
    asked = ("train", "flowers.csv", "--target", "species", "--checkpoint", "c.ckpt", "--quiet")
    assert call(*asked, "--epochs", 3).code == 0
    assert call(*asked, "--epochs", 3).code == 0, "a finished run may be repeated"
    code, _, err = call(*asked, "--epochs", 5)
    assert code == 2
    assert "not finished (epoch 3)" in err
    assert "--resume c.ckpt" in err
    assert call(*asked, "--epochs", 5, "--resume", "c.ckpt").code == 0


def test_a_run_made_longer_is_the_long_run(call):
    asked = ("train", "flowers.csv", "--target", "species", "--quiet")
    call(*asked, "--epochs", 2, "--checkpoint", "c.ckpt")
    call(*asked, "--epochs", 5, "--resume", "c.ckpt", "--out", "long.safetensors")
    call(*asked, "--epochs", 5, "--out", "once.safetensors")
    assert np.array_equal(theta("long.safetensors"), theta("once.safetensors"))


def test_a_checkpoint_of_another_run(call):
    asked = ("train", "flowers.csv", "--target", "species", "--quiet", "--epochs", 2)
    call(*asked, "--checkpoint", "c.ckpt")
    code, _, err = call(*asked, "--resume", "c.ckpt", "--layers", 3)
    assert code == 2
    assert "another run" in err


def test_divergence_is_exit_1_and_the_last_good_weights_are_written(call):
    code, out, err = call("train", "sine", "--optimizer", "sgd", "--lr", 1e30, "--out", "s.safetensors")
    assert code == 1
    assert "diverged in epoch 1" in err
    assert "--clip-norm 1" in err
    assert "Wrote s.safetensors" in err
    assert "NaN" not in out
    assert np.isfinite(theta("s.safetensors")).all()


def test_a_model_is_not_replaced_by_a_run_that_diverged_in_its_first_epoch(call, tmp_path):
    call("train", "sine", "--epochs", 3, "--out", "s.safetensors")
    good = (tmp_path / "s.safetensors").read_bytes()
    code, _, err = call("train", "sine", "--optimizer", "sgd", "--lr", 1e30, "--out", "s.safetensors")
    assert code == 1
    assert "s.safetensors is as it was" in err
    assert (tmp_path / "s.safetensors").read_bytes() == good


def test_a_disk_that_fills_up_under_the_lines_loses_no_weights(call, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("chainrule.cli.train.silence", lambda: None)  # standard output is that of the tests
    monkeypatch.setattr("chainrule.progress.ProgressBar.on_epoch", full)
    code, _, err = call("train", "iris", "--epochs", 3)
    assert code == 1
    assert err.startswith("Error: standard output: No space left on device. Wrote iris.safetensors")
    assert (tmp_path / "iris.safetensors").exists()
