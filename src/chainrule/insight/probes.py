"""A parameter asked about: where it stands in a pass, its gradient, and the central difference of the loss by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.engines.interface import Data
from chainrule.errors import ArgumentError
from chainrule.insight import passes
from chainrule.layers import Activation
from chainrule.losses import Huber, MeanAbsoluteError, Quantile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Floats
    from chainrule.insight.passes import Change, Node
    from chainrule.insight.trace import Trace
    from chainrule.layers import Params
    from chainrule.objective import Objective

_STEP = 1e-5  # of the central difference, times the size of the number where that is above 1
_NAMED = 3  # kinks that are named one by one


class Probe(NamedTuple):
    """A central difference, and the kinks between its two points."""

    slope: float
    crossed: tuple[str, ...]


def parameter_names(trace: Trace) -> list[str]:
    """What `why` can be asked about: all parameters but running averages."""
    return [p.name for p in trace.objective.layout.parameters if p.kind != "state"]


def rows_of(trace: Trace, row: int | None) -> list[int]:
    """The rows of the batch that count.

    Raises:
        ArgumentError: for a row that is not there.
    """
    B = len(trace.batch.X)
    if row is None:
        return list(range(B))
    if isinstance(row, bool) or not isinstance(row, int | np.integer) or not 0 <= row < B:
        raise ArgumentError("row", where="why", expected=f"a row of the trace, 0 to {B - 1}, or None for all", got=row)
    return [int(row)]


def node_of(trace: Trace, layer: str, own: str) -> Node:
    """The node that has this parameter."""
    return next(n for n in trace.made.every_node() if n.name == layer and not n.inside and own in n.grads)


def check_alone(name: str, *, alone: bool) -> None:
    """Raise ArgumentError unless one entry was asked about."""
    if not alone:
        raise ArgumentError("paths are those of one entry", where="why", mend=f"Ask for one of {name}, such as [0, 0].")


def penalty_of(trace: Trace, name: str, row: int | None) -> Floats:
    """The slope of the penalties at each entry of the parameter; 0 for a single row, which has no share in them."""
    objective, layout = trace.objective, trace.objective.layout
    if row is not None or not objective.penalised:
        return np.zeros(layout.view(trace.theta, name).shape)
    return np.asarray(layout.view(objective.penalty(trace.theta)[1], name))


def gradient_of(trace: Trace, node: Node, own: str, name: str, rows: list[int], row: int | None) -> Floats:
    """What the backward pass gives: the gradient of training, or the share of one row in it."""
    layout = trace.objective.layout
    parameter = next(p for p in layout.parameters if p.name == name)
    if row is None and parameter.trainable:
        return np.asarray(layout.view(trace.gradient, name))
    dY = np.zeros_like(node.dY)
    dY[rows] = node.dY[rows]
    _, grads = node.layer.backward(node.params, node.saved, dY, want_dX=False)
    return np.asarray(grads[own])


# ---- central differences --------------------------------------------------------------------------------------------


def central(trace: Trace, node: Node, name: str, entry: int, row: int | None) -> Probe:
    """``(L(w + h) - L(w - h)) / 2h`` in float64; for one row, w moves in that row alone."""
    objective = trace.objective
    theta = trace.theta.astype(np.float64)
    X, T, weights = trace.batch
    wide = np.float64
    batch = Data(X.astype(wide), T.astype(wide), None if weights is None else weights.astype(wide))
    place = objective.layout.place(name).start + entry
    path = next(p.path for p in objective.layout.parameters if p.name == name)[:-1]
    h = _STEP * max(1.0, abs(float(theta[place])))
    values, sides = [], []
    for step in (h, -h):
        moved = theta.copy()
        moved[place] += step
        if row is None:
            nodes = passes.forward(objective, moved, batch.X, trace.mode)
            penalty = float(objective.penalty(moved)[0]) if objective.penalised and _trainable(objective, name) else 0.0
        else:
            change = _in_row(node, objective.layout.split(moved), path, row)
            nodes = passes.forward(objective, theta, batch.X, trace.mode, change)
            penalty = 0.0
        values.append(_loss(objective, nodes, batch) + penalty)
        sides.append(list(_sides(objective, nodes, batch)))
    return Probe((values[0] - values[1]) / (2 * h), tuple(_crossed(*sides)))


def _trainable(objective: Objective, name: str) -> bool:
    return next(p.trainable for p in objective.layout.parameters if p.name == name)


def _in_row(node: Node, params: Params, path: tuple[Any, ...], row: int) -> Change:
    """For a forward pass: one row of the node's output as other parameters of its layer would make it."""
    for key in path:
        params = params[key]

    def change(found: Node) -> Floats:
        if found.name != node.name or type(found.layer) is not type(node.layer):
            return found.Y
        Y = found.Y.copy()
        Y[row] = found.layer.forward(params, found.X, found.mode)[0][row]
        return Y

    return change


def _loss(objective: Objective, nodes: list[Node], batch: Data) -> float:
    """The loss that training differentiates, at the end of a forward pass."""
    _, loss = objective.trained
    outputs = nodes[-1].X if objective.fused else nodes[-1].Y
    return float(loss.value_and_gradient(outputs, batch.T, batch.weights)[0])


def noise(trace: Trace) -> float:
    """The rounding error of such a difference quotient: a few eps |L| / h."""
    eps = float(np.finfo(np.float64).eps)
    resolution = 4 * eps * max(abs(trace.loss), 1e-3) / _STEP
    return resolution if trace.theta.dtype == np.float64 else resolution + float(np.finfo(np.float32).eps)


# ---- kinks ----------------------------------------------------------------------------------------------------------


def _sides(objective: Objective, nodes: list[Node], batch: Data) -> Iterator[tuple[str, Any]]:
    """On which side of each kink every number is."""
    for node in passes.every(nodes):
        if isinstance(node.layer, Activation):
            for kink in node.layer.f.kinks:
                yield f"{node.name}, {node.layer.f.name} at {kink:g}", kink < node.X
    loss = objective.loss
    if isinstance(loss, MeanAbsoluteError):
        yield "the loss mean_absolute_error at y = t", nodes[-1].Y > batch.T
    if isinstance(loss, Quantile):
        yield "the loss quantile at y = t", nodes[-1].Y > batch.T
    if isinstance(loss, Huber):
        yield f"the loss huber at |y - t| = {loss.delta:g}", np.abs(nodes[-1].Y - batch.T) > loss.delta


def _crossed(plus: list[tuple[str, Any]], minus: list[tuple[str, Any]]) -> Iterator[str]:
    for (name, above), (_, below) in zip(plus, minus, strict=True):
        for row, *unit in np.argwhere(above != below).tolist()[:_NAMED]:
            yield f"{name}, row {row}, unit {', '.join(map(str, unit))}"


def at_kinks(trace: Trace, rows: list[int]) -> Iterator[str]:
    """What a person should know of this point: units that are off, dropped ones, numbers exactly at a kink."""
    for node in trace.made.every_node():
        if isinstance(node.layer, Activation) and node.layer.f.name == "relu":
            off = int(np.sum(node.X[rows] <= 0))
            if off:
                yield f"{node.name}: {off} of {node.X[rows].size} relu outputs are off (z <= 0), their slope is 0."
        if isinstance(node.layer, Activation) and any(np.any(node.X[rows] == kink) for kink in node.layer.f.kinks):
            yield f"{node.name}: a net input is exactly at the kink of {node.layer.f.name}: its slope is a choice."
        mask = getattr(node.saved, "mask", None)
        if mask is not None:
            dropped = int(np.sum(mask[rows] == 0))
            yield f"{node.name}: {dropped} of {mask[rows].size} numbers are dropped, the mask is 0 there."
