"""ONNX graphs for the tests, and what onnxruntime makes of them."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import chainrule as cr

rng = np.random.default_rng(5)
W1, b1 = rng.normal(size=(4, 6)).astype("f4"), rng.normal(size=6).astype("f4")
W2, b2 = rng.normal(size=(6, 3)).astype("f4"), rng.normal(size=3).astype("f4")
SIX = {name: rng.uniform(0.5, 2, 6).astype("f4") for name in ("gamma", "beta", "mean", "variance")}
X = rng.normal(size=(10, 4)).astype("f4")

node = helper.make_node


def graph(nodes, constants=None, *, opset=20, batch="B", width=4, outputs=1, kind=TensorProto.FLOAT):
    """A model from `X` to `Y`."""
    known = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, **SIX} | (constants or {})
    used = {name for each in nodes for name in each.input}
    tensors = [numpy_helper.from_array(np.asarray(known[name]), name) for name in sorted(used & set(known))]
    rows = [helper.make_tensor_value_info("X", kind, [batch, width])]
    ends = [helper.make_tensor_value_info(f"Y{place or ''}", kind, None) for place in range(outputs)]
    made = helper.make_graph(nodes, "made", rows, ends, tensors)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def by_onnxruntime(model, rows):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"X": rows})[0]


def check_the_same(model, rows=X, **more):
    net = cr.from_onnx(model, **more)
    assert np.allclose(net.forward(rows), by_onnxruntime(model, rows), rtol=2e-5, atol=1e-6)
    return net


FIRST = node("Gemm", ["X", "W1", "b1"], ["H"])
