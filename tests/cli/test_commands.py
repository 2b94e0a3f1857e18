"""`predict`, `evaluate`, `data`, `doctor`, `example`, and the help of them all."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.cli import _COMMANDS, doctor
from chainrule.engines.choose import choose
from chainrule.examples import EXAMPLES
from chainrule.tables import dataset_names


@pytest.fixture
def model(call, flowers):
    assert call("train", flowers, "--target", "species", "--epochs", 20, "--quiet").code == 0
    return "flowers.safetensors"


# predict -------------------------------------------------------------------------------------------------------------


def test_predict_writes_nothing_but_csv(call, model):
    code, out, err = call("predict", model, "flowers.csv")
    assert (code, err) == (0, "")
    answers = pl.read_csv(io.StringIO(out))
    assert answers.columns == ["prediction", "probability_a", "probability_b", "probability_c"]
    expected = cr.load(model).predict("flowers.csv")
    assert answers["prediction"].to_list() == expected["prediction"].to_list()
    assert answers.select(pl.sum_horizontal(pl.exclude("prediction"))).to_series().to_list() == pytest.approx(
        [1.0] * 60
    )


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet", "a.csv.gz"])
def test_predict_writes_a_file(call, model, name):
    code, out, err = call("predict", model, "flowers.csv", "--out", name)
    assert (code, out) == (0, "")
    assert f"Wrote {name}: 60 answers" in err
    read = {"parquet": pl.read_parquet, "tsv": lambda path: pl.read_csv(path, separator="\t")}
    answers = read.get(name.split(".")[1], pl.read_csv)(name)
    assert answers.shape == (60, 4)


def test_predict_beside_the_input(call, model):
    table = pl.read_csv("flowers.csv").with_columns(prediction=pl.lit("old"))
    table.write_csv("old.csv")
    answers = pl.read_csv(io.StringIO(call("predict", model, "old.csv", "--with-input").out))
    assert answers.columns[:6] == ["length", "width", "colour", "species", "input_prediction", "prediction"]
    assert answers["length"].to_list() == table["length"].to_list()
    assert answers["input_prediction"].unique().to_list() == ["old"]


@pytest.mark.slow
def test_predict_reads_standard_input_and_needs_no_target(start, call, model, flowers):
    pl.read_csv(flowers).drop("species").write_csv(flowers.with_name("new.csv"))
    with flowers.with_name("new.csv").open() as table:
        out, err = start("predict", model, "-", stdin=table).communicate()
    assert err == ""
    assert out == call("predict", model, "flowers.csv").out


def test_predict_values(call):
    call("train", "sine", "--epochs", 2, "--quiet")
    answers = pl.read_csv(io.StringIO(call("predict", "sine.safetensors", "sine").out))
    assert answers.columns == ["prediction"]
    assert answers["prediction"].to_list() == cr.load("sine.safetensors").predict("sine")["prediction"].to_list()


# evaluate ------------------------------------------------------------------------------------------------------------


def test_evaluate_prints_report_and_confusion_matrix(call, model):
    code, out, err = call("evaluate", model, "flowers.csv")
    report = cr.load(model).evaluate("flowers.csv")
    assert (code, err) == (0, "")
    assert str(report) in out
    assert report.confusion_text() in out
    assert "flowers.safetensors on the 60 rows of flowers.csv" in out


def test_evaluate_for_machines(call, model):
    record = json.loads(call("evaluate", model, "flowers.csv", "--json").out)
    assert record["accuracy"] == cr.load(model).evaluate("flowers.csv").accuracy
    assert record["rows"] == 60


def test_evaluate_values(call):
    call("train", "sine", "--epochs", 2, "--quiet")
    assert "r2" in call("evaluate", "sine.safetensors", "sine").out.lower()


# data ----------------------------------------------------------------------------------------------------------------


def test_data_lists_the_built_in_tables(call):
    out = call("data").out
    assert all(f"\n{name} " in out for name in dataset_names())
    assert "mnist:FOLDER" in out


def test_data_shows_a_built_in_table(call):
    out = call("data", "penguins").out
    for words in ("CC0", "344 rows, 8 columns", "3 categories: 4 inputs", "the target, classification", "Torgersen"):
        assert words in out


def test_data_shows_a_file(call, tmp_path):
    (tmp_path / "t.csv").write_text(
        "age,day,ok,name,y\n31,2024-01-01,yes,ann,1.5\n?,2024-02-03,no,bob,2.5\n40,,yes,eve,9\n"
    )
    table, _, first = call("data", "t.csv", "--target", "y", "--head", 2).out.partition("The first 2 rows:\n")
    rows = {line.split("  ")[0]: line for line in table.splitlines()}
    assert "31 to 40" in rows["age"]
    assert "2 inputs" in rows["age"]
    assert "a date" in rows["day"]
    assert "set aside" in rows["name"]
    assert "the target, regression" in rows["y"]
    assert [line.split()[0] for line in first.splitlines()] == ["age", "31", "2024-02-03"]
    assert not any(line.endswith(" ") for line in table.splitlines())


def test_data_of_many_columns_shows_some(call):
    out = call("data", "digits").out
    assert "and 25 more columns" in out
    assert max(map(len, out.splitlines())) < 200


# doctor --------------------------------------------------------------------------------------------------------------


def test_doctor_tells_versions_engine_and_extras(call):
    out = call("doctor").out
    for words in (cr.__version__, f"numpy {np.__version__}", "engine", choose().engine.name, "cores", "extra lbfgs"):
        assert words in out


def test_doctor_for_machines(call):
    record = json.loads(call("doctor", "--json").out)
    assert record["engine"] == choose().engine.name
    assert set(record["versions"]) >= {"numpy", "polars", "rich", "cyclopts"}
    assert None not in record["versions"].values()


def test_doctor_says_how_to_get_what_is_missing(call, monkeypatch):
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in ("scipy", "polars") else version(name))
    out = call("doctor").out
    assert "polars MISSING" in out
    assert "pip install --force-reinstall chainrule" in out
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "scipy" else version(name))
    assert "pip install 'chainrule[lbfgs]'   adds scipy" in call("doctor").out


# help ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [(), *((name,) for name in _COMMANDS)])
def test_help_fits_80_columns_and_ends_with_an_example(call, command):
    code, out, err = call(*command, "--help")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "Example" in out
    assert f"chainrule {' '.join(command)}".strip() in out.split("\nExample")[1]


def test_help_of_train_has_groups_and_defaults(call):
    out = call("train", "--help").out
    assert [word for word in ("Data", "Network", "Training", "Output") if f"─ {word} ─" in out] == [
        "Data",
        "Network",
        "Training",
        "Output",
    ]
    for words in ("[default: 64,32]", "--batch-size N", "--no-header", "--checkpoint-every"):
        assert words in out


def test_without_a_command_it_is_the_help(call):
    assert call() == call("--help")


def test_version(call):
    assert call("--version") == (0, f"chainrule {cr.__version__}\n", "")


def test_examples_are_listed_each_with_a_line(call):
    out = call("example").out
    assert all(f"│ {name} " in out for name in EXAMPLES)


@pytest.mark.slow
def test_an_example_runs_with_its_own_options(call):
    code, out, err = call("example", "digits", "--hidden", "5,6", "--epochs", 1, "--out", "pictures")
    assert (code, err) == (0, "")
    assert "precision" in out
    assert out.count("wrote pictures/") == len(list(Path("pictures").iterdir())) > 0


def test_help_loads_neither_polars_nor_what_draws():
    code = "import sys; from chainrule.cli import run; run(['--help']); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(out.splitlines()[-1].split())
    heavy = {"polars", "matplotlib", "sklearn", "scipy", "pandas", "pyarrow", "narwhals", "rich.progress", "rich.live"}
    assert "cyclopts" in loaded
    assert not heavy & loaded
    assert not {name for name in loaded if name.startswith(("chainrule.table", "chainrule.model", "chainrule.cli.tr"))}


def test_a_poor_terminal(start):
    process = start("--help", env={"PYTHONIOENCODING": "ascii", "TERM": "dumb", "NO_COLOR": "1"})
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "\x1b" not in out
    assert "train" in out
