"""Numbers as the sources of programs hold them: few digits, the same bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.arrays import Floats


def literal(values: Floats, *, indent: str = "", width: int = 100, number: Callable[[float], str] = repr) -> str:
    """Nested lists in brackets, a row on a line where it fits, else on several.

    >>> print(literal(np.eye(2)))
    [
        [1.0, 0.0],
        [0.0, 1.0],
    ]
    """
    if values.ndim == 1:
        return _wrapped([number(value) for value in values.tolist()], indent, width)
    inner = f"{indent}    "
    rows = [f"{inner}{literal(row, indent=inner, width=width, number=number)},\n" for row in values]
    return f"[\n{''.join(rows)}{indent}]"


def _wrapped(texts: list[str], indent: str, width: int) -> str:
    line = f"[{', '.join(texts)}]"
    if len(indent) + len(line) < width:
        return line
    return f"[\n{listed(texts, indent=f'{indent}    ', width=width)}\n{indent}]"


def listed(texts: list[str], *, indent: str = "    ", width: int = 100) -> str:
    """Texts with commas between them, as many on a line as fit.

    >>> print(listed(["1.0", "2.0"]))
        1.0, 2.0
    """
    lines, line = [], indent
    for text in texts:
        if len(line) + len(text) + 1 > width and line != indent:
            lines.append(line.rstrip())
            line = indent
        line += f"{text}, "
    return "\n".join([*lines, line[:-2]])


def short_texts(values: Floats) -> list[str]:
    """Each number with the fewest digits that give it back in its own number type.

    >>> short_texts(np.array([0.1, 1.0]))
    ['0.1', '1.0']
    """
    return values.reshape(-1).astype(str).tolist()


def float32_texts(values: Floats) -> list[str]:
    """Each number with the fewest digits that give the same float32.

    >>> float32_texts(np.array([0.1, 1.0, -2.5e-9]))
    ['0.1', '1.0', '-2.5e-09']
    """
    return values.astype(np.float32).reshape(-1).astype(str).tolist()
