"""From the outputs of the network to answers: classes with their probabilities, or values in the target's units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from chainrule.export.onnx.graph import Graph
    from chainrule.tables import ClassTarget, ValueTarget

PREDICTION, PROBABILITIES = "prediction", "probabilities"


def classes(graph: Graph, target: ClassTarget, Y: str, O: int) -> None:
    """Give out the label of each row ``(N,)`` and the probabilities ``(N, K)`` in the order of the classes."""
    at, K = PROBABILITIES, len(target.classes)
    if O == 1:
        P = graph.node("Concat", graph.node("Sub", graph.constant("one", 1.0), Y, at=at), Y, at=at, axis=1)
    else:
        P = graph.node("Div", Y, _total(graph, Y), at=at)
    best = graph.node("ArgMax", P, at=PREDICTION, axis=1, keepdims=0)
    labels = np.array(target.classes)
    label = graph.node("Gather", graph.constant("classes", labels, labels.dtype), best, at=PREDICTION)
    graph.output(label, PREDICTION, labels.dtype)
    graph.output(P, PROBABILITIES, graph.dtype, K)


def _total(graph: Graph, Y: str) -> str:
    """The sum of each row, 1 where it is 0."""
    one, zero = graph.constant("one", 1.0), graph.constant("zero", 0.0)
    total = graph.node("ReduceSum", Y, graph.constant("axis", [1], np.int64), at=PROBABILITIES)
    return graph.node("Where", graph.node("Greater", total, zero, at=PROBABILITIES), total, one, at=PROBABILITIES)


def values(graph: Graph, target: ValueTarget, Y: str) -> None:
    """Give out ``y * std + mean`` in float64, ``(N,)``."""
    at = PREDICTION
    wide = graph.cast(graph.node("Squeeze", Y, graph.constant("axis", [1], np.int64), at=at), np.float64, at=at)
    scaled = graph.node("Mul", wide, graph.constant("std", target.std, np.float64), at=at)
    graph.output(graph.node("Add", scaled, graph.constant("mean", target.mean, np.float64), at=at), at, np.float64)
