"""An arithmetic expression as a circuit: values forward, gradients backward, node by node."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule import checks
from chainrule.errors import ArgumentError
from chainrule.insight.circuits.drawing import MOST_DRAWN, draw
from chainrule.insight.circuits.expression import read
from chainrule.insight.circuits.graph import inside
from chainrule.insight.circuits.rules import OutOfDomain
from chainrule.insight.circuits.symbolic import Symbolic, symbolic_gradient
from chainrule.insight.circuits.telling import circuit_document
from chainrule.insight.differences import relative_error, ridders
from chainrule.insight.rendering import Explained
from chainrule.insight.rendering.numbers import DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainrule.insight.circuits.graph import Graph
    from chainrule.insight.rendering import Document

_MOST_EVALUATED = 5_000_000  # nodes, for all difference quotients together


class Share(NamedTuple):
    """What one operand gets of the gradient of a node.

    Attributes:
        operand: its name.
        formula: the local derivative, in the names of the circuit.
        local: its value.
        product: the gradient of the node times the local derivative.
    """

    operand: str
    formula: str
    local: float
    product: float


class Step(NamedTuple):
    """A node in the backward pass.

    Attributes:
        name: of the node.
        text: the operation, ``"v1 * z"``.
        rule: the name of the rule of differentiation.
        value: of the node.
        gradient: of the result with respect to this node.
        shares: of the operands that any input has a part in.
    """

    name: str
    text: str
    rule: str
    value: float
    gradient: float
    shares: tuple[Share, ...]


class Compared(NamedTuple):
    """The gradient with respect to an input beside its difference quotient.

    Attributes:
        name: of the input.
        value: of the input.
        gradient: by the backward pass.
        difference: from values alone; nan where they are not defined on both sides, or there are too many nodes.
        error: the relative error; nan likewise.
        uses: how many operands are this input: their shares are added.
    """

    name: str
    value: float
    gradient: float
    difference: float
    error: float
    uses: int


class Circuit(Explained):
    """An expression at a point; made by `circuit`.

    Attributes:
        expression: as it was written.
        inputs: their values, by name.
        value: of the result.
        gradient: of the result with respect to each input, by name.
        gradients: likewise of every node that any input has a part in.
        steps: the backward pass.
        kinks: where the derivative does not exist, and what was taken for it.
        derivatives: what `symbolic` has found, once it was asked.
    """

    derivatives: tuple[Symbolic, ...] = ()

    def __init__(self, expression: str, given: Mapping[str, Any]) -> None:
        self.graph = graph = read(expression)
        self.expression = " ".join(expression.split())
        self.inputs = _inputs(graph, given)
        self.locals = graph.forward(self.inputs)
        self.value = self.locals[graph.result].value
        gradients, self.steps = self._backward()
        self.gradients = {graph.names[n]: gradients[n] for n, node in enumerate(graph.nodes) if node.varies}
        self.gradient = {name: gradients[place] for name, place in graph.inputs.items()}
        self.kinks = tuple(
            f"{graph.names[place]} = {graph.text(place)}: {local.kink}"
            for place, local in enumerate(self.locals)
            if local.kink and gradients[place]
        )

    def symbolic(self) -> tuple[Symbolic, ...]:
        """The derivative with respect to each input as a formula, by SymPy; shown from then on.

        Raises:
            MissingExtraError: without SymPy.
            ArgumentError: for a circuit of more than 200 operations.
        """
        self.derivatives = symbolic_gradient(self)
        return self.derivatives

    def document(self, *, digits: int = DIGITS) -> Document:
        return circuit_document(self, digits=digits)

    def to_svg(self) -> str:
        """The graph as a drawing, complete in itself.

        Raises:
            ArgumentError: when it has too many nodes to be drawn.
        """
        if len(self.graph.nodes) > MOST_DRAWN:
            expected = f"at most {MOST_DRAWN} nodes for a drawing"
            raise ArgumentError("expression", where="circuit", expected=expected, got=len(self.graph.nodes))
        return draw(self)

    def data(self) -> dict[str, Any]:
        return {
            "expression": self.expression,
            "inputs": self.inputs,
            "value": self.value,
            "gradient": self.gradient,
            "values": self.values,
            "gradients": self.gradients,
            "backward": [
                {**step._asdict(), "shares": [share._asdict() for share in step.shares]} for step in self.steps
            ],
            "compared": [_without_nan(row._asdict()) for row in self.compared],
            "symbolic": [_without_nan(each._asdict()) for each in self.derivatives],
            "kinks": list(self.kinks),
        }

    @property
    def values(self) -> dict[str, float]:
        """Of every input and operation, by name, in the order of the forward pass."""
        graph = self.graph
        places = [n for n, node in enumerate(graph.nodes) if node.rule is not None or node.name]
        return {graph.names[n]: self.locals[n].value for n in places}

    @cached_property
    def compared(self) -> tuple[Compared, ...]:
        """Every input's gradient beside its difference quotient (`differences.ridders`)."""
        most = _MOST_EVALUATED // (24 * len(self.graph.nodes))
        uses = self.graph.uses()
        rows = []
        for n, (name, value) in enumerate(self.inputs.items()):
            slope, gradient = self._difference(name) if n < most else math.nan, self.gradient[name]
            error = math.nan if math.isnan(slope) else relative_error(gradient, slope)
            rows.append(Compared(name, value, gradient, slope, error, uses[self.graph.inputs[name]]))
        return tuple(rows)

    def _difference(self, name: str) -> float:
        value = self.inputs[name]

        def along(t: float) -> float:
            return self.graph.forward({**self.inputs, name: value + t})[self.graph.result].value

        for h in (0.1, 1e-3):  # the larger one may leave the domain: log near 0
            try:
                return ridders(along, h * (abs(value) or 1)).slope
            except ArgumentError:
                continue
        return math.nan

    def _backward(self) -> tuple[list[float], tuple[Step, ...]]:
        """From the result to the inputs: each node hands on its gradient times its local derivatives; shares add up."""
        graph = self.graph
        gradients, steps = [0.0] * len(graph.nodes), []
        gradients[graph.result] = 1.0
        for place in reversed(range(len(graph.nodes))):
            node = graph.nodes[place]
            if node.rule is None or not node.varies:
                continue
            shares = self._shares(place, gradients[place])
            for operand, share in shares.items():
                gradients[node.operands[operand]] += share.product
            name, value, told = graph.names[place], self.locals[place].value, tuple(shares.values())
            steps.append(Step(name, graph.text(place), node.rule.name, value, gradients[place], told))
        return gradients, tuple(steps)

    def _shares(self, place: int, gradient: float) -> dict[int, Share]:
        """What each operand gets, by its place among the operands; numbers get nothing."""
        graph, node = self.graph, self.graph.nodes[place]
        names = [graph.names[operand] for operand in node.operands]
        shares = {}
        for n, operand in enumerate(node.operands):
            if node.rule is not None and graph.nodes[operand].varies:
                slope = self._slope(place, n)
                formula = node.rule.formula(n, [inside(name) for name in names], graph.names[place])
                shares[n] = Share(names[n], formula, slope, gradient * slope)
        return shares

    def _slope(self, place: int, n: int) -> float:
        why = "its derivative is beyond the numbers of this machine"
        try:
            slope = float(self.locals[place].slopes[n]())
        except OutOfDomain as fact:
            slope, why = math.nan, str(fact)
        except (OverflowError, ZeroDivisionError):
            slope = math.inf
        if not math.isfinite(slope):
            raise self.graph.undefined(place, [self.locals[o].value for o in self.graph.nodes[place].operands], why)
        return slope


def circuit(expression: str, /, **inputs: float) -> Circuit:
    """An expression at a point, with its gradient by the chain rule, node by node; print the result.

    With f the result, the gradient df/dv of each node v is the sum over the nodes w that use v::

        df/dv = sum over w: df/dw * dw/dv        df/df = 1

    There are numbers, names, pi, ``+ - * / **``, parentheses, and exp, log, sin, cos, tanh, sigmoid, sqrt, relu, abs,
    min, max. Identical subexpressions are one node. Nothing is evaluated as code.

    Args:
        expression: such as ``"(x + y) * z"``; up to 200,000 operations and numbers.
        inputs: the value of each name in it.

    Returns:
        A `Circuit`: ``.value``, ``.gradient["x"]``, ``.steps`` of the backward pass, ``.compared`` with difference
        quotients.

    Raises:
        ArgumentError: for anything else in the expression, a name without a value, and numbers for which the
            expression or its derivative is not defined.

    >>> f = circuit("(x + y) * z", x=-2, y=5, z=-4)
    >>> f.value, f.gradient
    (-12.0, {'x': -4.0, 'y': -4.0, 'z': 3.0})
    """
    return Circuit(expression, inputs)


def _inputs(graph: Graph, given: Mapping[str, Any]) -> dict[str, float]:
    """The values of the inputs, in the order of the expression.

    Raises:
        ArgumentError: when one is missing, too many, or no finite number.
    """
    missing = [name for name in graph.inputs if name not in given]
    if missing:
        raise ArgumentError(
            f"no value is given for {', '.join(missing[:10])}{', …' if len(missing) > 10 else ''}",
            where="circuit",
            mend=f"Add {', '.join(f'{name}=1' for name in missing[:3])}",
        )
    for name in given:
        if name not in graph.inputs:
            names = f"Its names are: {', '.join(list(graph.inputs)[:20])}." if graph.inputs else "It has no names."
            raise ArgumentError(f"the expression has no {name!r}", where="circuit", mend=names)
    return {
        name: checks.number(given[name], name, where="circuit", expected="a finite number", fits=lambda _: True)
        for name in graph.inputs
    }


def _without_nan(record: dict[str, Any]) -> dict[str, Any]:
    """JSON has no word for nan."""
    return {name: None if value != value else value for name, value in record.items()}  # noqa: PLR0124 -- nan alone differs from itself
