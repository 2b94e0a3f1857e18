"""ONNX files and models that are broken, cut off, or want what they have not."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from tests.importing.graphs import FIRST, W1, X, by_onnxruntime, graph, node

import chainrule as cr


def test_what_is_no_model():
    with pytest.raises(cr.ArgumentError, match="a path or an onnx"):
        cr.from_onnx(3)
    with pytest.raises(cr.FileFormatError, match="no such file"):
        cr.from_onnx("nowhere.onnx")
    with pytest.raises(cr.FileFormatError, match="no graph in it"):
        cr.from_onnx(onnx.ModelProto())
    with pytest.raises(cr.FileFormatError, match="opset 7 or later, got 6"):
        cr.from_onnx(graph([node("MatMul", ["X", "W1"], ["Y"])], opset=6))
    several = graph([node("MatMul", ["X", "W1"], ["Y"]), node("Relu", ["Y"], ["Y1"])], outputs=2)
    with pytest.raises(cr.ArgumentError, match=r"several outputs. .* output=NAME says"):
        cr.from_onnx(several)


def test_names_and_attributes_that_are_broken(tmp_path):
    path = tmp_path / "broken.onnx"
    named = graph([node("Gemm", ["X", "W1", "b1"], ["Y"], name="product")]).SerializeToString()
    path.write_bytes(named.replace(b"product", b"prod\xff\xfet"))
    with pytest.raises(cr.FileFormatError, match="names that are no text"):
        cr.from_onnx(path)
    with pytest.raises(cr.ArgumentError, match="LeakyRelu: its attributes are broken"):
        cr.from_onnx(graph([FIRST, node("LeakyRelu", ["H"], ["Y"], alpha="steep")]))
    nothing = graph([node("MatMul", ["X", "W1"], ["Y"]), node("Relu", ["X"], [])])
    with pytest.raises(cr.FileFormatError, match="a node that gives nothing"):
        cr.from_onnx(nothing)


@pytest.mark.slow
def test_broken_files(tmp_path):
    """Cut off anywhere, or with any byte changed: a message, or a network that computes what the file says."""
    nodes = [node("Gemm", ["X", "W1", "b1"], ["H"]), node("Relu", ["H"], ["Y"])]
    whole = graph(nodes).SerializeToString()
    path = tmp_path / "broken.onnx"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(cr.FileFormatError, match="broken one"):
        cr.from_onnx(path)
    places = np.random.default_rng(3).integers(len(whole), size=40)
    for place in places:
        path.write_bytes(whole[:place])
        with pytest.raises(cr.InputError):
            cr.from_onnx(path)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            net = cr.from_onnx(path)
        except cr.InputError:
            continue
        assert np.allclose(net.forward(X), by_onnxruntime(onnx.load(path), X), rtol=1e-3, equal_nan=True)


@pytest.mark.parametrize("shape", [[1 << 40, 1 << 20], [4, 7], [-4, -6]])
def test_a_tensor_that_says_another_size_than_it_has(shape, tmp_path):
    model = graph([node("MatMul", ["X", "W1"], ["Y"])])
    (tensor,) = model.graph.initializer
    tensor.dims[:] = shape
    path = tmp_path / "large.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(cr.FileFormatError, match="the numbers 'W1' are broken"):
        cr.from_onnx(path)


def test_numbers_in_a_file_beside_it(tmp_path):
    model = graph([node("MatMul", ["X", "W1"], ["Y"])])
    path = tmp_path / "net.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location="net.data", size_threshold=0)
    assert np.array_equal(cr.from_onnx(path).parameters["dense_1.W"], W1)
    with pytest.raises(cr.ArgumentError, match="lie in another file"):
        cr.from_onnx(onnx.load(path, load_external_data=False))
    (tmp_path / "net.data").unlink()
    with pytest.raises(cr.FileFormatError, match="numbers lie in another file"):
        cr.from_onnx(path)


def test_numbers_in_a_file_elsewhere_are_not_read(tmp_path):
    model = graph([node("MatMul", ["X", "W1"], ["Y"])])
    (tmp_path / "inner").mkdir()
    path = tmp_path / "inner" / "net.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location="net.data", size_threshold=0)
    (tmp_path / "inner" / "net.data").rename(tmp_path / "secret.data")
    changed = onnx.load(path, load_external_data=False)
    changed.graph.initializer[0].external_data[0].value = "../secret.data"
    path.write_bytes(changed.SerializeToString())
    with pytest.raises(cr.FileFormatError, match="numbers lie in another file"):
        cr.from_onnx(path)


def test_sizes_that_a_small_file_only_says():
    """Rows at a time, inputs, and a scaling that would become a matrix: nothing of that size is made."""
    product = node("Gemm", ["X", "W1", "b1"], ["Y"])
    with pytest.raises(cr.ArgumentError, match="at most 16,384 rows at a time"):
        cr.from_onnx(graph([product], batch=1 << 40))
    scaled = [node("Mul", ["X", "two"], ["A"]), node("Mul", ["A", "two"], ["B"]), node("Gemm", ["B", "W1"], ["Y"])]
    for nodes in ([product], scaled):
        with pytest.raises(cr.ShapeError, match="its inputs: expected at most one for each of its"):
            cr.from_onnx(graph(nodes, {"two": np.float32(2)}, width=1 << 40))
    norm = [node("ReduceMean", ["X"], ["m"], axes=[-1]), node("Sub", ["X", "m"], ["A"]), *scaled[2:]]
    with pytest.raises(cr.ArgumentError, match="it branches: ReduceMean, Sub"):
        cr.from_onnx(graph(norm, width=1 << 40, opset=17))
    wide = [node("MatMul", ["X", "V"], ["A"]), node("Relu", ["A"], ["B"]), node("Mul", ["B", "g"], ["Y"])]
    with pytest.raises(cr.ArgumentError, match="a scaling of 60,000 features beside no dense layer"):
        cr.from_onnx(graph(wide, {"V": np.ones((4, 60_000), "f4"), "g": np.ones(60_000, "f4")}))


def test_numbers_that_overflow_together(recwarn):
    nodes = [FIRST, *(node("Mul", [f"H{i or ''}", "two"], [f"H{i + 1}"]) for i in range(200))]
    with pytest.raises(cr.ArgumentError, match="computes something else than its parameters say"):
        cr.from_onnx(graph([*nodes, node("Relu", ["H200"], ["Y"])], {"two": np.float32(2)}))
    assert not recwarn.list
