"""The graph of a circuit: numbers, inputs and operations, each after its operands, and what each is called."""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

from chainrule.errors import ArgumentError
from chainrule.insight.circuits.rules import MINUS, Local, OutOfDomain, Rule

MOST_NODES = 200_000


class Node(NamedTuple):
    """A number, an input or an operation.

    Attributes:
        rule: of an operation; None for a number or an input.
        operands: the places of its operands in the graph.
        name: of an input.
        number: of a number.
        varies: whether any input has a part in it.
    """

    rule: Rule | None
    operands: tuple[int, ...]
    name: str
    number: float
    varies: bool


class Graph:
    """Nodes, each after its operands.

    Attributes:
        nodes: in order.
        inputs: the place of each input, by name, in the order of the expression.
        result: the place of the result.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.inputs: dict[str, int] = {}
        self.result = -1
        self._known: dict[tuple[str, tuple[int, ...]], int] = {}

    # ---- making it --------------------------------------------------------------------------------------------------

    def number(self, number: float) -> int:
        """A number; each stands for itself, since nobody asks for its gradient."""
        return self._add(Node(None, (), "", number, varies=False))

    def input(self, name: str) -> int:
        """The input of that name, one node however often it is used."""
        if name not in self.inputs:
            self.inputs[name] = self._add(Node(None, (), name, math.nan, varies=True))
        return self.inputs[name]

    def apply(self, rule: Rule, operands: tuple[int, ...]) -> int:
        """An operation; the same one of the same operands is the same node."""
        first = self.nodes[operands[0]]
        if rule is MINUS and first.rule is None and not first.varies:
            return self.number(-first.number)
        if rule.operands is None:
            operands = tuple(dict.fromkeys(operands))  # max(x, x) has no kink: it is x
        key = (rule.name, operands)
        if key not in self._known:
            varies = any(self.nodes[place].varies for place in operands)
            self._known[key] = self._add(Node(rule, operands, "", math.nan, varies))
        return self._known[key]

    def _add(self, node: Node) -> int:
        if len(self.nodes) >= MOST_NODES:
            expected = f"at most {MOST_NODES:,} operations and numbers"
            raise ArgumentError("expression", where="circuit", expected=expected)
        self.nodes.append(node)
        return len(self.nodes) - 1

    # ---- what things are called -------------------------------------------------------------------------------------

    @cached_property
    def names(self) -> list[str]:
        """Inputs and numbers are called what they are; operations v1, v2, ..., the result f, or as is still free."""
        letter = next(c for c in ("v", "w", "node") if c == "node" or not any(n.startswith(c) for n in self.inputs))
        result = next(c for c in ("f", "F", "result") if c == "result" or c not in self.inputs)
        names, count = [], 0
        for place, node in enumerate(self.nodes):
            if node.rule is None:
                names.append(node.name or shortest(node.number))
            elif place == self.result:
                names.append(result)
            else:
                count += 1
                names.append(f"{letter}{count}")
        return names

    def text(self, place: int) -> str:
        """A node in the names of its operands: ``"v1 * z"``."""
        node = self.nodes[place]
        operands = [self.names[operand] for operand in node.operands]
        return self.names[place] if node.rule is None else written(node.rule, operands)

    def uses(self) -> list[int]:
        """How many operands each node is."""
        counts = [0] * len(self.nodes)
        for node in self.nodes:
            for operand in node.operands:
                counts[operand] += 1
        return counts

    # ---- numbers ----------------------------------------------------------------------------------------------------

    def forward(self, inputs: dict[str, float]) -> list[Local]:
        """What each node is for these values of the inputs.

        Raises:
            ArgumentError: where an operation is not defined for its operands.
        """
        locals_: list[Local] = []
        for place, node in enumerate(self.nodes):
            if node.rule is None:
                local = Local(inputs[node.name] if node.name else node.number, ())
            else:
                local = self._operation(node.rule, place, [locals_[operand].value for operand in node.operands])
            locals_.append(local)
        return locals_

    def _operation(self, rule: Rule, place: int, values: list[float]) -> Local:
        try:
            local = rule.local(*values)
        except OutOfDomain as fact:
            raise self.undefined(place, values, str(fact)) from None
        except OverflowError:
            local = Local(math.inf, ())
        if not math.isfinite(local.value):
            raise self.undefined(place, values, "its value is beyond the numbers of this machine")
        return local

    def undefined(self, place: int, values: list[float], why: str) -> ArgumentError:
        """The error for an operation that cannot be done with these values of its operands."""
        told = {
            self._expanded(operand): value
            for operand, value in zip(self.nodes[place].operands, values, strict=True)
            if self.nodes[operand].name or self.nodes[operand].rule
        }
        here = ", ".join(f"{text} = {value:.6g}" for text, value in told.items())
        return ArgumentError(f"{self._expanded(place)}: {why}{f' ({here})' if here else ''}", where="circuit")

    def _expanded(self, place: int, levels: int = 3) -> str:
        """A node in the words of the expression, as far down as these levels."""
        node = self.nodes[place]
        if node.rule is None:
            return self.names[place]
        if not levels:
            return "…"
        operands = [self._operand(node.rule, operand, levels - 1) for operand in node.operands]
        return written(node.rule, operands)

    def _operand(self, rule: Rule, place: int, levels: int) -> str:
        """An operation between the signs of another one stands in parentheses."""
        text, own = self._expanded(place, levels), self.nodes[place].rule
        return text if own is None or own.is_function or rule.is_function else f"({text})"


def written(rule: Rule, operands: list[str]) -> str:
    """An operation as a person writes it.

    >>> from chainrule.insight.circuits.rules import FUNCTIONS, OPERATORS
    >>> written(OPERATORS["*"], ["v1", "-4"]), written(FUNCTIONS["exp"], ["x"])
    ('v1 * (-4)', 'exp(x)')
    """
    if rule.is_function:
        return f"{rule.symbol}({', '.join(operands)})"
    first, *rest = map(inside, operands)
    return f"{first} {rule.symbol} {rest[0]}" if rest else f"-{first}"


def inside(name: str) -> str:
    """A name within a formula: a negative number in parentheses."""
    return f"({name})" if name.startswith("-") else name


def shortest(number: float) -> str:
    """A number in as few characters as tell it exactly.

    >>> shortest(-4.0), shortest(0.1), shortest(1e20)
    ('-4', '0.1', '1e+20')
    """
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
