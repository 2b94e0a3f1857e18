"""Our estimators inside scikit-learn's pipelines, for skl2onnx, which knows the other steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper

from chainrule.errors import MissingExtraError
from chainrule.export.onnx.graph import OPSET, Graph
from chainrule.export.onnx.making import outputs

if TYPE_CHECKING:
    from chainrule.network import Network

_OPTIONS = {"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True]}


def register_converters() -> None:
    """Let skl2onnx convert `chainrule.estimators` in pipelines; once in a program.

    Of float64 data skl2onnx's dictionaries of probabilities, its default, cannot be made (of scikit-learn's own
    classifiers neither): ask for an array, ``options={"zipmap": False}``.

    Raises:
        MissingExtraError: when skl2onnx is not installed.

    >>> register_converters()
    >>> from skl2onnx import to_onnx
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from chainrule.estimators import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), MLPClassifier(solver="lbfgs", alpha=1, max_iter=900)).fit(X, y)
    >>> [output.name for output in to_onnx(pipeline, X[:1], options={"zipmap": False}).graph.output]
    ['label', 'probabilities']
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError:
        raise MissingExtraError("The conversion of pipelines", library="skl2onnx", extra="skl2onnx") from None
    from chainrule.estimators import MLPClassifier, MLPRegressor

    update_registered_converter(MLPClassifier, "ChainruleMLPClassifier", _classes, _classifier, options=_OPTIONS)
    update_registered_converter(MLPRegressor, "ChainruleMLPRegressor", _values, _regressor)


def _classes(operator: Any) -> None:
    """The types of a classifier's labels ``(N,)`` and probabilities ``(N, K)``; of several labels at once both."""
    from skl2onnx.common.data_types import Int64TensorType
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

    calculate_linear_classifier_output_shapes(operator)
    if operator.raw_operator._several():  # noqa: SLF001 -- one of our own
        rows, K = operator.inputs[0].get_first_dimension(), len(operator.raw_operator.classes_)
        operator.outputs[0].type = Int64TensorType([rows, K])


def _values(operator: Any) -> None:
    """The type of a regressor's output ``(N, O)``: that of its input, where it holds fractions."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    given = operator.inputs[0]
    kind = DoubleTensorType if isinstance(given.type, DoubleTensorType) else FloatTensorType
    operator.outputs[0].type = kind([given.get_first_dimension(), operator.raw_operator.n_outputs_])


def _regressor(scope: Any, operator: Any, container: Any) -> None:
    """Values ``(N, O)``."""
    graph = Graph(operator.raw_operator.network_.dtype)
    _copy(graph, {_given_out(graph, operator, 0, _network(graph, operator)): 0}, scope, operator, container)


def _classifier(scope: Any, operator: Any, container: Any) -> None:
    """Labels ``(N,)``, or for each of several 0 or 1 ``(N, K)``, and probabilities ``(N, K)``."""
    estimator = operator.raw_operator
    network: Network = estimator.network_
    classes = np.asarray(estimator.classes_)
    graph = Graph(network.dtype)
    Y = _network(graph, operator)
    if network.objective.output_shape == (1,):
        Y = graph.node("Concat", graph.node("Sub", graph.constant("one", 1.0), Y, at="output"), Y, at="output", axis=1)
    if estimator._several():  # noqa: SLF001 -- one of our own
        label = graph.cast(graph.calculate("Greater", Y, 0.5, at="label"), np.int64, at="label")
    else:
        if estimator.out_activation_ != "softmax" and len(classes) > 2:
            axis = graph.constant("axis", [1], np.int64)
            Y = graph.node("Div", Y, graph.node("ReduceSum", Y, axis, at="output"), at="output")
        best = graph.node("ArgMax", Y, at="label", axis=1, keepdims=0)
        labels = graph.constant("classes", classes, str if classes.dtype.kind in "OU" else np.int64)
        label = graph.node("Gather", labels, best, at="label")
    _copy(graph, {label: 0, _given_out(graph, operator, 1, Y): 1}, scope, operator, container)


def _network(graph: Graph, operator: Any) -> str:
    """The outputs of the estimator's network for the operator's input, which may be of another number type."""
    network: Network = operator.raw_operator.network_
    graph.input("X", network.dtype, network.input_shape[0])
    return outputs(graph, network, graph.cast("X", network.dtype, at="input"))


def _given_out(graph: Graph, operator: Any, place: int, value: str) -> str:
    """The value in the type that skl2onnx declared for this output."""
    from skl2onnx.common.data_types import guess_proto_type

    number = guess_proto_type(operator.outputs[place].type)
    return graph.cast(value, helper.tensor_dtype_to_np_dtype(number), at=f"output_{place}")


def _copy(graph: Graph, given_out: dict[str, int], scope: Any, operator: Any, container: Any) -> None:
    """Put nodes and constants into skl2onnx's container, under names that are free there."""
    names = {"X": operator.inputs[0].full_name}
    names |= {value: operator.outputs[place].full_name for value, place in given_out.items()}
    for tensor in graph.constants:
        names[tensor.name] = scope.get_unique_variable_name(tensor.name)
        tensor.name = names[tensor.name]
        container.initializers.append(tensor)
    for node in graph.nodes:
        for value in node.output:
            names.setdefault(value, scope.get_unique_variable_name(value))
        container.add_node(
            node.op_type,
            [names[value] for value in node.input],
            [names[value] for value in node.output],
            op_version=OPSET,
            name=scope.get_unique_operator_name(node.name),
            **{each.name: helper.get_attribute_value(each) for each in node.attribute},
        )
