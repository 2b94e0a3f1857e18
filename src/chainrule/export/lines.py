"""The lines of a function of a script, and what stands beside them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from chainrule.export.numbers import broken

if TYPE_CHECKING:
    from collections.abc import Iterable


class Line(NamedTuple):
    """A line of a function and what stands beside it: the shape of what it makes; or a comment on its own."""

    text: str
    shape: str = ""


def function(signature: str, about: str, lines: Iterable[Line]) -> str:
    """A definition; the shapes stand below each other, beside the lines.

    >>> print(function("double(X)", "Twice X.", [Line("Y = 2 * X", "(B, I)")]).splitlines()[2])
        Y = 2 * X  # (B, I)
    """
    lines = list(lines)
    width = max((len(line.text) for line in lines if line.shape), default=0)
    body = [f"    {line.text:<{width}}  # {line.shape}" if line.shape else broken(f"    {line.text}") for line in lines]
    told = textwrap.fill(f'"""{about}"""', 100, initial_indent="    ", subsequent_indent="    ")
    return "\n".join([broken(f"def {signature}:"), told, *body])
