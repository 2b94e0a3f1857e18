"""``chainrule export``."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest

import chainrule as cr


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    model = cr.train("iris", epochs=2, validation=0.0)
    path = tmp_path_factory.mktemp("model") / "iris.safetensors"
    model.save(path)
    return path


@pytest.fixture
def model(trained, tmp_path):
    (tmp_path / "iris.safetensors").write_bytes(trained.read_bytes())
    return "iris.safetensors"


def test_it_says_what_it_wrote_and_how_it_was_checked(call, model, tmp_path):
    outcome = call("export", model, "--to", "onnx", "--data", "iris")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].startswith("Wrote iris.onnx (")
    assert lines[1].startswith("Checked by onnx.checker and onnxruntime ")
    assert "150 given and 1,000 random rows differ by at most" in lines[1]
    session = onnxruntime.InferenceSession(tmp_path / "iris.onnx")
    assert [each.name for each in session.get_outputs()] == ["prediction", "probabilities"]


def test_the_network_alone_and_a_file_of_a_name(call, model, tmp_path):
    assert call("export", model, "--out", "net.onnx", "--network-only").code == 0
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    assert session.run(None, {"X": np.zeros((2, 4), np.float32)})[0].shape == (2, 3)


def test_a_text_file_predicts_as_its_model_does(call, model):
    assert call("export", model, "--to", "json").out.startswith("Wrote iris.json")
    assert call("predict", "iris.json", "iris").out == call("predict", model, "iris").out


def test_a_network_without_columns_is_exported_too(call, tmp_path):
    cr.Network([cr.Dense(2, "softmax")], n_inputs=3).save(tmp_path / "net.safetensors")
    assert call("export", tmp_path / "net.safetensors", "--to", "onnx").code == 0
    assert (tmp_path / "net.onnx").is_file()


def test_a_text_file_is_not_put_in_its_own_place(call, model):
    assert call("export", model, "--to", "json").code == 0
    assert "another file than the model" in call("export", "iris.json", "--to", "json").err


def test_a_file_of_somebody_is_replaced_only_where_it_was_named(call, model, tmp_path):
    (tmp_path / "iris.py").write_text("print('mine')")
    outcome = call("export", model, "--to", "numpy")
    assert outcome.code == 2
    assert "iris.py stands there already" in outcome.err
    assert (tmp_path / "iris.py").read_text() == "print('mine')"
    assert call("export", model, "--to", "numpy", "--out", "iris.py").code == 0
    assert call("export", model, "--to", "numpy", "--optimizer", "sgd").code == 0  # one of ours
    assert "SGD" in (tmp_path / "iris.py").read_text()
    assert call("export", model, "--to", "json").code == call("export", model, "--to", "json").code == 0


def test_for_machines(call, model):
    record = json.loads(call("export", model, "--to", "json", "--json").out)
    assert record["format"] == "json"
    assert record["files"] == ["iris.json"]
    assert record["check"]["max_difference"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Give --to FORMAT"),
        (("--to", "onxx"), "Did you mean 'onnx'?"),
        (("--out", "iris.foo"), "'iris.foo' does not say which format is meant"),
        (("--out", "missing/iris.onnx"), "a file in a folder that exists"),
        (("--to", "json", "--out", "iris.safetensors"), "'iris.safetensors' is no name for a file of the format json"),
        (("--to", "c", "--out", "iris.js"), "End it in .c"),
        (("--to", "onnx", "--training-step"), "--training-step is an option of c"),
        (("--to", "json", "--optimizer", "sgd"), "--optimizer is an option of numpy and python"),
        (("--to", "numpy", "--optimizer", "lbfgs"), "--optimizer adam"),
        (("--to", "json", "--out", "-"), "--out: expected the name of a file, got '-'"),
        (("--to", "json", "--data", "digits"), "columns are missing"),
        (("--to", "json", "--data", "nothing.csv"), "nothing.csv"),
    ],
)
def test_a_wrong_call_is_told_in_a_line_and_writes_nothing(call, model, arguments, words, tmp_path):
    outcome = call("export", model, *arguments)
    assert outcome.code == 2
    assert words in outcome.err
    assert "\nTraceback" not in outcome.err
    assert [file.name for file in tmp_path.iterdir()] == [model]


def test_the_help_lists_the_formats(call):
    out = call("export", "--help").out
    assert "onnx" in out
    assert "json" in out
