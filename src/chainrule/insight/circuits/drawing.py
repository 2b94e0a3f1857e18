"""A circuit as a drawing: from the inputs at the left to the result at the right, values above, gradients below."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from chainrule.insight.circuits.layered import layered
from chainrule.insight.rendering import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.insight.circuits.circuit import Circuit
    from chainrule.insight.circuits.layered import Layout

MOST_DRAWN = 150  # nodes

_ACROSS, _DOWN, _MARGIN = 150, 74, 14
_HIGH, _LETTER = 30, 8.0
_VALUE, _GRADIENT = "#2b7cd3", "#d5433d"  # told apart on white and on black
_FONT = "font-family='ui-monospace, SFMono-Regular, Menlo, Consolas, monospace' font-size='13'"


def draw(circuit: Circuit) -> str:
    """The drawing as SVG: complete in itself, no scripts, no fonts."""
    graph = circuit.graph
    layout = layered([node.operands for node in graph.nodes])
    width = max(layout.layer) * _ACROSS + 2 * _MARGIN + max(_wide(circuit, n) for n in range(len(graph.nodes)))
    rows = max([*layout.row, *(row for way in layout.bends.values() for _, row in way)])
    height = rows * _DOWN + _HIGH + 2 * _MARGIN + 40 + 22
    about = f"The circuit of {circuit.expression}"
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' width='{width:.0f}' "
        f"height='{height:.0f}' role='img' aria-label='{escape(about, quote=True)}' {_FONT} fill='currentColor'>"
    )
    legend = (
        f"<text x='{_MARGIN}' y='{height - 8:.0f}'><tspan fill='{_VALUE}'>value</tspan> above, "
        f"<tspan fill='{_GRADIENT}'>gradient</tspan> below, local derivatives on the arrows</text>"
    )
    nodes = [_node(circuit, layout, place) for place in range(len(graph.nodes))]
    return "\n".join([head, f"<title>{escape(about)}</title>", *_edges(circuit, layout), *nodes, legend, "</svg>"])


def _wide(circuit: Circuit, place: int) -> float:
    return max(2.0, len(_label(circuit, place))) * _LETTER + 18


def _label(circuit: Circuit, place: int) -> str:
    node = circuit.graph.nodes[place]
    return circuit.graph.names[place] if node.rule is None else node.rule.symbol


def _at(layer: float, row: float) -> tuple[float, float]:
    """The left end and the middle of a node there."""
    return _MARGIN + layer * _ACROSS, _MARGIN + 20 + row * _DOWN + _HIGH / 2


def _node(circuit: Circuit, layout: Layout, place: int) -> str:
    graph = circuit.graph
    node, name, value = graph.nodes[place], graph.names[place], circuit.locals[place].value
    x, y = _at(layout.layer[place], layout.row[place])
    wide = _wide(circuit, place)
    middle = x + wide / 2
    is_number = node.rule is None and not node.varies
    lines = [
        f"<rect x='{x:.1f}' y='{y - _HIGH / 2:.1f}' width='{wide:.1f}' height='{_HIGH}' {_box(circuit, place)}/>",
        _text(middle, y + 4.5, _label(circuit, place), "font-weight='600'"),
    ]
    if not is_number:
        named = f"{name} = " if node.rule else ""
        lines.append(_text(middle, y - _HIGH / 2 - 6, f"{named}{number(value, 4)}", f"fill='{_VALUE}'"))
    if node.varies:
        lines.append(_text(middle, y + _HIGH / 2 + 15, number(circuit.gradients[name], 4), f"fill='{_GRADIENT}'"))
    return "\n".join(lines)


def _box(circuit: Circuit, place: int) -> str:
    """The frame of a node: round for an operation, strong for the result, faint for a number."""
    node = circuit.graph.nodes[place]
    round_, strong = (_HIGH / 2 if node.rule else 5), (1.6 if place == circuit.graph.result else 1)
    ink = 0.8 if node.rule or node.varies else 0.35
    return f"rx='{round_}' fill='none' stroke='currentColor' stroke-width='{strong}' stroke-opacity='{ink}'"


def _text(x: float, y: float, text: str, style: str) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='middle' {style}>{escape(text)}</text>"


def _edges(circuit: Circuit, layout: Layout) -> Iterator[str]:
    yield (
        "<defs><marker id='chainrule-arrow' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' "
        "orient='auto'><path d='M0 0 L8 4 L0 8 z' fill='currentColor' fill-opacity='0.6'/></marker></defs>"
    )
    slopes = {(share.operand, step.name): share.local for step in circuit.steps for share in step.shares}
    names = circuit.graph.names
    for (operand, node), way in layout.bends.items():
        stops = [_at(layout.layer[operand], layout.row[operand]), *(_at(*stop) for stop in way)]
        stops[0] = (stops[0][0] + _wide(circuit, operand), stops[0][1])
        stops.append(_at(layout.layer[node], layout.row[node]))
        yield (
            f"<path d='{_curve(stops)}' fill='none' stroke='currentColor' stroke-opacity='0.5' "
            "marker-end='url(#chainrule-arrow)'/>"
        )
        local = slopes.get((names[operand], names[node]))
        if local is not None and circuit.graph.nodes[operand].varies:
            x, y = _along(stops[-2], stops[-1], 0.62)  # nearer to the end: lines cross in the middle
            yield _text(x, y - 4, number(local, 3), "font-size='11' fill-opacity='0.75'")


def _along(start: tuple[float, float], end: tuple[float, float], t: float) -> tuple[float, float]:
    """A point of the curve between two stops (see `_curve`), 0 <= t <= 1."""
    across, down = 1.5 * t - 1.5 * t * t + t**3, 3 * t * t - 2 * t**3
    return start[0] + across * (end[0] - start[0]), start[1] + down * (end[1] - start[1])


def _curve(stops: list[tuple[float, float]]) -> str:
    """Curves that leave and arrive level."""
    parts = [f"M{stops[0][0]:.1f} {stops[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(stops):
        half = (x0 + x1) / 2
        parts.append(f"C{half:.1f} {y0:.1f} {half:.1f} {y1:.1f} {x1:.1f} {y1:.1f}")
    return " ".join(parts)
