"""Both passes over a batch, layer by layer, with everything kept that `forward` and `backward` gave.

The layers' own pairs are called, no other formula: the numbers are those of training, to the last bit. Layers that
are more than one function (dense: a product, then an activation) stand as their `elementary` ones, so that what lies
between, ``Z`` and ``dZ``, has a place of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.structs import replace

from chainrule.arrays import Floats
from chainrule.engines.interface import Data
from chainrule.layers import Layer, Mode, Params, Residual
from chainrule.layers.composite import Composite
from chainrule.losses import Loss
from chainrule.objective import Objective

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Change: TypeAlias = "Callable[[Node], Floats]"
"""What takes the place of the output of a node, before it goes on."""


@dataclass(eq=False)
class Node:
    """An elementary layer in a pass.

    Attributes:
        name: of the layer that it is, or is a part of: ``"dense_1"``, ``"residual_1.dense_2"``.
        layer: itself.
        spec: the layer as the person gave it.
        params: the arrays it takes, by name.
        X: what went in, ``(B, I)``.
        Y: what came out, ``(B, O)``.
        saved: what `forward` kept.
        inside: the nodes of a composite layer.
        dY: what came in on the way back.
        dX: what went out.
        grads: of its parameters, the frozen ones too.
        local: its local derivatives, once somebody has asked for them; see `chainrule.insight.local`.
    """

    name: str
    layer: Layer
    spec: Layer
    params: Params
    mode: Mode
    X: Floats
    Y: Floats
    saved: Any
    inside: list[Node] = field(default_factory=list)
    dY: Any = None
    dX: Any = None
    grads: dict[Any, Any] = field(default_factory=dict)
    local: Any = None

    def back(self, dY: Floats) -> Floats:
        """``dX`` of any ``dY``, at this point."""
        dX, _ = self.layer.backward(self.params, self.saved, dY, want_dX=True)
        return dX  # type: ignore[return-value] # an array, since it was wanted


@dataclass(eq=False)
class Pass:
    """Forward and backward over a batch.

    Attributes:
        nodes: in the order of the forward pass.
        loss: the loss that was differentiated: that of the fused pair where there is one.
        value: the loss of the batch.
        dY: dLoss/dY of the loss as given, by the outputs.
        by_jacobian: of a fused pair, what the activation's whole Jacobian makes of that dY.
    """

    objective: Objective
    batch: Data
    nodes: list[Node]
    loss: Loss
    value: Floats
    dY: Floats
    by_jacobian: Floats | None = None

    @property
    def Y(self) -> Floats:  # noqa: N802 -- the shape letters' own case
        """The outputs ``(B, O)``."""
        return self.nodes[-1].Y

    def every_node(self) -> Iterator[Node]:
        """All nodes, those inside others after them."""
        yield from every(self.nodes)


def every(nodes: list[Node]) -> Iterator[Node]:
    """All nodes, those inside others after them."""
    for node in nodes:
        yield node
        yield from every(node.inside)


def run(objective: Objective, theta: Floats, batch: Data, mode: Mode) -> Pass:
    """Forward and backward over a batch, in this mode."""
    nodes = forward(objective, theta, batch.X, mode)
    Y, (_, loss) = nodes[-1].Y, objective.trained
    _, dY = objective.loss.value_and_gradient(Y, batch.T, batch.weights)
    if not objective.fused:
        value, _ = loss.value_and_gradient(Y, batch.T, batch.weights)
        backward(nodes, dY)
        return Pass(objective, batch, nodes, loss, value, dY)
    last = nodes[-1]
    value, dZ = loss.value_and_gradient(last.X, batch.T, batch.weights)
    last.dY, last.dX = dY, dZ  # the pair is one function: its gradient goes past the activation
    backward(nodes[:-1], dZ)
    return Pass(objective, batch, nodes, loss, value, dY, last.back(dY))


def forward(objective: Objective, theta: Floats, X: Floats, mode: Mode, change: Change | None = None) -> list[Node]:
    """The nodes of a forward pass.

    Args:
        objective: its layers as the person gave them.
        theta: ``(P,)``.
        X: ``(B, I)``.
        mode: training or prediction.
        change: what may be done to the output of each node before it goes on.
    """
    return _forward(objective.network, "", objective.layout.split(theta), X, mode, change)


def _forward(
    around: Composite, prefix: str, params: Params, X: Floats, mode: Mode, change: Change | None
) -> list[Node]:
    nodes: list[Node] = []
    for index, (name, layer, _) in enumerate(around.named(X.shape[1:])):
        own = mode.child(index) if layer.random and mode.training else mode
        for part in layer.elementary():
            node = _node(part, layer, prefix + name, params.get(index, {}), X, own, change)
            nodes.append(node)
            X = node.Y
    return nodes


def _node(part: Layer, spec: Layer, name: str, params: Params, X: Floats, mode: Mode, change: Change | None) -> Node:
    layer = thawed(part)
    Y, saved = layer.forward(params, X, mode)
    node = Node(name, layer, spec, params, mode, X, Y, saved)
    if isinstance(part, Composite):
        node.inside = _forward(part, f"{name}.", params, X, mode, change)
    if change is not None:
        node.Y = X + node.inside[-1].Y if isinstance(part, Residual) else change(node)
    return node


def thawed(layer: Layer) -> Layer:
    """The layer with nothing frozen: what training leaves alone has a gradient all the same."""
    if isinstance(layer, Composite):
        return replace(layer, layers=tuple(thawed(inner) for inner in layer.layers))
    return replace(layer, frozen=()) if getattr(layer, "frozen", ()) else layer


def backward(nodes: list[Node], dY: Floats) -> None:
    """Hand dY back through the nodes, and write into each what came and what it made of it."""
    for node in reversed(nodes):
        node.dY = dY
        node.dX, node.grads = node.layer.backward(node.params, node.saved, dY, want_dX=True)
        if node.inside:
            backward(node.inside, dY)
        dY = node.dX
