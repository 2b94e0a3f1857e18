"""How `Why` is told: the factored form, the paths, the legend, and the three numbers that must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.insight import probes
from chainrule.insight.chain import Chain, Expression
from chainrule.insight.differences import band_of
from chainrule.insight.local import OverRows, Start, local
from chainrule.insight.rendering import Formula, Heading, Matrix, Part, Sentence, Table, number
from chainrule.insight.rendering.numbers import in_product
from chainrule.layers import Dense

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.insight.why import Path, Why

_LISTED = 10  # rows of a batch that a table shows


class Telling:
    """Writes the parts of the document about one `Why`."""

    def __init__(self, why: Why, digits: int) -> None:
        self.why, self.digits = why, digits
        self.chain = Chain(why.trace.made, digits)
        self.symbols = self.chain.symbols

    def parts(self) -> Iterator[Part]:
        """All of them."""
        yield from self._of_entry() if self.why.alone else self._of_array()
        yield from self._agreement()

    def _text(self, value: float) -> str:
        return number(value, self.digits)

    def _factor(self, value: float) -> str:
        return in_product(value, self.digits)

    # ---- one entry --------------------------------------------------------------------------------------------------

    def _of_entry(self) -> Iterator[Part]:
        why = self.why
        found = why.starts()
        yield Sentence(f"w = {why.name} = {self._text(self._own(why.array))}, {self._whose()}.")
        yield Heading("The chain rule, factored")
        if not found:
            yield Sentence("Nothing in these rows depends on it.")
            return
        if len(found) > 1:
            yield from self._row_by_row(found)
        yield from self._line(max(found, key=lambda s: abs(s.value * self._delta(s))), alone=len(found) == 1)
        if why.penalty.any():
            yield from self._penalty_line()
        yield from self._paths()
        yield Heading("What the letters stand for", 2)
        used = self.symbols.used.items()
        rows = tuple((symbol, self._text(value), where + self._meaning(symbol)) for symbol, (value, where) in used)
        yield Table(("", "value", "where"), rows, right=(1,), formulas=(0,))
        yield from self._remarks()

    def _meaning(self, symbol: str) -> str:
        """What an input or an output stands for in the data, where that is known."""
        given, unit = self.why.trace.given, symbol[1:].rstrip("'")
        names = given.input_names if symbol[0] == "x" else given.labels if symbol[0] in "ot" else ()
        known = unit.isdecimal() and int(unit) <= len(names)
        return f"  {names[int(unit) - 1]}" if known else ""

    def _own(self, array: np.ndarray) -> float:
        """The entry asked about, of an array like the parameter."""
        return float(array.reshape(-1)[self.why.places])

    def _delta(self, start: Start) -> float:
        """The derivative of the loss by the entry of the output at which the parameter enters."""
        return float(self.why.node.dY.flat[start.out])

    def _whose(self) -> str:
        trace, row = self.why.trace, self.why.row
        B = len(trace.batch.X)
        if row is None:
            return "for the one row" if B == 1 else f"summed over the {B} rows"
        known = f" (row {trace.given.rows[row]} of the data)" if trace.given.rows[row] != row else ""
        return f"the share of row {row}{known}" + (f" in a batch of {B}" if B > 1 else "")

    def _line(self, start: Start, *, alone: bool) -> Iterator[Part]:
        """Deltas and product for one row: in symbols, with numbers, factor by factor, and the result."""
        why = self.why
        e = self.chain.by_output(why.node, start.out)
        for symbol, delta in self.chain.mentioned():
            yield Formula(self._written(symbol, delta))
        symbol, numbers, _ = self.chain.start(why.node, why.own, int(why.places), start)
        if symbol != "1":
            e = e.times(Expression(symbol, numbers, (start.value,), start.value))
        yield Formula(self._written("dL/dw" if alone else f"dL/dw_{start.out // why.node.Y[0].size}", e))

    def _written(self, name: str, e: Expression) -> tuple[str, ...]:
        """In symbols, with the numbers, factor by factor where that says more, and the value."""
        lines = [f"{name} = {e.symbols}", f"= {e.numbers}"]
        factors = " * ".join(map(self._factor, e.factors))
        if len(e.factors) > 1 and factors != e.numbers:
            lines.append(f"= {factors}")
        value = f"= {self._text(e.value)}"
        return tuple(lines if lines[-1] == value else [*lines, value])

    def _row_by_row(self, found: list[Start]) -> Iterator[Part]:
        """Delta times what went in for each row, the largest first, and the sum."""
        why = self.why
        ranked = sorted(found, key=lambda s: -abs(s.value * self._delta(s)))
        own = "dZ" if isinstance(why.node.layer, Dense) else "dY"
        lines = [
            (
                self.symbols.address(why.node, own, start.out),
                *map(self._text, (self._delta(start), start.value, start.value * self._delta(start))),
            )
            for start in ranked[:_LISTED]
        ]
        rest = ranked[_LISTED:]
        if rest:
            lines.append((f"{len(rest)} more", "", "", self._text(sum(s.value * self._delta(s) for s in rest))))
        lines.append(("sum", "", "", self._text(sum(s.value * self._delta(s) for s in found))))
        factor = "input" if isinstance(why.node.layer, Dense) else "dY/dw"
        yield Table(("row by row", "delta", factor, "product"), tuple(lines), right=(1, 2, 3))
        yield Sentence("The largest of these, written out:")

    def _penalty_line(self) -> Iterator[Part]:
        objective = self.why.trace.objective
        w, p = self._own(self.why.array), self._own(self.why.penalty)
        yield Sentence("The penalty P adds its own slope:")
        numbers = f"{self._text(objective.l1)} sign({self._text(w)}) + {self._text(objective.l2)} * {self._factor(w)}"
        yield Formula(("dP/dw = l1 sign(w) + l2 w", f"= {numbers}", f"= {self._text(p)}"))
        both = f"{self._text(self.why.value - p)} + {self._factor(p)}"
        yield Formula((f"dL/dw + dP/dw = {both}", f"= {self._text(self.why.value)}"))

    # ---- paths ------------------------------------------------------------------------------------------------------

    def _paths(self) -> Iterator[Part]:
        """How many paths there are; and the largest of them, where they were asked for or there is but one."""
        why = self.why
        count = _counted_in_words(why.n_paths, why.n_dead)
        yield Heading("Paths", 2)
        if not why.shown_paths and why.n_paths > 1:
            yield Sentence(f"{count} With paths=10 the ten largest are listed, factor by factor.")
            return
        listed = list(why.paths_by(self.chain, max(why.shown_paths, 1)))
        yield Sentence(count + ("" if len(listed) <= 1 else " The largest first:"))
        for place, path in enumerate(listed, start=1):
            yield from self._path(path, place if len(listed) > 1 else 0)
        whole, left = why.value - self._own(why.penalty), why.n_paths - len(listed)
        if left:
            rest = self._text(whole - sum(path.value for path in listed))
            many = (
                f"{_counted(left)} more paths are not listed; together they give" if left > 1 else "1 more path gives"
            )
            yield Sentence(f"{many} {rest}.")
        if why.n_paths > 1:
            yield Sentence(f"The sum over all {_counted(why.n_paths)} paths: {self._text(whole)}.")

    def _path(self, path: Path, place: int) -> Iterator[Part]:
        """A path: the product, unless it is the only one, and its factors."""
        if place:
            product = " * ".join(factor.symbol for factor in path.factors)
            numbers = " * ".join(self._factor(factor.value) for factor in path.factors)
            yield Formula((f"path_{place} = {product}", f"= {numbers}", f"= {self._text(path.value)}"))
        rows = tuple((f.symbol, f.formula, f.numbers, self._text(f.value), f.where) for f in path.factors)
        yield Table(("factor", "is", "in numbers", "value", "where"), rows, right=(3,), formulas=(0, 1, 2))

    # ---- an array ---------------------------------------------------------------------------------------------------

    def _of_array(self) -> Iterator[Part]:
        """A column or a whole matrix: the two arrays whose product it is."""
        why, node = self.why, self.why.node
        yield Sentence(f"{why.name}, {self._whose()}: every entry is a delta times what went in.")
        if why.own == "W":
            yield Matrix(f"{why.parameter}.X", node.X[why.rows], "", "what went in")
        own, note = ("dZ", "delta") if isinstance(node.layer, Dense) else ("dY", "")
        yield Matrix(f"{why.parameter}.{own}", node.dY[why.rows], "", note)
        formula = node.spec.formulas.get(f"d{why.own}", "")
        formula += " + l1 sign(W) + l2 W" if why.penalty.any() else ""
        yield Matrix(f"d {why.name}", why.value, formula, "the sum over all paths, by local derivatives")
        yield from self._remarks()
        yield Sentence("Ask for one entry to see its chain of factors.", "note")

    # ---- remarks, agreement -----------------------------------------------------------------------------------------

    def _remarks(self) -> Iterator[Part]:
        """What is particular about this network and these rows."""
        trace, name = self.why.trace, self.why.address.name
        parameter = next(p for p in trace.objective.layout.parameters if p.name == name)
        if not parameter.trainable:
            yield Sentence(f"{name} is frozen: it has a gradient, but training leaves it.", "note")
        if trace.made.by_jacobian is not None:
            loss = trace.objective.loss
            yield Sentence(f"{loss.fuses_with} and {loss.name} are one function here: dL/dz = o - t.", "note")
        for node in self.chain.way_on(self.why.node):
            if isinstance(local(node), OverRows) and len(node.Y) > 1:
                yield Sentence(f"{node.name} mixes the rows of the batch: paths from one row reach all others.", "note")
        yield from (Sentence(text, "note") for text in probes.at_kinks(trace, self.why.rows))

    def _agreement(self) -> Iterator[Part]:
        """The sum over paths, the gradient and the central difference beside each other."""
        why = self.why
        yield Heading("Do they agree?")
        told = f"{why.error:.1e}: {why.band}"
        if why.alone:
            rows = (
                ("sum over all paths", f"{why.value:.12g}", ""),
                ("gradient of the backward pass", f"{why.gradient:.12g}", _apart(why.value, why.gradient)),
                ("central difference", f"{why.difference:.12g}", f"relative error {told}"),
            )
            yield Table(("", "dL/dw", ""), rows, right=(1,))
        else:
            worst = float(np.max(np.abs(why.value - why.gradient), initial=0.0))
            probed = f"{why.n_probed} of {why.places.size} entries: relative error at most"
            summary = (
                ("sum over all paths, backward pass", f"apart by {worst:.1e} at most"),
                ("central differences", f"{probed} {told}"),
            )
            yield Table((), summary)
        if band_of(why.error) != why.band:
            yield Sentence(f"They differ by less than such a quotient rounds, {why.noise:.0e}: that is good.", "note")
        for words in why.crossed:
            yield Sentence(f"The difference steps across a kink: {words}. There it says little.", "warning")


def _counted_in_words(live: int, dead: int) -> str:
    paths = "1 path leads" if live == 1 else f"{_counted(live)} paths lead"
    also = "" if not dead else f" ({_counted(dead)} more have a factor 0)" if dead > 1 else " (1 more has a factor 0)"
    return f"{paths} from here to the loss{also}."


def _counted(paths: int) -> str:
    """``1,024``; of more than a float64 counts one by one the size: ``about 2.6e+120``.

    >>> _counted(1024), _counted(2**400)
    ('1,024', 'about 2.6e+120')
    """
    return f"{paths:,}" if paths < 2**53 else f"about {paths:.1e}"


def _apart(a: float, b: float) -> str:
    return "the same to the last bit" if a == b else f"apart by {abs(a - b):.1e}"
