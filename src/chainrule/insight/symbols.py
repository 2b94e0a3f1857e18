"""The letters of the blackboard: x1 an input, h1 a hidden unit, o1 an output, z_h1 its net input, W2[0, 0] a weight.

Units count from 1, as on a blackboard; addresses count from 0, as in Python, and a legend sets the two side by side.
With more than one hidden layer h2.3 is unit 3 of the second.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from chainrule.insight.quantities import groups
from chainrule.insight.rendering.numbers import in_product
from chainrule.layers import Dense

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chainrule.insight.passes import Node, Pass

Name: TypeAlias = "float | Callable[[], str]"
"""What a letter of a formula stands for: a number, or a symbol, which is used as soon as it is asked for."""

_NAMES = re.compile(r"(?<![A-Za-z_\d])(y_o|t_o|y|z|a|s|O|delta)(?![A-Za-z_\d'(])")
_BRACKETED_TWICE = re.compile(r"\(\((-[^()]*)\)\)")  # a negative number, alone in the brackets of a function


class Symbols:
    """Names numbers of a pass, and remembers those that were used.

    Attributes:
        used: the value and the address of each symbol, in the order of first use.
    """

    def __init__(self, made: Pass, digits: int) -> None:
        self.made, self.digits = made, digits
        self.used: dict[str, tuple[float, str]] = {}
        layers = list(_layers(made.nodes))
        hidden = [layer[-1] for layer in layers if layer[-1] is not made.nodes[-1]]
        self._letters = {id(end): f"h{n}." if len(hidden) > 1 else "h" for n, end in enumerate(hidden, start=1)}
        self._letters[id(made.nodes[-1])] = "o"
        dense = [node for node in made.every_node() if isinstance(node.layer, Dense)]
        self._matrices = {id(node): f"W{number}" for number, node in enumerate(dense, start=1)}
        self._end_of = {id(node): layer[-1] for layer in layers for node in layer}

    # ---- names ------------------------------------------------------------------------------------------------------

    def output(self, node: Node, entry: int) -> str:
        """The symbol of an entry of a node's output: h1, or z_h1 where an activation follows in the same layer."""
        end = self._end_of[id(node)]
        unit = entry % node.Y[0].size
        symbol = f"{self._letters[id(end)]}{unit + 1}"
        own = "Y"
        if end is not node:
            symbol, own = f"z_{symbol}", "Z"
        return self._use(symbol, node.Y.reshape(-1)[entry], self.address(node, own, entry))

    def input(self, node: Node, entry: int, before: Node | None) -> str:
        """The symbol of an entry of a node's input."""
        if before is not None:
            return self.output(before, entry)
        unit = entry % node.X[0].size
        return self._use(f"x{unit + 1}", node.X.reshape(-1)[entry], self.address(node, "X", entry))

    def weight(self, node: Node, i: int, o: int) -> str:
        """The symbol of an entry of a weight matrix."""
        name = f"{self._matrices[id(node)]}[{i}, {o}]"
        return self._use(name, node.params["W"][i, o], f"{node.name}.W[{i}, {o}]")

    def target(self, entry: int) -> str:
        """The symbol of an entry of the targets."""
        T = self.made.batch.T
        row, unit = divmod(entry, T.shape[1])
        return self._use(f"t{unit + 1}", T.reshape(-1)[entry], f"T[{row}, {unit}]")

    def gradient(self, node: Node, entry: int) -> str:
        """The symbol of the derivative by an entry of a node's output: delta_h1 by z_h1, d_h1 by h1."""
        end = self._end_of[id(node)]
        unit = entry % node.Y[0].size
        letter = f"{self._letters[id(end)]}{unit + 1}"
        symbol, own = (f"delta_{letter}", "dZ") if end is not node else (f"d_{letter}", "dY")
        return self._use(symbol, node.dY.reshape(-1)[entry], self.address(node, own, entry))

    def mask(self, node: Node, entry: int) -> str:
        """The symbol of an entry of a dropout mask."""
        unit = entry % node.Y[0].size
        letter = f"{self._letters[id(self._end_of[id(node)])]}{unit + 1}"
        return self._use(f"m_{letter}", node.saved.mask.reshape(-1)[entry], self.address(node, "mask", entry))

    def address(self, node: Node, own: str, entry: int) -> str:
        """Where a number is found in a trace: ``dense_1.Y[0, 2]``."""
        shape = node.X.shape if own == "X" else node.Y.shape
        places = np.unravel_index(entry, shape)
        return f"{node.name}.{own}[{', '.join(str(int(place)) for place in places)}]"

    def _use(self, symbol: str, value: float, address: str) -> str:
        """In a legend each symbol stands for one number; another row's carries its row."""
        known = self.used.setdefault(symbol, (float(value), address))
        return symbol if known[1] == address else self._use(f"{symbol}'", value, address)

    # ---- formulas ---------------------------------------------------------------------------------------------------

    def put_in(self, formula: str, names: Mapping[str, Name]) -> tuple[str, str]:
        """A formula of a layer or a loss with these symbols in place of its letters; and with their numbers."""
        symbolic = _NAMES.sub(lambda m: self._text(names, m[1], number=False), formula)
        numbers = _NAMES.sub(lambda m: self._text(names, m[1], number=True), formula)
        return symbolic, _BRACKETED_TWICE.sub(r"(\1)", numbers)

    def _text(self, names: Mapping[str, Name], letter: str, *, number: bool) -> str:
        name = names.get(letter)
        if name is None:
            return letter
        if isinstance(name, float):
            return in_product(name, self.digits)
        symbol = name()
        return in_product(self.used[symbol][0], self.digits) if number else symbol


def _layers(nodes: list[Node]) -> Iterator[list[Node]]:
    """The nodes of each layer; those of layers inside others before the ones around them."""
    for group in groups(nodes):
        for node in group:
            yield from _layers(node.inside)
        yield group
