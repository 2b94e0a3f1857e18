"""The graph of a network or a model, checked by onnx and run by onnxruntime beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chainrule.errors import MissingExtraError

try:
    from chainrule.export.onnx import answers, layers
    from chainrule.export.onnx.checking import check_model, check_network
    from chainrule.export.onnx.columns import encoded
    from chainrule.export.onnx.graph import Graph
except ImportError as fault:
    raise MissingExtraError("ONNX", library=fault.name or "onnx", extra="onnx") from None

from chainrule.export.subject import Draft, Subject
from chainrule.layers import Sequence
from chainrule.tables import ClassTarget

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

    from chainrule.model import Model
    from chainrule.network import Network

_NETWORK = "The input X (N, I) and the output Y (N, O) are {}; N is free."
_MODEL = (
    "Each column is an input (N, 1) of its name: numbers as float64, NaN where missing; text as strings without blanks "
    "around them, empty where missing."
)


def make(subject: Subject, path: Path) -> Draft:
    """The ONNX file: of a model from raw columns to answers, of a network from ``X`` to ``Y``.

    Raises:
        ArgumentError: for a layer or a column that has no words in ONNX; names it.
        ExportError: when onnx finds it wrong, or onnxruntime computes something else.
    """
    if subject.model is None:
        graph = network_graph(subject.network, subject.name)
        check, note = check_network(subject, graph), _NETWORK.format(subject.network.dtype)
    else:
        graph = model_graph(subject.model, subject.name)
        check, note = check_model(subject, subject.model, graph), _MODEL
    return Draft(files={path.name: graph.SerializeToString()}, check=check, notes=(note,))


def network_graph(network: Network, name: str) -> onnx.ModelProto:
    """From ``X (N, I)`` to ``Y (N, O)``."""
    graph = Graph(network.dtype)
    (I,), (O,) = network.input_shape, network.objective.output_shape
    Y = outputs(graph, network, graph.input("X", network.dtype, I))
    graph.output(Y, "Y", network.dtype, O)
    known = {} if network.classes is None else {"classes": network.classes.tolist()}
    return graph.model(name, about=f"{network!r}: X (N, {I}) to Y (N, {O})", metadata=_metadata(known))


def model_graph(model: Model, name: str) -> onnx.ModelProto:
    """From raw columns, each ``(N, 1)``, to the prediction ``(N,)`` and, for classes, ``probabilities (N, K)``."""
    network, columns = model.network, model.columns
    graph = Graph(network.dtype)
    Y = outputs(graph, network, encoded(graph, columns))
    if isinstance(columns.target, ClassTarget):
        answers.classes(graph, columns.target, Y, network.objective.output_shape[0])
        known = {"target": columns.target.name, "classes": list(columns.classes)}
    else:
        answers.values(graph, columns.target, Y)
        known = {"target": columns.target.name}
    about = f"{columns.task} of {columns.target.name!r} from {len(columns.features)} columns"
    return graph.model(name, about=about, metadata=_metadata(known))


def outputs(graph: Graph, network: Network, X: str) -> str:
    """The outputs of the network for these inputs, as nodes."""
    params = network.objective.layout.split(network.theta)
    return layers.network(graph, Sequence(network.layers), params, network.input_shape, X)


def _metadata(known: dict[str, Any]) -> dict[str, str]:
    """What a file tells of itself, as JSON."""
    return {key: msgspec.json.encode(value).decode() for key, value in known.items()}
