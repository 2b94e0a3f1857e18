"""What a person may get wrong: one clear message on standard error, exit code 2, no traceback (`call` sees to that)."""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule import storage
from chainrule.cli import run
from chainrule.table_training import TableTraining

pytestmark = pytest.mark.usefixtures("files")

MODEL = "model.safetensors"
GOOD = "a,b,y\n" + "".join(f"{n},{n * n % 7},{'pq'[n % 2]}\n" for n in range(12))

FILES = {
    "empty.csv": "",
    "blank.csv": "\n\n\n",
    "header.csv": "a,b,y\n",
    "ragged.csv": GOOD + "1,2\n",
    "wide.csv": GOOD + "1,2,p,4\n",
    "colons.csv": GOOD.replace(",", ":"),
    "one.csv": "a,b,y\n1,2,p\n",
    "same.csv": GOOD.replace("q", "p"),
    "double.csv": GOOD.replace("a,b,y", "a,a,y"),
    "word.csv": GOOD + "oops,3,p\n",
    "infinite.csv": GOOD + "inf,3,p\n",
    "constant.csv": "a,b,y\n" + "".join(f"1,2,{'pq'[n % 2]}\n" for n in range(12)),
    "names.csv": "a,y\n" + "".join(f"{n},name{n}\n" for n in range(100)),
    "missing.csv": GOOD + "4,3,\n",
    "good.csv": GOOD,
}

FAULTS = [
    (("nothere.csv",), "there is no such file"),
    (("god.csv",), "Did you mean 'good.csv'"),
    (("irsi",), "Did you mean 'iris'"),
    (("folder",), "this is a directory"),
    (("empty.csv",), "the file is empty"),
    (("blank.csv",), "nothing but blank lines"),
    (("header.csv",), "no rows"),
    (("ragged.csv",), "line 14"),
    (("wide.csv",), "line 14"),
    (("colons.csv",), "colons.csv"),
    (("latin.csv",), "UTF-8"),
    (("cut.csv.gz",), "cut off"),
    (("no.parquet",), "the name says Parquet"),
    (("one.csv",), "one row"),
    (("same.csv",), "nothing to learn"),
    (("double.csv",), "'a'"),
    (("word.csv",), "row 13"),
    (("infinite.csv",), "infinit"),
    (("constant.csv",), "no column is left"),
    (("names.csv",), "different texts"),
    (("missing.csv",), "missing in row 13"),
    (("good.csv", "--target", "z"), "there is no column 'z'"),
    (("good.csv", "--task", "regression"), "--task classification"),
    (("good.csv", "--drop", "c"), "there is no column 'c'"),
    (("good.csv", "--categories", "c"), "there is no column 'c'"),
    (("good.csv", "--task", "clasification"), "Did you mean 'classification'"),
    (("good.csv", "--optimizer", "adm"), "Did you mean 'adam'"),
    (("good.csv", "--activation", "rleu"), "Did you mean 'relu'"),
    (("good.csv", "--loss", "crossentropy"), "Did you mean 'cross_entropy'"),
    (("good.csv", "--loss", "poisson", "--layers", "x"), "--layers: expected whole numbers such as 64,32, got 'x'"),
    (("good.csv", "--schedule", "cosin"), "Did you mean 'cosine'"),
    (("good.csv", "--init", "he_norml"), "Did you mean 'he_normal'"),
    (("good.csv", "--engine", "refrence"), "Did you mean 'reference'"),
    (("good.csv", "--dtype", "float16"), "There are: float32, float64"),
    (("good.csv", "--scaling", "minmx"), "Did you mean 'minmax'"),
    (("good.csv", "--epochs", "0"), "--epochs: expected a whole number >= 1, got 0"),
    (("good.csv", "--epochs", "many"), "--epochs: expected a whole number, got 'many'"),
    (("good.csv", "--lr", "0"), "--lr: expected a number > 0, got 0"),
    (("good.csv", "--lr", "fast"), "--lr: expected a number, got 'fast'"),
    (("good.csv", "--lr"), "--lr: a value is missing"),
    (("good.csv", "--lr", "1", "--lr", "2"), "--lr: given more than once"),
    (("good.csv", "--dropout", "1"), "--dropout: expected"),
    (("good.csv", "--l2", "-1"), "--l2: expected"),
    (("good.csv", "--seed", "-1"), "--seed: expected"),
    (("good.csv", "--layers", "8,0"), "--layers: expected"),
    (("good.csv", "--test", "1.5"), "--test: expected"),
    (("good.csv", "--test", "nothere.csv"), "nothere.csv: there is no such file"),
    (("good.csv", "--validation", "header.csv"), "header.csv"),
    (("good.csv", "--optimizer", "lbfgs", "--lr", "1"), "--lr: expected nothing"),
    (("good.csv", "--epoch", "3"), "Did you mean --epochs?"),
    (("good.csv", "good.csv"), "one argument too many"),
    (("good.csv", "--config", "no.toml"), "no.toml: there is no such file"),
    (("good.csv", "--config", "latin.csv"), "not a TOML file"),
    (("model.safetensors",), "this is a model file"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tables, a model, a checkpoint and what is neither: made once, copied for each test."""
    folder = tmp_path_factory.mktemp("made")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "latin.csv").write_bytes("a,y\nGröße,p\n".encode("latin-1") * 20)
    (folder / "cut.csv.gz").write_bytes(gzip.compress(GOOD.encode())[:-12])
    (folder / "no.parquet").write_text(GOOD)
    (folder / "folder").mkdir()
    given = ("--target", "y", "--epochs", "1", "--quiet", "--out", str(folder / MODEL))
    assert run(["train", str(folder / "good.csv"), *given, "--checkpoint", str(folder / "run.ckpt")]) == 0
    (folder / "cut.safetensors").write_bytes((folder / MODEL).read_bytes()[:-100])
    (folder / "renamed.csv").write_text(GOOD.replace("a,b,y", "a,bee,y"))
    cr.Network([cr.Dense(2, "softmax")], n_inputs=2).save(folder / "network.safetensors")
    return folder


@pytest.fixture
def files(made, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize(("arguments", "words"), FAULTS, ids=[" ".join(arguments) for arguments, _ in FAULTS])
def test_train_refuses(call, arguments, words):
    target = () if "--target" in arguments else ("--target", "y")
    code, out, err = call("train", *arguments, *target, "--out", "result.safetensors")
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert words in err
    assert err.count("\n") == 1, "one message, on one line in a pipe"
    assert not Path("result.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "DATA is missing"),
        (("good.csv",), "The columns are: a, b, y"),
    ],
)
def test_train_says_what_it_needs(call, arguments, words):
    code, _, err = call("train", *arguments)
    assert code == 2
    assert words in err


def test_one_class_in_the_training_part(call):
    Path("few.csv").write_text("a,y\n" + "".join(f"{n},p\n" for n in range(9)) + "9,q\n")
    Path("held.csv").write_text("a,y\n1,z\n")
    code, _, err = call("train", "few.csv", "--target", "y", "--validation", "held.csv")
    assert code == 2
    assert "held.csv" in err
    assert "'z'" in err


def test_a_million_categories_are_set_aside_and_not_encoded(call):
    count = 20_000
    frame = pl.DataFrame({"id": [f"n{i}" for i in range(count)], "a": np.arange(count) % 5, "y": np.arange(count) % 2})
    frame.write_csv("many.csv")
    code, out, _ = call("train", "many.csv", "--target", "y", "--epochs", 1)
    assert code == 0
    assert "id: holds a different text" in out


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "MODEL is missing. Usage: chainrule"),
        (("model.safetensors",), "DATA is missing. Usage: chainrule"),
        (("good.csv", "good.csv"), "no model file of chainrule"),
        (("modle.safetensors", "good.csv"), "Did you mean 'model.safetensors'"),
        (("good.csv", "model.safetensors"), "the model comes first, then the table"),
        (("iris", "model.safetensors"), "the model comes first, then the table"),
        (("model.safetensors", "model.safetensors"), "this is a model file"),
        (("run.ckpt", "good.csv"), "this is a checkpoint file"),
        (("folder", "good.csv"), "this is a folder"),
        (("cut.safetensors", "good.csv"), "damaged"),
        (("network.safetensors", "good.csv"), "without the columns of a table"),
        (("model.safetensors", "nothere.csv"), "there is no such file"),
        (("model.safetensors", "renamed.csv"), "'b'"),
        (("model.safetensors", "word.csv"), "row 13"),
        (("model.safetensors", "good.csv", "--jsn"), "Unknown option: --jsn"),
    ],
)
def test_predict_and_evaluate_refuse(call, command, arguments, words):
    code, out, err = call(command, *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_evaluate_needs_the_target(call):
    Path("new.csv").write_text("a,b\n1,2\n")
    code, _, err = call("evaluate", MODEL, "new.csv")
    assert code == 2
    assert "'y'" in err
    assert call("predict", MODEL, "new.csv").code == 0


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("a.txt", "--out: expected - or a name that ends in .csv"),
        ("no/a.csv", "--out: expected a file in a folder that exists"),
        ("good.csv", "another file than those that are read"),
    ],
)
def test_predict_refuses_a_place(call, out, words):
    code, _, err = call("predict", MODEL, "good.csv", "--out", out)
    assert code == 2
    assert words in err
    assert Path("good.csv").read_text() == GOOD


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("trian",), "there is no command 'trian'. Did you mean 'train'"),
        (("example", "xro"), "Did you mean 'xor'"),
        (("--verison",), "--version"),
        (("data", "irsi"), "Did you mean 'iris'"),
        (("data", "iris", "--head", "-1"), "--head: expected"),
        (("data", "good.csv", "--target", "z"), "there is no column 'z'"),
        (("doctor", "now"), "one argument too many"),
    ],
)
def test_other_commands_refuse(call, arguments, words):
    code, _, err = call(*arguments)
    assert code == 2
    assert words in err


def test_a_fault_of_ours_is_no_traceback_but_with_debug_it_is(call, capsys, monkeypatch):
    monkeypatch.setattr("chainrule.tables.dataset_names", lambda: 1 / 0)
    code, _, err = call("data")
    assert code == 1
    assert "ZeroDivisionError" in err
    assert "--debug" in err
    assert run(["data", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_disk_that_is_full(call, monkeypatch):
    def full(*_arguments, **_options):
        raise cr.StorageError("result.safetensors: could not be written: No space left on device")

    monkeypatch.setattr(storage, "atomic_write", full)
    code, _, err = call("train", "good.csv", "--target", "y", "--epochs", 1, "--quiet")
    assert code == 1
    assert "No space left" in err


def test_a_model_whose_folder_is_gone_is_kept_elsewhere(call, monkeypatch, tmp_path):
    def run(training, **options):
        trained = finish(training, **options)
        shutil.rmtree("models")
        return trained

    finish = TableTraining.run
    monkeypatch.setattr(TableTraining, "run", run)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    Path("models").mkdir()
    code, _, err = call("train", "iris", "--epochs", 1, "--out", "models/m.safetensors")
    (kept,) = tmp_path.glob("chainrule-*/m.safetensors")
    assert code == 1
    assert "models/m.safetensors: could not be written" in err
    assert f"The model lies in {kept} meanwhile" in err
    assert cr.load(kept).network.history.epochs[-1].epoch == 1


def test_streams_that_are_closed_are_read_as_empty_and_written_to_nowhere(monkeypatch):
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}", None)
    assert run(["data", "xor"]) == 0
    assert run(["predict", MODEL, "-"]) == 2
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.close()


@pytest.mark.parametrize("model", ["", "."])
def test_a_report_of_no_model(call, model):
    code, _, err = call("report", model, "one.csv")
    assert code == 2
    assert "model file" in err
