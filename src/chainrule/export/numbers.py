"""Numbers as the sources of programs hold them: few digits, the same bits."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import ArgumentError

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

    Raises:
        ArgumentError: for one that is too large for it.

    >>> float32_texts(np.array([0.1, 1.0, -2.5e-9]))
    ['0.1', '1.0', '-2.5e-09']
    """
    with np.errstate(over="ignore"):
        single = values.astype(np.float32).reshape(-1)
    if not np.isfinite(single).all():
        largest = float(np.abs(values).max())
        mend = "Export it as onnx or javascript, which compute in float64 where the network does"
        raise ArgumentError(f"{largest:.3g} is too large for float32, the numbers of C", where="export", mend=mend)
    return single.astype(str).tolist()


def broken(line: str, *, width: int = 100) -> str:
    """A line of Python that is too long, on several: names in brackets of their own, else within its first brackets.

    >>> print(broken("one, two, three = make(1)", width=20))
    (
        one, two, three,
    ) = make(1)
    >>> print(broken("call(one, two, three)", width=20))
    call(
        one, two, three
    )
    """
    if len(line) <= width:
        return line
    margin = line[: len(line) - len(line.lstrip())]
    names, equals, value = line.strip().partition(" = ")
    if equals and "(" not in names and ", " in names:
        return f"{margin}(\n{_filled(names, margin, width)},\n{margin}) = {value}"
    if not set("({") & set(line):
        word, _, rest = line.strip().partition(" ")
        return f"{margin}{word} (\n{_filled(rest, margin, width)},\n{margin})" if word == "return" else line
    first = min(line.find(bracket) for bracket in "({" if bracket in line)
    last = _closing(line, first)
    inner = _filled(line[first + 1 : last], margin, width)
    return f"{line[: first + 1]}\n{inner}\n{margin}{line[last:]}"


def _closing(line: str, first: int) -> int:
    """Where the bracket that opens at `first` closes; no bracket stands in a text of these lines."""
    depth = 0
    for place in range(first, len(line)):
        depth += (line[place] in "([{") - (line[place] in ")]}")
        if depth == 0:
            return place
    return len(line)


def _filled(text: str, margin: str, width: int) -> str:
    indent = f"{margin}    "
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
