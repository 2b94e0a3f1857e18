"""A circuit in words and tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from chainrule.insight.circuits.drawing import MOST_DRAWN, draw
from chainrule.insight.circuits.graph import inside
from chainrule.insight.rendering import Document, Figure, Heading, Sentence, Table, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainrule.insight.circuits.circuit import Circuit, Step
    from chainrule.insight.rendering import Part

_MOST_ROWS = 40  # of a table
_Row = TypeVar("_Row")


def circuit_document(circuit: Circuit, *, digits: int) -> Document:
    """The graph, the values, the backward pass, and the gradient beside its difference quotient."""
    at = ", ".join(f"{name} = {number(value, digits)}" for name, value in list(circuit.inputs.items())[:8])
    more = ", …" if len(circuit.inputs) > 8 else ""
    title = _shortened(f"{circuit.graph.names[circuit.graph.result]} = {circuit.expression}")
    return Document(f"{title} at {at}{more}" if at else title, tuple(_parts(circuit, digits)))


def _parts(circuit: Circuit, digits: int) -> Iterator[Part]:
    nodes = len(circuit.graph.nodes)
    if nodes <= MOST_DRAWN:
        yield Figure(draw(circuit), "The graph: see to_svg(), or --format svg on the command line.")
    else:
        yield Sentence(f"{nodes:,} nodes: too many to draw.", "note")
    yield Heading("Forward: values")
    yield _forward(circuit, digits)
    if circuit.steps:
        yield Heading("Backward: what each operand gets")
        yield Sentence(
            "The gradient of the node times the local derivative; what comes from several nodes is added up.", "note"
        )
        yield _backward(circuit, digits)
    if circuit.inputs:
        yield Heading("Gradient")
        yield _gradient(circuit, digits)
    yield from (Sentence(f"{kink}.", "warning") for kink in circuit.kinks[:10])
    if circuit.derivatives:
        yield Heading("Symbolic derivative, by SymPy")
        yield _symbolic(circuit, digits)


def _forward(circuit: Circuit, digits: int) -> Table:
    graph = circuit.graph
    places = [n for n, node in enumerate(graph.nodes) if node.rule is not None or n == graph.result]
    rows = [(graph.names[n], graph.text(n), number(circuit.locals[n].value, digits)) for n in places]
    return Table(("node", "operation", "value"), _abridged(rows), right=(2,))


def _backward(circuit: Circuit, digits: int) -> Table:
    rows = [row for step in _kept(circuit.steps) for row in _step(step, digits)]
    head = ("node", "rule", "operand", "gets", "factors", "local derivative")
    return Table(head, tuple(rows), right=(3,))


def _step(step: Step | None, digits: int) -> Iterator[tuple[str, ...]]:
    if step is None:
        yield ("…", "", "", "", "", "")
        return
    first = (f"{step.name} = {step.text}", step.rule)
    for share in step.shares:
        few = max(3, digits - 3)
        factors = f"{number(step.gradient, few)} * {inside(number(share.local, few))}"
        yield (*first, share.operand, number(share.product, digits), factors, share.formula)
        first = ("", "")


def _gradient(circuit: Circuit, digits: int) -> Table:
    rows = []
    for row in circuit.compared:
        quotient = "" if math.isnan(row.difference) else number(row.difference, digits)
        error = "" if math.isnan(row.error) else number(row.error, 2)
        note = f"sum of {row.uses}" if row.uses > 1 else ""
        rows.append((row.name, number(row.value, digits), number(row.gradient, digits), quotient, error, note))
    head = ("input", "value", "gradient", "difference quotient", "relative error", "")
    return Table(head, _abridged(rows), right=(1, 2, 3, 4))


def _symbolic(circuit: Circuit, digits: int) -> Table:
    rows = [
        (f"df/d{each.name}", "" if math.isnan(each.value) else number(each.value, digits), each.formula)
        for each in circuit.derivatives
    ]
    return Table(("", "value", "formula"), _abridged(rows), right=(1,))


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _abridged(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    blank = ("…",) + ("",) * (len(rows[0]) - 1 if rows else 0)
    return tuple(blank if row is None else row for row in _kept(rows))


def _kept(rows: Sequence[_Row]) -> list[_Row | None]:
    """All, or the first and the last of many with None between."""
    if len(rows) <= _MOST_ROWS:
        return list(rows)
    half = _MOST_ROWS // 2
    return [*rows[:half], None, *rows[-half:]]
