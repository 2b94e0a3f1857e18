"""Empty places to write numbers into, drawn."""

from __future__ import annotations

from html import escape

from chainrule.insight.rendering import Figure, shape_text

_WIDTH, _HEIGHT, _LABEL = 92, 34, 22


def blank(name: str, shape: tuple[int, ...]) -> Figure:
    """A box for each number of an array of this shape, under its name.

    >>> print(blank("loss", ()).words)
    loss
        ______
    """
    rows, columns = (1, *shape)[-2:] if shape else (1, 1)
    label = f"{name} {shape_text(shape)}".strip()
    lines = "\n".join("    " + "  ".join(["______"] * columns) for _ in range(rows))
    return Figure(_drawn(label, rows, columns), f"{label}\n{lines}")


def _drawn(label: str, rows: int, columns: int) -> str:
    width, height = columns * _WIDTH, rows * _HEIGHT
    boxes = "".join(
        f'<rect x="{1 + j * _WIDTH}" y="{_LABEL + i * _HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" '
        'stroke="currentColor" stroke-width="1"/>'
        for i in range(rows)
        for j in range(columns)
    )
    total = max(width + 2, 10 * len(label))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{height + _LABEL + 6}" '
        f'viewBox="0 0 {total} {height + _LABEL + 6}" role="img" aria-label="{escape(label)}">'
        f'<text x="1" y="15" font-family="ui-monospace, monospace" font-size="14" fill="currentColor">{escape(label)}'
        f"</text>{boxes}</svg>"
    )
