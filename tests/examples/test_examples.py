"""What all the examples have in common: a documented `run`, a script each, clear errors for a folder that cannot be."""

from __future__ import annotations

import inspect
import os
import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.examples import EXAMPLES, csv_classifier, digits, three_flowers, worked_example

SCRIPTS = Path(__file__).parents[2] / "examples"
QUICK = {"xor": ["200"], "digits": ["2"], "csv_classifier": ["2"], "three_flowers": ["200"], "worked_example": []}


@pytest.mark.parametrize("name", EXAMPLES)
def test_run_is_documented_and_typed(name):
    run = import_module(EXAMPLES[name]).run
    for parameter in inspect.signature(run).parameters.values():
        assert f"\n        {parameter.name}: " in run.__doc__, f"{parameter.name} is not documented"
        assert parameter.annotation is not inspect.Parameter.empty
        assert parameter.default is not inspect.Parameter.empty, "one command must be enough"


@pytest.mark.parametrize("name", EXAMPLES)
def test_there_is_a_script_and_it_runs(name, tmp_path, monkeypatch, capsys):
    script = SCRIPTS / f"{name.replace('-', '_')}.py"
    lines = script.read_text(encoding="utf-8").splitlines()
    assert 10 <= len(lines) <= 60
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script), *QUICK[script.stem]])
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out.strip()


def same_network(one, other):
    return (one.layers, one.loss, one.seed, one.dtype) == (other.layers, other.loss, other.seed, other.dtype)


@pytest.mark.slow
def test_scripts_and_command_train_the_same_networks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def script(stem):
        monkeypatch.setattr(sys, "argv", [stem, *(["1"] if QUICK[stem] else [])])
        return runpy.run_path(str(SCRIPTS / f"{stem}.py"))

    assert same_network(script("three_flowers")["net"], three_flowers.network(4))
    assert same_network(script("csv_classifier")["net"], csv_classifier.as_published(64, 10))
    assert same_network(script("worked_example")["net"], worked_example.network())
    capsys.readouterr()
    script("digits")
    printed = capsys.readouterr().out
    result = digits.run(epochs=1, display=0, out=tmp_path)
    assert f"epoch=1, loss={result.last_loss:.7f}" in printed
    assert str(result.report) in printed


def test_no_script_without_an_example():
    assert {path.stem for path in SCRIPTS.glob("*.py")} == {name.replace("-", "_") for name in EXAMPLES}


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"worked-example"}))
def test_a_folder_that_cannot_be_made(name, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(cr.StorageError, match="cannot be made"):
        import_module(EXAMPLES[name]).run(out=tmp_path / "file")


def test_importing_the_list_loads_nothing_heavy():
    code = "import sys, chainrule.examples; print([m for m in ('matplotlib', 'polars') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"
