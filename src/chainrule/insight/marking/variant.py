"""A step with mistakes made on purpose: the passes of `chainrule.insight.passes`, open at every point.

Without mistakes it gives the numbers of the trace, which a test holds it to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule import optimizers
from chainrule.arrays import total
from chainrule.insight.marking.mistake import InapplicableError
from chainrule.insight.passes import Node, every, thawed
from chainrule.insight.quantities import backward_sections, forward_sections
from chainrule.layers import Activation, BatchNorm, Dense, Mode, Params, Residual
from chainrule.schedules import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainrule.arrays import Array, Floats
    from chainrule.engines.interface import Data
    from chainrule.insight.marking.mistake import Point, Slip
    from chainrule.insight.trace import Trace
    from chainrule.layers.composite import Composite
    from chainrule.objective import Objective
    from chainrule.optimizers import AnyStepper


class Start(NamedTuple):
    """From where a step goes.

    Attributes:
        objective: what is minimised.
        theta: ``(P,)``.
        batch: inputs, targets and weights of the rows.
        mode: training or prediction.
        optimizer: that takes the step; None for passes alone.
        after: theta after the right step, for the state of layers that keep averages.
    """

    objective: Objective
    theta: Floats
    batch: Data
    mode: Mode
    optimizer: AnyStepper | None = None
    after: Floats | None = None

    @classmethod
    def of(cls, trace: Trace) -> Start:
        """That of a trace."""
        step = trace.update
        optimizer, after = (None, None) if step is None else (step.optimizer, step.theta)
        return cls(trace.objective, trace.theta, trace.batch, trace.mode, optimizer, after)


class Variant:
    """Forward, loss, backward and update with these slips.

    Attributes:
        start: from where.
        nodes: in the order of the forward pass.
        numbers: by the names of the trace; what no mistake can change is left out.
        gradient: of the objective, ``(P,)``.
        rate: of learning.
        taken: the gradient as the optimiser takes it.
        slots: of the optimiser, after the step.
        t: the number of the step, 1 for the first.
    """

    def __init__(
        self, start: Start, slips: tuple[Slip, ...] = (), *, t: int = 1, slots: dict[str, Floats] | None = None
    ) -> None:
        self.start: Start = start
        self.slips, self.t, self.slots = slips, t, slots
        self.numbers: dict[str, Array] = {}
        self._misshapen: dict[str, Array] = {}
        self.rate: float = self._rate()
        self.taken: Array = None
        with np.errstate(all="ignore"):  # a mistake may well overflow
            self.nodes: list[Node] = self.forward(start.theta)
            self.dense: list[Node] = [node for node in every(self.nodes) if isinstance(node.layer, Dense)]
            self.put_losses("", start.theta)
            self.backward()
            if start.optimizer is not None:
                self.update(start.optimizer)

    # ---- what the mistakes ask --------------------------------------------------------------------------------------

    @property
    def B(self) -> int:  # noqa: N802 -- the shape letters' own case
        """The number of rows."""
        return len(self.start.batch.X)

    @property
    def last(self) -> Node:
        """The node that gives the outputs."""
        return self.nodes[-1]

    def activation_of(self, dense: Node) -> Node:
        """The activation behind the product of a dense layer."""
        return next(n for n in every(self.nodes) if n.name == dense.name and isinstance(n.layer, Activation))

    def neighbour(self, node: Node, by: int) -> Node | None:
        """The dense layer so many places on, None past the ends."""
        names = [other.name for other in self.dense]
        place = names.index(node.name) + by if node.name in names else -1
        return self.dense[place] if 0 <= place < len(names) else None

    def is_pair(self, node: Node) -> bool:
        """Whether this activation and the loss are one function."""
        return self.start.objective.fused and node is self.last

    def updated(self, name: str, gradient: Floats) -> Floats:
        """A parameter after its own update by this gradient of the loss; KeyError where there is no optimiser."""
        if self.start.optimizer is None:
            raise KeyError(name)
        layout, theta = self.start.objective.layout, self.start.theta
        g = np.zeros_like(theta)
        layout.view(g, name)[...] = gradient
        if self.start.objective.penalised:
            g = g + self.start.objective.penalty(theta)[1]
        change, _ = self._change(self.start.optimizer, g, self.rate)
        return layout.view(theta + change, name)  # type: ignore[no-any-return] # an array, as theta is

    def _at(self, point: Point, node: Node | None, right: Any) -> Any:
        """What stands at this point: what is right, unless a slip was made."""
        for slip in self.slips:
            change = slip.mistake.changes.get(point)
            if change is None or not slip.touches(None if node is None else node.name):
                continue
            try:
                right = change(self, node, right)
            except InapplicableError:
                if slip.layers is None or len(slip.layers) == 1:
                    raise
        return right

    # ---- forward ----------------------------------------------------------------------------------------------------

    def forward(self, theta: Floats) -> list[Node]:
        """The nodes of a forward pass with these parameters."""
        objective, X, mode = self.start.objective, self.start.batch.X, self.start.mode
        return self._nodes(objective.network, "", objective.layout.split(theta), X, mode)

    def _nodes(self, around: Composite, prefix: str, params: Params, X: Floats, mode: Mode) -> list[Node]:
        nodes: list[Node] = []
        for index, (name, spec, _) in enumerate(around.named(X.shape[1:])):
            own = mode.child(index) if spec.random and mode.training else mode
            for part in spec.elementary():
                layer, given = thawed(part), params.get(index, {})
                Y, saved = layer.forward(given, X, own)
                node = Node(prefix + name, layer, spec, given, own, X, Y, saved)
                if isinstance(part, Residual):
                    node.inside = self._nodes(part, f"{node.name}.", given, X, own)
                    node.Y = self._at("sum", node, X + node.inside[-1].Y)
                elif isinstance(part, Dense | Activation):
                    node.Y = self._at("Z" if isinstance(part, Dense) else "Y", node, Y)
                else:
                    node.Y, node.saved = self._at("layer", node, (Y, saved))
                nodes.append(node)
                X = node.Y
        return nodes

    # ---- loss -------------------------------------------------------------------------------------------------------

    def _weights(self, point: Point) -> Floats | None:
        """Those of the rows, where there are any."""
        weights = self.start.batch.weights
        return None if weights is None else self._at(point, None, weights)

    def _scale(self, point: Point) -> Any:
        """The factor of each row, ``w_i / B`` or ``w_i``."""
        weights = self._weights(point)
        scale = 1 / self.B if self.start.objective.loss.reduction == "mean" else 1.0
        return scale * (np.ones(self.B) if weights is None else weights)

    def put_losses(self, ending: str, theta: Floats) -> None:
        """The loss with its parts, under names with this ending."""
        objective, T = self.start.objective, self.start.batch.T
        nodes = self.nodes if not ending else self.forward(theta)
        last, given = nodes[-1], objective.loss
        pair = objective.fused and bool(np.array_equal(last.layer.f.value(last.X), last.Y))  # type: ignore[attr-defined] # fused: an activation
        rows, _ = objective.trained[1].rows(last.X, T) if pair else given.rows(last.Y, T)
        rows = self._at("rows", last, rows)
        found = {"loss.terms": given.terms(last.Y, T), "loss.rows": rows}
        found["loss"] = self._at("loss", last, total(rows * self._scale("loss weights")))
        if objective.penalised:
            found["penalty"] = self._at("penalty", None, objective.penalty(theta)[0])
        if objective.penalised or not ending:
            found["objective"] = found["loss"] + found.get("penalty", 0.0)
        kept = found if not ending else {name: found[name] for name in found if not name.startswith("loss.")}
        self.numbers |= {name + ending: np.asarray(values) for name, values in kept.items()}

    # ---- backward ---------------------------------------------------------------------------------------------------

    def backward(self) -> None:
        """Hand the error back through the nodes, and put all of both passes under its names."""
        objective, T = self.start.objective, self.start.batch.T
        last = self.last
        _, dY = objective.loss.value_and_gradient(last.Y, T, self._weights("error weights"))
        dY = self._at("error", last, dY)
        if objective.fused:  # softmax and sigmoid alike: the slope and the 1/y cancel
            dZ = self._at("error", last, (last.Y - T) * self._scale("error weights")[:, None])
            last.dY = dY
            last.dX = self._at("pair", last, dZ)
            self._back(self.nodes[:-1], last.dX)
        else:
            self._back(self.nodes, dY)
        penalty = self._gather()
        layout = objective.layout
        for section in forward_sections(self.nodes):
            self.numbers |= {q.name: q.values for q in section.quantities}
        for section in backward_sections(self.nodes, "", layout, self.gradient, penalty):
            self.numbers |= {q.name: q.values for q in section.quantities}
        self.numbers |= self._misshapen

    def _back(self, nodes: list[Node], dY: Floats) -> Floats:
        for node in reversed(nodes):
            node.dY = dY
            if isinstance(node.layer, Activation):
                node.dX = self._through_activation(node)
            elif isinstance(node.layer, Dense):
                self._through_product(node)
            elif node.inside:
                handed = self._at("into F", node, dY)
                node.dX = self._at("skip", node, handed + self._back(node.inside, handed))
            else:
                right = node.layer.backward(node.params, node.saved, dY, want_dX=True)
                node.dX, node.grads = self._at("through", node, right)
            dY = node.dX
        return dY

    def _through_activation(self, node: Node) -> Floats:
        f = node.layer.f  # type: ignore[attr-defined] # an Activation
        if not f.elementwise:
            return self._at("dZ", node, f.backward(node.X, node.Y, node.dY))  # type: ignore[no-any-return] # an array
        right = f.slope(node.X, node.Y)
        slope = self._at("slope", node, right)
        if slope is not right:
            self._misshapen[f"{node.name}.slope"] = slope
        return self._at("dZ", node, node.dY * slope)  # type: ignore[no-any-return] # an array

    def _through_product(self, node: Node) -> None:
        dZ, W = node.dY, node.params["W"]
        node.grads = {"W": self._at("dW", node, node.X.T @ dZ)}
        if "b" in node.params:
            node.grads["b"] = self._at("db", node, total(dZ, axis=0))
        node.dX = self._at("dX", node, dZ @ W.T)

    def _gather(self) -> Floats | None:
        """The gradient of the objective as one vector; the share of the penalties in it."""
        objective, theta = self.start.objective, self.start.theta
        layout = objective.layout
        gradient = np.zeros_like(theta)
        parameters = {parameter.name: parameter for parameter in layout.parameters}
        for node in every(self.nodes):
            for name, values in ({} if node.inside else node.grads).items():
                full = f"{node.name}.{name}"
                view = layout.view(gradient, full)
                if np.shape(values) != view.shape:  # the update broadcasts it, or adds row after row
                    self._misshapen[f"{node.name}.d{name}"] = values
                    values = _into(values, view.shape)  # noqa: PLW2901 -- from here on it has its shape
                if parameters[full].trainable:
                    view[...] = values
        penalty = None
        if objective.penalised:
            penalty = self._at("penalty slope", None, objective.penalty(theta)[1])
            gradient = gradient + penalty
        self.gradient: Array = gradient
        return penalty

    # ---- update -----------------------------------------------------------------------------------------------------

    def _rate(self) -> float:
        if self.start.optimizer is None:
            return 0.0
        plan = Plan(steps_per_epoch=1, epochs=1, batch_size=self.B)
        return float(np.asarray(self.start.optimizer.schedule.rates(np.zeros(1), plan))[0])

    def _change(self, optimizer: AnyStepper, g: Floats, rate: float) -> tuple[Floats, dict[str, Floats]]:
        layout, theta = self.start.objective.layout, self.start.theta
        slots = optimizer.slots(theta) if self.slots is None else self.slots
        weights = layout.weights(str(theta.dtype))
        change, new = optimizer.change(theta, g, slots, rate=rate, t=self.t, weights=weights)
        return change, new

    def update(self, optimizer: AnyStepper) -> None:
        """Slots, change and new numbers, and the loss after them."""
        layout, theta = self.start.objective.layout, self.start.theta
        g = self._at("gradient", None, self.gradient)
        limited = optimizer.clip_norm is not None or optimizer.clip_value is not None
        g = optimizers.clip(g, optimizer) if limited else g
        change, slots = self._change(optimizer, g, self._at("rate", None, self.rate))
        self.taken, self.slots = g, slots
        change = self._at("change", None, change)
        change = change * layout.trainable(str(theta.dtype))
        new = self._with_state(self._at("new", None, theta + change))
        steps = self._at("steps", None, 1) if self.t == 1 else 1
        if steps == 0:
            new = theta
        elif steps == 2:  # the same step again, from where the first has led
            second = Variant(self.start._replace(theta=new), self.slips, t=2, slots=slots)
            new = second.start.theta + second.change
        self.change: Floats = change
        self._put_update(change, slots, new, g if limited else None)
        if self.t == 1:
            self.put_losses(".new", new)

    def _with_state(self, new: Floats) -> Floats:
        """Running averages moved towards this batch; as the right step leaves them where none of it was used."""
        layout, after = self.start.objective.layout, self.start.after
        if after is None:
            return new
        for node in every(self.nodes):
            if not isinstance(node.layer, BatchNorm):
                continue
            right = {name: layout.view(after, f"{node.name}.{name}") for name in ("mean", "variance")}
            moved = right if node.saved.fixed else node.layer.new_state(node.params, node.saved)
            for name, values in self._at("state", node, moved).items():
                layout.view(new, f"{node.name}.{name}")[...] = values
        return new

    def _put_update(self, change: Floats, slots: Mapping[str, Floats], new: Floats, clipped: Floats | None) -> None:
        layout = self.start.objective.layout
        for parameter in layout.parameters:
            name = parameter.name
            self.numbers[f"{name}.new"] = layout.view(new, name)
            if parameter.kind == "state" or not parameter.trainable:
                continue
            self.numbers[f"{name}.change"] = layout.view(change, name)
            for slot, values in slots.items():
                self.numbers[f"{name}.{slot}"] = layout.view(values, name)
            if clipped is not None:
                layer, _, own = name.rpartition(".")
                self.numbers[f"{layer}.d{own}.clipped"] = layout.view(clipped, name)


def _into(values: Floats, shape: tuple[int, ...]) -> Floats:
    """Numbers of a wrong shape as NumPy would subtract them from a parameter; NaN where it could not."""
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        return np.full(shape, np.nan)
