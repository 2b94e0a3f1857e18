"""``chainrule import``: from a file of elsewhere to a model file."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import chainrule as cr

W = np.array([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]], "f4")


@pytest.fixture
def graph(tmp_path):
    """A graph of two inputs and three logits, in the folder of the test."""
    rows = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", None]) for name in "XY"]
    nodes = [helper.make_node("MatMul", ["X", "W"], ["Y"], name="product")]
    made = helper.make_graph(nodes, "small", rows[:1], rows[1:], [numpy_helper.from_array(W, "W")])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def test_it_writes_a_model_and_says_how_far_they_differ(call, graph, tmp_path):
    code, out, err = call("import", graph)
    assert (code, err) == (0, "")
    assert out.startswith("Imported from the ONNX graph 'small'")
    assert "It computes what the original does." in out
    assert "MatMul product" in out
    assert "Wrote net.safetensors" in out
    assert max(map(len, out.splitlines())) <= 80
    assert np.array_equal(cr.load(tmp_path / "net.safetensors").parameters["dense_1.W"], W)


def test_options(call, graph, tmp_path):
    code, out, _ = call("import", graph, "--loss", "cross_entropy", "--out", "other.safetensors", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["loss"] == "cross_entropy"
    assert told["exact"] is True
    assert [layer["became"] for layer in told["layers"]] == ["dense_1"]
    assert cr.load(tmp_path / "other.safetensors").layers[0].f.name == "softmax"


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.pkl", "net.joblib"])
def test_what_may_run_code_is_not_read(call, name, tmp_path):
    (tmp_path / name).write_bytes(b"\x80\x04c__builtin__\nexec\n.")
    code, _, err = call("import", name)
    assert code == 2
    assert "may run code" in err
    assert "chainrule.from_torch(module)" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere.onnx",), "nowhere.onnx: there is no such file"),
        (("net.safetensors",), "a model of chainrule already"),
        (("net.csv",), "Write ONNX where it was made"),
        (("net.onnx", "--loss", "cross"), "there is no loss 'cross'"),
        (("net.onnx", "--out", "net.onnx"), "a name that ends in .safetensors"),
        (("net.onnx", "--out", "no/net.safetensors"), "a folder that exists"),
        ((), "FILE is missing"),
    ],
)
@pytest.mark.usefixtures("graph")
def test_what_is_wrong_is_said(call, arguments, words):
    code, out, err = call("import", *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_a_file_of_somebody_is_not_written_over(call, graph, tmp_path):
    (tmp_path / "net.safetensors").write_text("mine")
    code, _, err = call("import", graph)
    assert code == 2
    assert "it will not be written over" in err
    assert (tmp_path / "net.safetensors").read_text() == "mine"


def test_a_broken_file_leaves_nothing_behind(call, graph, tmp_path):
    graph.write_bytes(graph.read_bytes()[:40])
    code, _, err = call("import", graph)
    assert code == 2
    assert "broken" in err
    assert not (tmp_path / "net.safetensors").exists()


def test_a_gelu_names_the_option(call, tmp_path):
    rows = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", None]) for name in "XY"]
    nodes = [helper.make_node("MatMul", ["X", "W"], ["Z"]), helper.make_node("Gelu", ["Z"], ["Y"])]
    made = helper.make_graph(nodes, "", rows[:1], rows[1:], [numpy_helper.from_array(W, "W")])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)]), tmp_path / "g.onnx")
    code, _, err = call("import", "g.onnx")
    assert code == 2
    assert "--approximate-gelu takes that form" in err
    code, out, _ = call("import", "g.onnx", "--approximate-gelu")
    assert code == 0
    assert "nearly what the original does" in " ".join(out.split())


TABLE = "a,b,kind\n0.5,1,x\n-1,2.5,y\n3,0.25,z\n"


def test_with_a_table_every_command_takes_it(call, graph, tmp_path):
    (tmp_path / "rows.csv").write_text(TABLE)
    told = ("import", graph, "--loss", "cross_entropy", "--data", "rows.csv", "--target", "kind")
    code, out, err = call(*told, "--classes", "z,y,x")
    assert (code, err) == (0, "")
    assert "64 random rows and 3 given ones" in out
    assert "Next: chainrule explain net.safetensors rows.csv" in out
    assert cr.load(tmp_path / "net.safetensors").columns.classes == ("z", "y", "x")
    for command in ("explain", "check", "predict", "evaluate"):
        code, out, err = call(command, "net.safetensors", "rows.csv")
        assert (code, err) == (0, "")
    code, _, err = call(*told[:-2])
    assert code == 2
    assert "Give --target COLUMN. The columns are: a, b, kind" in err
    code, _, err = call("import", graph, "--target", "kind")
    assert code == 2
    assert "--target and --classes are for --data" in err
    code, _, err = call(*told[:-1], "kinds")
    assert "Did you mean 'kind'?" in err
