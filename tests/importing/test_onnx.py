from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper
from tests.importing.checking import became, check_every_insight
from tests.importing.graphs import W1, X, b1, by_onnxruntime, check_the_same, graph, node, rng

import chainrule as cr

NODES = {
    "Relu": node("Relu", ["H"], ["Y"]),
    "Sigmoid": node("Sigmoid", ["H"], ["Y"]),
    "Tanh": node("Tanh", ["H"], ["Y"]),
    "LeakyRelu": node("LeakyRelu", ["H"], ["Y"], alpha=0.3),
    "LeakyRelu's own": node("LeakyRelu", ["H"], ["Y"]),
    "Elu": node("Elu", ["H"], ["Y"], alpha=0.7),
    "Selu": node("Selu", ["H"], ["Y"]),
    "Softplus": node("Softplus", ["H"], ["Y"]),
    "Softmax": node("Softmax", ["H"], ["Y"], axis=1),
    "Gelu": node("Gelu", ["H"], ["Y"], approximate="tanh"),
    "Identity": node("Identity", ["H"], ["Y"]),
    "Flatten": node("Flatten", ["H"], ["Y"]),
    "Dropout": node("Dropout", ["H"], ["Y"]),
    "Cast": node("Cast", ["H"], ["Y"], to=TensorProto.FLOAT),
    "BatchNormalization": node("BatchNormalization", ["H", "gamma", "beta", "mean", "variance"], ["Y"], epsilon=0.01),
    "LayerNormalization": node("LayerNormalization", ["H", "gamma", "beta"], ["Y"], epsilon=0.01),
    "LayerNormalization without a shift": node("LayerNormalization", ["H", "gamma"], ["Y"]),
    "Add": node("Add", ["gamma", "H"], ["Y"]),
    "Sub": node("Sub", ["H", "gamma"], ["Y"]),
    "Sub from": node("Sub", ["gamma", "H"], ["Y"]),
    "Mul": node("Mul", ["H", "gamma"], ["Y"]),
    "Div": node("Div", ["H", "gamma"], ["Y"]),
}


@pytest.mark.parametrize("name", NODES)
def test_each_node_computes_the_same(name):
    check_the_same(graph([node("Gemm", ["X", "W1", "b1"], ["H"]), NODES[name]]))


@pytest.mark.parametrize("name", ["Add", "Sub from", "Mul", "Div"])
def test_a_scaling_beside_no_dense_layer(name):
    """Behind an activation it is a layer of its own, before a dense layer it is folded into that."""
    begin = [node("Gemm", ["X", "W1", "b1"], ["A"]), node("Tanh", ["A"], ["H"])]
    alone = check_the_same(graph([*begin, NODES[name]]))
    assert alone.report.layers[-1].became == "dense_2, a layer of its own"
    assert alone.layers[1].frozen == ("W", "b")
    scaling = node(NODES[name].op_type, list(NODES[name].input), ["S"])
    folded = check_the_same(graph([*begin, scaling, node("MatMul", ["S", "W2"], ["Y"])]))
    assert len(folded.layers) == 2
    assert folded.report.layers[2].became == "folded into dense_2.W and dense_2.b"


@pytest.mark.parametrize("attributes", [{}, {"alpha": 0.5, "beta": 2.0}, {"transB": 1}])
def test_gemm_in_every_form(attributes):
    constants = {"W1": W1.T.copy()} if "transB" in attributes else {}
    check_the_same(graph([node("Gemm", ["X", "W1", "b1"], ["Y"], **attributes)], constants))
    check_the_same(graph([node("Gemm", ["X", "W1"], ["Y"], **attributes)], constants))
    check_the_same(graph([node("Gemm", ["X", "W1", "b1"], ["Y"], **attributes)], constants | {"b1": b1[:1]}))


def test_matmul_and_add_are_one_layer():
    nodes = [
        node("MatMul", ["X", "W1"], ["A"], name="product"),
        node("Add", ["b1", "A"], ["B"], name="bias"),
        node("Relu", ["B"], ["C"], name="bend"),
        node("MatMul", ["C", "W2"], ["Y"], name="last"),
    ]
    net = check_the_same(graph(nodes))
    assert became(net) == {
        "MatMul product": "dense_1",
        "Add bias": "folded into dense_1.W and dense_1.b",
        "Relu bend": "dense_1: relu",
        "MatMul last": "dense_2",
    }
    assert np.array_equal(net.parameters["dense_1.W"], W1)
    assert np.array_equal(net.parameters["dense_1.b"], b1)
    assert net.layers[1].bias is False


def test_numbers_that_stand_in_nodes():
    nodes = [
        node("Constant", [], ["K"], value=numpy_helper.from_array(W1.T.copy())),
        node("Transpose", ["K"], ["W"], perm=[1, 0]),
        node("Constant", [], ["two"], value_float=2.0),
        node("Identity", ["b1"], ["b"]),
        node("Gemm", ["X", "W", "b"], ["H"]),
        node("Mul", ["H", "two"], ["Y"]),
    ]
    check_the_same(graph(nodes))


def test_the_logarithm_of_a_softmax_is_left_to_the_loss():
    net = cr.from_onnx(graph([node("MatMul", ["X", "W1"], ["H"]), node("LogSoftmax", ["H"], ["Y"])]))
    original = by_onnxruntime(graph([node("MatMul", ["X", "W1"], ["H"]), node("LogSoftmax", ["H"], ["Y"])]), X)
    assert np.allclose(np.log(net.forward(X)), original, atol=1e-5)
    assert net.loss.name == "cross_entropy"
    assert "softmax" in net.report.notes[0]
    nodes = [node("LogSoftmax", ["X"], ["H"]), node("MatMul", ["H", "W1"], ["Y"])]
    with pytest.raises(cr.ArgumentError, match="LogSoftmax is supported as the last layer alone"):
        cr.from_onnx(graph(nodes))


@pytest.mark.parametrize("batch", [1, 7, 100])
def test_a_graph_of_a_fixed_number_of_rows(batch):
    nodes = [node("Gemm", ["X", "W1", "b1"], ["H"]), node("Reshape", ["H", "shape"], ["Y"])]
    model = graph(nodes, {"shape": np.array([batch, 6])}, batch=batch)
    rows = np.resize(X, (batch, 4))
    check_the_same(model, rows)


def test_float64_stays_float64():
    nodes = [node("Gemm", ["X", "W1", "b1"], ["H"]), node("Tanh", ["H"], ["Y"])]
    model = graph(nodes, {"W1": W1.astype("f8"), "b1": b1.astype("f8")}, kind=TensorProto.DOUBLE)
    net = cr.from_onnx(model)
    assert net.dtype == "float64"
    assert np.allclose(net.forward(X), by_onnxruntime(model, X.astype("f8")), rtol=1e-12, atol=1e-14)


def test_logits_become_probabilities_for_a_loss_that_takes_them():
    model = graph([node("Gemm", ["X", "W1", "b1"], ["Y"])])
    net = cr.from_onnx(model, loss="cross_entropy")
    E = np.exp(by_onnxruntime(model, X).astype("f8"))
    assert np.allclose(net.forward(X), E / E.sum(axis=1, keepdims=True), rtol=1e-4)
    assert "softmax was added" in net.report.notes[0]
    assert cr.from_onnx(model).loss.name == "mean_squared_error"
    assert cr.from_onnx(model, loss="binary_cross_entropy").layers[-1].f.name == "sigmoid"


def test_a_gelu_of_the_other_form_is_taken_only_when_asked_for():
    model = graph([node("Gemm", ["X", "W1", "b1"], ["H"]), node("Gelu", ["H"], ["Y"])])
    with pytest.raises(cr.ArgumentError, match=r"node 1, Gelu: .*approximate_gelu=True"):
        cr.from_onnx(model)
    net = cr.from_onnx(model, approximate_gelu=True)
    assert 1e-5 < net.report.difference < 5e-4
    assert not net.report.exact
    assert str(net.report).splitlines()[2].startswith("It computes nearly what the original does")


def test_every_insight_works_on_it():
    nodes = [
        node("Gemm", ["X", "W1", "b1"], ["A"]),
        node("Tanh", ["A"], ["B"]),
        node("Gemm", ["B", "W2", "b2"], ["C"]),
        node("Softmax", ["C"], ["Y"]),
    ]
    net = cr.from_onnx(graph(nodes))
    rows = rng.normal(size=(60, 4)).astype("f4")
    check_every_insight(net, rows, net.predict(rows))


def op(text, **attributes):
    """``"Add A B -> Y"`` as a node."""
    (kind, *inputs), (output,) = (side.split() for side in text.split("->"))
    return node(kind, inputs, [output], **attributes)


def exported(layers, path, *, dtype="float32"):
    """A network of ours with some training behind it, and what comes back of it."""
    net = cr.Network([*layers, cr.Dense(3, "softmax")], dtype=dtype)
    net.fit(X, np.arange(10) % 3, epochs=2)
    net.export(path / "net.onnx")
    return net, cr.from_onnx(path / "net.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_networks_of_ours_come_back_as_they_were(tmp_path, dtype):
    """Of a float64 network most activations and the norms are written out in single nodes."""
    kept = ["sigmoid", "tanh", "relu", cr.activations.LeakyReLU(0.3), cr.activations.ELU(0.7), "selu", "gelu", "silu"]
    layers = [cr.Dense(5, f) for f in [*kept, "softplus", "exp", "softmax"]]
    net, back = exported([*layers, cr.LayerNorm(epsilon=0.01), cr.Dense(4)], tmp_path, dtype=dtype)
    assert [layer.f for layer in back.layers if isinstance(layer, cr.Dense)] == [
        layer.f for layer in net.layers if isinstance(layer, cr.Dense)
    ]
    assert [type(layer) for layer in back.layers] == [type(layer) for layer in net.layers]
    assert back.layers[-3].epsilon == 0.01
    assert all(np.allclose(back.parameters[name], net.parameters[name], rtol=1e-6) for name in net.parameters)
    assert np.allclose(back.forward(X), net.forward(X), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scalings_of_ours_are_folded(tmp_path, dtype):
    """What is a scaling in the graph: 1.7159 and 2/3, and the norm of a batch in float64."""
    net, back = exported([cr.Dense(4, "scaled_tanh"), cr.BatchNorm(), cr.Dropout(0.5)], tmp_path, dtype=dtype)
    assert np.allclose(back.forward(X), net.forward(X), rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shortcuts_of_ours_come_back(tmp_path, dtype):
    inner = cr.Residual([cr.Dense(4, "silu"), cr.Residual([cr.Dense(4, "tanh"), cr.LayerNorm()])])
    first = cr.Residual([cr.Residual([cr.Dense(4, "softplus")]), cr.Activation("relu")])
    net, back = exported([first, inner, cr.Activation("relu"), cr.Residual([cr.Dense(4)])], tmp_path, dtype=dtype)
    assert list(back.parameters) == list(net.parameters)
    assert all(np.allclose(back.parameters[name], net.parameters[name], rtol=1e-6) for name in net.parameters)
    assert np.allclose(back.forward(X), net.forward(X), rtol=1e-6)
    here = [layer.became for layer in back.report.layers]
    assert "residual_2.residual_1.layer_norm_1" in " ".join(here)
    assert here.index("residual_2.dense_1") < here.index("residual_2.residual_1") < here.index("residual_2")
    nowhere = [layer for layer in back.report.layers if layer.difference is None]
    assert all("folded" in layer.became or "nodes to" in layer.name for layer in nowhere)  # a norm without its gamma


def test_a_shortcut():
    nodes = [
        op("Gemm X W1 b1 -> A"),
        op("Tanh A -> B"),
        op("Mul B gamma -> C"),  # a scaling before a shortcut is a layer of its own, one inside is folded
        op("Mul C beta -> D"),
        op("Gemm D V -> E"),
        op("Relu E -> F"),
        op("Add F C -> G", name="meet"),
        op("Gemm G W2 b2 -> H"),
        op("Softmax H -> Y"),
    ]
    net = check_the_same(graph(nodes, {"V": rng.normal(size=(6, 6)).astype("f4")}))
    assert [layer.kind for layer in net.layers] == ["dense", "dense", "residual", "dense"]
    told = became(net)
    assert (told["Add meet"], told["Relu"], told["Mul"]) == (
        "residual_1",
        "residual_1.dense_1: relu",
        "folded into residual_1.dense_1.W and residual_1.dense_1.b",
    )
    rows = rng.normal(size=(60, 4)).astype("f4")
    check_every_insight(net, rows, net.predict(rows))


def test_shortcuts_within_shortcuts_have_an_end():
    """Adds that all take the rows, one around the other."""
    nodes = [op("Gemm X V -> A0"), *(op(f"Add A{i} X -> A{i + 1}") for i in range(40)), op("Relu A40 -> Y")]
    with pytest.raises(cr.ArgumentError, match="it branches"):
        cr.from_onnx(graph(nodes, {"V": np.eye(4, dtype="f4")}))
    few = [op("Gemm X V -> A0"), *(op(f"Add A{i} X -> A{i + 1}") for i in range(3)), op("Relu A3 -> Y")]
    check_the_same(graph(few, {"V": np.eye(4, dtype="f4")}))


PRODUCT = op("MatMul X W1 -> A")


def test_an_output_beside_labels_is_found():
    nodes = [PRODUCT, op("Softmax A -> Y"), op("ArgMax A -> Y1", axis=1, keepdims=0)]
    model = graph(nodes, outputs=2)
    model.graph.output[1].type.tensor_type.elem_type = TensorProto.INT64
    net = cr.from_onnx(model)
    assert np.allclose(net.forward(X), by_onnxruntime(model, X), rtol=1e-5)
    assert net.report.notes == ("The output Y1 stays behind.",)
    with pytest.raises(cr.ArgumentError, match="several outputs"):
        cr.from_onnx(graph(nodes, outputs=2))
    logits = cr.from_onnx(model, output="A")
    assert logits.layers[0].f.name == "identity"
    with pytest.raises(cr.ArgumentError, match="output: no node gives 'Z'"):
        cr.from_onnx(model, output="Z")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, {"zipmap": False}], ids=["by label", "as a matrix"])
def test_what_skl2onnx_writes(options):
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    labels = np.arange(len(X)) % 3
    several = make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=5)).fit(X, labels)
    net = cr.from_onnx(to_onnx(several, X, options=options or None))
    assert np.allclose(net.forward(X), several.predict_proba(X), atol=1e-5)
    assert net.report.layers[0].became == "folded into dense_1.W and dense_1.b"
    two = MLPClassifier((5,), max_iter=5).fit(X, labels > 0)
    model = to_onnx(two, X, options=options or None)
    with pytest.raises(cr.ArgumentError, match="output='out_activations_result', in Python, ends it there"):
        cr.from_onnx(model)
    net = cr.from_onnx(model, output="out_activations_result")
    assert np.allclose(net.forward(X)[:, 0], two.predict_proba(X)[:, 1], atol=1e-5)
    value = MLPRegressor(hidden_layer_sizes=(5, 4), max_iter=5).fit(X, X[:, 0])
    assert np.allclose(cr.from_onnx(to_onnx(value, X)).forward(X)[:, 0], value.predict(X), atol=1e-5)


HALF, WHOLE = np.ones((4, 3), "f2"), np.ones((4, 3), "i8")
NAN, INFINITE = np.full((4, 3), np.nan, "f4"), np.full(6, np.inf, "f4")
REFUSED = {
    "an operator": ([PRODUCT, op("Conv A W2 -> Y", name="c")], {}, "node 1, Conv 'c', is not supported"),
    "another domain": ([op("Relu X -> Y", domain="mine")], {}, "mine::Relu, is not supported"),
    "a branch": (
        [op("Relu X -> A"), op("Tanh X -> B"), op("Add A B -> Y")],
        {},
        "it branches: Relu, Tanh all take",
    ),
    "a shortcut that multiplies": (
        [PRODUCT, op("Relu A -> B"), op("Mul A B -> Y")],
        {},
        "it branches: Relu, Mul all take 'A'",
    ),
    "a shortcut past nothing with weights": ([op("Relu X -> A"), op("Add A X -> Y")], {}, "no layer with weights"),
    "a shortcut past another width": (
        [PRODUCT, op("MatMul A W2 -> B"), op("Add A B -> Y")],
        {},
        r"Add: residual: layers inside: expected outputs of the shape of the inputs \(6,\), got \(3,\)",
    ),
    "an operator beside a shortcut": (
        [PRODUCT, op("Conv A W2 -> B", name="c"), op("Add A B -> Y")],
        {},
        "node 1, Conv 'c', is not supported",
    ),
    "an end beside a shortcut": ([PRODUCT, op("Relu A -> B"), op("Add A C -> Y")], {}, "nothing takes the values 'B'"),
    "rows added to themselves": ([PRODUCT, op("Add A A -> Y")], {}, "one must be the rows that the other begins with"),
    "a side way": ([op("MatMul X W1 -> Y"), op("Relu Y -> A")], {}, "Relu does not lie between"),
    "an island": ([op("MatMul X W1 -> Y"), op("Relu Z -> A")], {}, "Relu does not lie between"),
    "an end": ([op("Relu X -> A")], {}, "nothing takes the values 'A'"),
    "no weights": ([op("Relu X -> Y")], {}, "no layer with weights"),
    "over rows": ([op("Div b X -> A"), op("MatMul A W1 -> Y")], {"b": W1[:, 0]}, "rows over numbers"),
    "the weight first": ([op("MatMul W1 X -> Y")], {}, "input 1: expected numbers that stand"),
    "transposed rows": ([op("Gemm X W1 -> Y", transA=1)], {}, "transA"),
    "a cube": ([op("MatMul X C -> Y")], {"C": np.ones((2, 4, 3), "f4")}, "two axes"),
    "a vector": ([op("Gemm X c -> Y")], {"c": np.ones(4, "f4")}, "two axes"),
    "a bias of rows": ([op("Gemm X W1 b -> Y")], {"b": np.ones((6, 1), "f4")}, r"expected \(6,\)"),
    "another width": ([op("MatMul X W2 -> Y")], {}, r"MatMul: W: expected shape \(4, 3\), got \(6, 3\)"),
    "whole numbers": ([op("MatMul X C -> Y")], {"C": WHOLE}, "float32 or float64"),
    "half numbers": ([op("MatMul X C -> Y")], {"C": HALF}, "float32 or float64"),
    "NaN": ([op("MatMul X C -> Y")], {"C": NAN}, r"W holds nan at \[0, 0\]"),
    "infinity": ([PRODUCT, op("Add A C -> Y")], {"C": INFINITE}, r"Add: its numbers holds inf at \[0\]"),
    "columns": ([PRODUCT, op("Softmax A -> Y", axis=0)], {}, "axis: expected -1"),
    "another selu": ([PRODUCT, op("Selu A -> Y", alpha=1.0)], {}, "alpha and gamma"),
    "a fold of rows": ([PRODUCT, op("Reshape A s -> Y")], {"s": np.array([-1])}, "shape: expected rows"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_named(name):
    nodes, constants, words = REFUSED[name]
    with pytest.raises(cr.InputError, match=words):
        cr.from_onnx(graph(nodes, constants))
