"""The chain rule written out: for a number in a network, the derivative of the loss by it, in symbols and in numbers.

Factored: one delta for each unit, in terms of the deltas of the layer after it. Each factor is a local derivative; its
formula is the one that its layer tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chainrule.insight.local import Branches, Hop, OverRows, Product, Slopes, Start, WithinRows, local
from chainrule.insight.rendering.numbers import in_product, number
from chainrule.insight.symbols import Name, Symbols
from chainrule.layers import Activation, Dense, Dropout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.insight.passes import Node, Pass

_TERMS = 4  # of a sum that are written out, and deltas of a layer that are shown


class Expression(NamedTuple):
    """The same in symbols and in numbers.

    Attributes:
        symbols: such as ``(o1 - t1) * o1 (1 - o1)``.
        numbers: with the numbers put in.
        factors: the value of each factor.
        value: of the whole.
    """

    symbols: str
    numbers: str
    factors: tuple[float, ...]
    value: float

    def times(self, other: Expression) -> Expression:
        """The product of both."""
        return Expression(
            f"{self.symbols} * {other.symbols}",
            f"{self.numbers} * {other.numbers}",
            self.factors + other.factors,
            self.value * other.value,
        )


class Factor(NamedTuple):
    """A factor of a path.

    Attributes:
        symbol: ``do1/dz_o1``.
        formula: what it is: ``o1 (1 - o1)``; empty where only the number can be told.
        numbers: the formula with the numbers put in.
        value: of the factor.
        where: the address of what it is made of.
    """

    symbol: str
    formula: str
    numbers: str
    value: float
    where: str


class Chain:
    """Writes derivatives of one pass.

    Attributes:
        symbols: that were used so far.
    """

    def __init__(self, made: Pass, digits: int) -> None:
        self.made, self.digits = made, digits
        self.symbols = Symbols(made, digits)
        self._wanted: list[tuple[Node, int]] = []

    # ---- ways -------------------------------------------------------------------------------------------------------

    def way_on(self, node: Node) -> list[Node]:
        """The nodes between the output of a node and the loss; the activation of a fused pair belongs to the loss."""
        nodes = self.made.nodes[:-1] if self.made.by_jacobian is not None else self.made.nodes
        found = _after(nodes, node)
        if found is None:
            raise AssertionError(f"{node.name} is not in this pass")
        return found

    def before(self, node: Node) -> Node | None:
        """The node whose output goes into this one; None for the inputs of the network."""
        return _before(self.made.nodes, node, None)

    # ---- derivatives ------------------------------------------------------------------------------------------------

    def by_output(self, node: Node, entry: int) -> Expression:
        """DL by an entry of a node's output."""
        return self._along(self.way_on(node), node, entry)

    def _along(self, way: list[Node], before: Node, entry: int) -> Expression:
        if not way:
            return self.by_loss(entry)
        node, *rest = way
        found = local(node)
        if isinstance(found, Slopes):
            return self._along(rest, node, entry).times(self._slope(node, before, entry, float(found.J.flat[entry])))
        if isinstance(found, Branches):
            return self._branches(node, entry)
        return self._sum(node, before, entry)

    def by_loss(self, entry: int) -> Expression:
        """DL by an output; of a fused pair by its net input."""
        made, objective = self.made, self.made.objective
        last = made.nodes[-1]
        B, O = made.batch.T.shape
        names: dict[str, Name] = {
            "y_o": lambda: self.symbols.output(last, entry),
            "t_o": lambda: self.symbols.target(entry),
            "O": float(O),
            "delta": getattr(objective.loss, "delta", 0.0),
        }
        symbolic, numbers = self.symbols.put_in(made.loss.slope_formula, names)
        scale = ""
        if objective.loss.reduction == "mean" and B > 1:
            scale = f"1/{B} * "
        if made.batch.weights is not None:
            scale += f"{in_product(float(made.batch.weights[entry // O]), self.digits)} * "
        value = (last.dX if made.by_jacobian is not None else made.dY).reshape(-1)[entry]
        return Expression(
            f"{scale}{_bracketed(symbolic)}", f"{scale}{_bracketed(numbers)}", (float(value),), float(value)
        )

    def _slope(self, node: Node, before: Node, entry: int, value: float) -> Expression:
        """A factor of the entry's own: the slope of an activation, the mask of dropout, a norm's 1/std."""
        formula, numbers, _ = self._slope_text(node, before, entry, value)
        return Expression(formula, numbers, (value,), value)

    def _slope_text(self, node: Node, before: Node, entry: int, value: float) -> tuple[str, str, str]:
        """The formula of such a factor, with numbers put in, and its address."""
        if isinstance(node.layer, Activation):
            f = node.layer.f
            names: dict[str, Name] = {
                "y": lambda: self.symbols.output(node, entry),
                "z": lambda: self.symbols.output(before, entry),
            }
            formula, numbers = self.symbols.put_in(f.slope_formula, names | f.constants)
            if " if " in formula:
                formula, numbers = f"[{formula}]", number(value, self.digits)
            return _in_product(formula), _in_product(numbers), self.symbols.address(node, "slope", entry)
        if isinstance(node.layer, Dropout) and node.saved.mask is not None:
            symbol = self.symbols.mask(node, entry)
            return symbol, in_product(value, self.digits), self.symbols.used[symbol][1]
        return self._only_number(node, before, entry, entry, value)

    def _only_number(self, node: Node, before: Node | None, out: int, into: int, value: float) -> tuple[str, str, str]:
        symbol = f"d{self.symbols.output(node, out)}/d{self.symbols.input(node, into, before)}"
        self.symbols.used.setdefault(symbol, (value, f"{node.name}: dY/dX"))
        return symbol, in_product(value, self.digits), f"{node.name}: dY/dX"

    def _branches(self, node: Node, entry: int) -> Expression:
        """Past a residual's layers and through them."""
        past, inner = float(node.dY.flat[entry]), float(node.inside[0].dX.flat[entry])
        symbol = self._gradient(node, entry)
        through = f"dF_{symbol.partition('_')[2]}"
        places = f"[{entry // node.X[0].size}, {entry % node.X[0].size}]"
        self.symbols.used.setdefault(through, (inner, f"{node.name}.dF{places}"))
        numbers = f"({number(past, self.digits)} + {in_product(inner, self.digits)})"
        return Expression(f"({symbol} + {through})", numbers, (past + inner,), past + inner)

    def _sum(self, node: Node, before: Node, entry: int) -> Expression:
        """Over all entries of the next output that depend on this one: their derivatives times the local ones."""
        terms = sorted(_ways(node, entry), key=lambda hop: -abs(hop.value * float(node.dY.flat[hop.out])))
        whole = sum(hop.value * float(node.dY.flat[hop.out]) for hop in terms)
        symbolic, numbers, told = [], [], 0.0
        for hop in sorted(terms[:_TERMS], key=lambda hop: hop.out):
            d = float(node.dY.flat[hop.out])
            factor, with_numbers, _ = self._local_text(hop, before)
            symbolic.append(f"{self._gradient(node, hop.out)} * {factor}")
            numbers.append(f"{in_product(d, self.digits)} * {with_numbers}")
            told += d * hop.value
        if len(terms) > _TERMS:
            symbolic.append("…")
            numbers.append(in_product(whole - told, self.digits))
        several = len(symbolic) > 1
        in_symbols, in_numbers = (f"({' + '.join(parts)})" if several else parts[0] for parts in (symbolic, numbers))
        return Expression(in_symbols, in_numbers, (whole,), whole)

    def _local_text(self, hop: Hop, before: Node | None) -> tuple[str, str, str]:
        """A local derivative between different entries: formula, numbers, address."""
        if isinstance(local(hop.node), Product):
            I, O = hop.node.params["W"].shape
            symbol = self.symbols.weight(hop.node, hop.into % I, hop.out % O)
            return symbol, in_product(hop.value, self.digits), self.symbols.used[symbol][1]
        return self._only_number(hop.node, before, hop.out, hop.into, hop.value)

    def _gradient(self, node: Node, entry: int) -> str:
        self._wanted.append((node, entry))
        return self.symbols.gradient(node, entry)

    # ---- the deltas that a line mentions ----------------------------------------------------------------------------

    def mentioned(self) -> Iterator[tuple[str, Expression]]:
        """Each derivative that was mentioned and not written out yet, and those mentioned there; a few of each node."""
        shown: dict[int, list[int]] = {}
        found = []
        while self._wanted:
            node, entry = self._wanted.pop(0)
            of_node = shown.setdefault(id(node), [])
            if entry in of_node or len(of_node) >= _TERMS:
                continue
            of_node.append(entry)
            found.append((id(node), entry, self.symbols.gradient(node, entry), self.by_output(node, entry)))
        order = {id(node): place for place, node in enumerate(self.made.every_node())}
        for _, _, symbol, e in sorted(found, key=lambda each: (-order[each[0]], each[1])):
            yield symbol, e

    # ---- paths ------------------------------------------------------------------------------------------------------

    def factors(self, hops: list[Hop]) -> tuple[Factor, ...]:
        """The factors of a path, the one at the loss first."""
        found = []
        for hop in hops:
            before = self.before(hop.node)
            if isinstance(local(hop.node), Slopes) and before is not None:
                formula, numbers, where = self._slope_text(hop.node, before, hop.out, hop.value)
            else:
                formula, numbers, where = self._local_text(hop, before)
            symbol = f"d{self.symbols.output(hop.node, hop.out)}/d{self.symbols.input(hop.node, hop.into, before)}"
            found.append(Factor(symbol, "" if formula == symbol else formula, numbers, hop.value, where))
        return tuple(reversed(found))

    def start(self, node: Node, own: str, place: int, start: Start) -> tuple[str, str, str]:
        """How a parameter enters, in symbols and as a number, and its address; 1 for a bias.

        Args:
            node: that has the parameter.
            own: its name there.
            place: the flat place of the entry.
            start: the derivative of an entry of the node's output by it.
        """
        name, units = f"{node.name}.{own}", node.Y[0].size
        if own in {"b", "beta"}:
            return "1", "1", name
        row, unit = divmod(start.out, units)
        if isinstance(node.layer, Dense):
            symbol = self.symbols.input(node, row * node.X[0].size + place // units, self.before(node))
            return symbol, in_product(start.value, self.digits), self.symbols.used[symbol][1]
        symbol, where = f"H_{unit + 1}", f"{node.name}.H[{row}, {unit}]"
        if own != "gamma":
            symbol, where = f"d{self.symbols.output(node, start.out)}/dw", f"{node.name}: dY/d{own}"
        self.symbols.used.setdefault(symbol, (start.value, where))
        return symbol, in_product(start.value, self.digits), where

    def start_factor(self, node: Node, own: str, place: int, start: Start) -> Factor:
        """The same as the last factor of a path: dz_h1/dw."""
        formula, numbers, where = self.start(node, own, place, start)
        symbol = f"d{self.symbols.output(node, start.out)}/dw"
        return Factor(symbol, "" if formula == symbol else formula, numbers, start.value, where)

    def loss_factor(self, entry: int) -> Factor:
        """The first factor of a path that reaches the loss at this entry."""
        e = self.by_loss(entry)
        last = self.made.nodes[-1]
        fused = self.made.by_jacobian is not None
        o = self.symbols.output(last, entry)
        symbol = f"dL/dz_{o}" if fused else f"dL/d{o}"
        where = self.symbols.used[o][1].replace(".Y[", ".dZ[" if fused else ".dY[")
        return Factor(symbol, e.symbols, e.numbers, e.value, where)


def _bracketed(formula: str) -> str:
    """A formula as a factor."""
    alone = " " not in formula or (formula.startswith("(") and formula.find(")") == len(formula) - 1)
    return formula if alone and not formula.startswith("-") else f"({formula})"


def _in_product(formula: str) -> str:
    """A formula beside other factors: a sum in brackets, ``(1 - h^2)``; a product as it is, ``h (1 - h)``."""
    depth = 0
    for place, sign in enumerate(formula):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and formula.startswith((" + ", " - "), place):
            return f"({formula})"
    return formula


def _ways(node: Node, entry: int) -> list[Hop]:
    """The local derivatives from an entry of a node's input to every entry of its output that depends on it."""
    found = local(node)
    O, I = node.Y[0].size, node.X[0].size
    b, i = divmod(entry, I)
    if isinstance(found, Product):
        return [Hop(node, b * O + o, entry, float(found.J[i, o])) for o in range(O)]
    if isinstance(found, WithinRows):
        return [Hop(node, b * O + o, entry, float(found.J[b, o, i])) for o in range(O)]
    if isinstance(found, OverRows):
        return [Hop(node, c * O + i, entry, float(found.J[c, b, i])) for c in range(len(found.J))]
    raise AssertionError(f"{node.name} has one way on from each entry")


def _after(nodes: list[Node], target: Node) -> list[Node] | None:
    for place, node in enumerate(nodes):
        if node is target:
            return nodes[place + 1 :]
        inner = _after(node.inside, target)
        if inner is not None:
            return inner + nodes[place + 1 :]
    return None


def _before(nodes: list[Node], target: Node, before: Node | None) -> Node | None:
    for node in nodes:
        if node is target:
            return before
        found = _before(node.inside, target, before)
        if found is not None:
            return found
        before = node
    return None
