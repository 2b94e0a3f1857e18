"""`Trace.why`: where the gradient of a parameter comes from, as a sum over all paths to the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.insight import addresses, probes
from chainrule.insight.chain import Chain, Expression, Factor
from chainrule.insight.differences import band_of, relative_error
from chainrule.insight.local import Counting, Largest, Start, at_loss, largest, local, pull, starts
from chainrule.insight.rendering import (
    Document,
    Explained,
    Formula,
    Heading,
    Matrix,
    Part,
    Sentence,
    Table,
    number,
    plain,
)
from chainrule.insight.rendering.numbers import in_product
from chainrule.layers import Dense

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Floats
    from chainrule.insight.trace import Trace

_DIGITS = 6
_LISTED = 10  # rows of a batch that a table shows
_PROBED = 64  # entries of an array that a central difference is taken at


class Path(NamedTuple):
    """One path from a parameter to the loss: the product of its factors, the one at the loss first."""

    value: float
    factors: tuple[Factor, ...]


class Why(Explained):
    """Why a gradient is what it is; made by `Trace.why`. Print it.

    Attributes:
        name: the address that was asked about.
        row: of the batch; None for the sum over all rows.
        value: the sum over all paths of the products of their local derivatives: a number or an array.
        gradient: what the layers' backward pass gives, which training uses.
        difference: the central difference of the loss; of a large array at some of its entries, elsewhere nan.
        error: the largest relative error between gradient and central difference.
        band: what that means.
        n_paths: how many paths there are whose product is not 0; of an array those of all its entries.
        crossed: the kinks that the central difference steps across, in words.
    """

    def __init__(self, trace: Trace, name: str, row: int | None, shown_paths: int) -> None:
        self.trace, self.row, self.shown_paths = trace, row, shown_paths
        self.address = addresses.parse(name, probes.parameter_names(trace), where="why")
        self.name = str(self.address)
        self.parameter, _, self.own = self.address.name.rpartition(".")
        self.rows = probes.rows_of(trace, row)
        self.node = probes.node_of(trace, self.parameter, self.own)
        self.array = np.asarray(self.node.params[self.own])
        self.places = self.address.entries(self.array.shape)
        self.alone = self.places.ndim == 0
        with np.errstate(all="ignore"):
            self._penalty = probes.penalty_of(trace, self.address.name, row)
            self._d = self._all_the_way("")
            value = self._by_local_derivatives() + self._penalty
            self.value = self._part(value)
            self.gradient = self._part(
                probes.gradient_of(trace, self.node, self.own, self.address.name, self.rows, row)
            )
            self.difference, self.crossed = self._differences()
        self._judge()

    # ---- numbers ----------------------------------------------------------------------------------------------------

    def _part(self, whole: Floats) -> Any:
        """What was asked for, of an array like the parameter."""
        part = whole.reshape(-1)[self.places]
        return float(part) if self.alone else part

    def _at_loss(self, counting: Counting) -> Floats:
        """DL by the outputs of the last node of the way; or where there is a path, 1."""
        made = self.trace.made
        d = made.nodes[-1].dX if made.by_jacobian is not None else made.dY
        if counting:
            d = np.ones(d.shape) if counting == "all" else (d != 0).astype(np.float64)
        return np.asarray(d)

    def _all_the_way(self, counting: Counting) -> Floats:
        """From the loss back to the output of the node, by local derivatives alone."""
        d = self._at_loss(counting)
        for node in reversed(Chain(self.trace.made, _DIGITS).way_on(self.node)):
            d = pull(local(node), d, counting)
        return d

    def _by_local_derivatives(self) -> Floats:
        """The sum over all paths, for every entry of the parameter."""
        d = np.zeros_like(self._d)
        d[self.rows] = self._d[self.rows]
        node = self.node
        if isinstance(node.layer, Dense):
            return node.X.T @ d if self.own == "W" else d.sum(axis=0)
        _, grads = node.layer.backward(node.params, node.saved, d.reshape(node.Y.shape), want_dX=False)
        return np.asarray(grads[self.own])

    def _differences(self) -> tuple[Any, tuple[str, ...]]:
        """Central differences at the entries asked for, or at some of them; and the kinks they stepped across."""
        flat = np.atleast_1d(self.places).reshape(-1)
        some = np.unique(np.linspace(0, len(flat) - 1, min(_PROBED, len(flat))).astype(int))
        found = np.full(len(flat), np.nan)
        crossed: dict[str, None] = {}
        for k in some:
            probe = probes.central(self.trace, self.node, self.address.name, int(flat[k]), self.row)
            found[k] = probe.slope
            crossed |= dict.fromkeys(probe.crossed)
        self.noise = probes.noise(self.trace)
        return (float(found[0]) if self.alone else found.reshape(self.places.shape)), tuple(crossed)

    def _judge(self) -> None:
        gradient, difference = np.ravel(self.gradient), np.ravel(self.difference)
        pairs = [(a, n) for a, n in zip(gradient.tolist(), difference.tolist(), strict=True) if not np.isnan(n)]
        self.error = max((relative_error(a, n) for a, n in pairs), default=0.0)
        beyond = [relative_error(a, n) for a, n in pairs if not abs(a - n) <= self.noise]
        self.band = band_of(max(beyond, default=0.0))
        self.n_probed = len(pairs)
        self.n_paths = self._counted("live")
        self.n_dead = self._counted("all") - self.n_paths

    def _counted(self, kind: Counting) -> int:
        ways = self._all_the_way(kind).reshape(-1)
        if self.alone:
            found = self._starts()
            return round(sum(float(ways[s.out]) for s in found if s.value or kind == "all"))
        rows = ways.reshape(len(self.node.Y), -1)[self.rows]
        return int(round(float(rows.sum())) * max(self.places.size // max(self.node.Y[0].size, 1), 1))

    def _starts(self) -> list[Start]:
        place = tuple(int(p) for p in np.unravel_index(int(self.places), self.array.shape))
        return starts(self.node, self.own, place, self.rows)

    # ---- paths ------------------------------------------------------------------------------------------------------

    def paths(self, most: int = 10) -> tuple[Path, ...]:
        """The largest paths of one entry, by the size of their product; none of those whose product is 0.

        Raises:
            ArgumentError: when an array was asked about.
        """
        return tuple(self._paths(Chain(self.trace.made, _DIGITS), most))

    def _paths(self, chain: Chain, most: int) -> Iterator[Path]:
        probes.check_alone(self.name, alone=self.alone)
        most = min(most, self.n_paths)
        if most < 1:
            return
        with np.errstate(all="ignore"):
            found: Largest = at_loss(self._at_loss(""))
            for node in reversed(chain.way_on(self.node)):
                found = largest(node, found, most)
        ranked = [
            (start.value * value, start, rank)
            for start in self._starts()
            for rank, value in enumerate(found.values[start.out].tolist())
        ]
        ranked = sorted(ranked, key=lambda entry: -abs(entry[0]))[:most]
        for value, start, rank in ranked:
            if value:
                hops = found.hops(start.out, rank)
                end = hops[-1].out if hops else start.out
                yield Path(value, (chain.loss_factor(end), *chain.factors(hops), self._first_factor(chain, start)))

    def _first_factor(self, chain: Chain, start: Start) -> Factor:
        """How the parameter enters: dz_h1/dw."""
        symbol, numbers, where = self._start_text(chain, start)
        of = f"d{chain.symbols.output(self.node, start.out)}/dw"
        return Factor(of, symbol, numbers, start.value, where)

    def _start_text(self, chain: Chain, start: Start) -> tuple[str, str, str]:
        """The first derivative in symbols and as a number, and its address; 1 for a bias."""
        if self.own in {"b", "beta"}:
            return "1", "1", self.address.name
        if isinstance(self.node.layer, Dense):
            I = self.node.X[0].size
            row = start.out // self.node.Y[0].size
            entry = row * I + int(self.places) // self.node.Y[0].size
            symbol = chain.symbols.input(self.node, entry, chain.before(self.node))
            return symbol, in_product(start.value, chain.digits), chain.symbols.used[symbol][1]
        row, unit = divmod(start.out, self.node.Y[0].size)
        symbol, where = (f"H_{unit + 1}", f"{self.parameter}.H[{row}, {unit}]")
        if self.own != "gamma":
            symbol, where = f"d{chain.symbols.output(self.node, start.out)}/dw", f"{self.parameter}: dY/d{self.own}"
        chain.symbols.used.setdefault(symbol, (start.value, where))
        return symbol, in_product(start.value, chain.digits), where

    # ---- what is shown ----------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"Why({self.name}: {self.value if self.alone else self.value.shape}; print it)"

    def document(self, *, digits: int = _DIGITS) -> Document:
        parts: list[Part] = []
        chain = Chain(self.trace.made, digits)
        if self.alone:
            parts += self._of_entry(chain, digits)
        else:
            parts += self._of_array()
        parts += self._agreement()
        shown = f" = {number(self.value, digits)}" if self.alone else f" {np.shape(self.value)}"
        return Document(f"dL/d {self.name}{shown}", tuple(parts))

    def _about(self, digits: int) -> str:
        w = f"w = {self.name} = {number(float(self.array.reshape(-1)[self.places]), digits)}"
        return f"{w}, {self._whose()}."

    def _whose(self) -> str:
        B = len(self.trace.batch.X)
        if self.row is not None:
            return f"the share of row {self.row}" + (f" in a batch of {B}" if B > 1 else "")
        return "for the one row" if B == 1 else f"summed over the {B} rows"

    def _of_entry(self, chain: Chain, digits: int) -> Iterator[Part]:
        found = self._starts()
        yield Sentence(self._about(digits))
        yield Heading("The chain rule, factored")
        main = max(found, key=lambda s: abs(s.value * float(self.node.dY.flat[s.out])), default=None)
        if main is None:
            yield Sentence("Nothing in these rows depends on it.")
            return
        if len(found) > 1:
            yield from self._over_rows(found, digits)
        e = chain.by_output(self.node, main.out)
        deltas = [Formula(_written(f"{symbol}", x, digits)) for symbol, x in chain.mentioned()]
        yield from deltas
        yield Formula(self._line(chain, e, main, alone=len(found) == 1, digits=digits))
        if self._penalty.any():
            yield from self._penalty_line(digits)
        yield from self._paths_part(chain, digits)
        yield Heading("What the letters stand for", 2)
        yield _legend(chain, digits)
        yield from self._remarks()

    def _line(self, chain: Chain, e: Expression, start: Start, *, alone: bool, digits: int) -> tuple[str, ...]:
        """The product for one row: in symbols, with numbers, factor by factor, and the result."""
        symbol, numbers, _ = self._start_text(chain, start)
        name = "dL/dw" if alone else f"dL/dw_{start.out // self.node.Y[0].size}"
        if symbol != "1":
            e = e.times(Expression(symbol, numbers, (start.value,), start.value))
        return _written(name, e, digits)

    def _over_rows(self, found: list[Start], digits: int) -> Iterator[Part]:
        """Delta times input for each row, the largest first, and the sum."""
        products = [(s, float(self.node.dY.flat[s.out])) for s in found]
        ranked = sorted(products, key=lambda each: -abs(each[0].value * each[1]))
        lines = []
        for start, d in ranked[:_LISTED]:
            place = np.unravel_index(start.out, self.node.Y.shape)
            where = f"{self.parameter}.{'dZ' if isinstance(self.node.layer, Dense) else 'dY'}"
            where += f"[{', '.join(str(int(p)) for p in place)}]"
            product = start.value * d
            lines.append((where, *(number(x, digits) for x in (d, start.value, product))))
        rest = ranked[_LISTED:]
        if rest:
            left = sum(s.value * d for s, d in rest)
            lines.append((f"{len(rest)} more", "", "", number(left, digits)))
        total = sum(s.value * d for s, d in products)
        lines.append(("sum", "", "", number(total, digits)))
        factor = "input" if isinstance(self.node.layer, Dense) else "dY/dw"
        yield Table(("row by row", "delta", factor, "product"), tuple(lines), right=(1, 2, 3))
        yield Sentence("The largest of these, written out:")

    def _penalty_line(self, digits: int) -> Iterator[Part]:
        objective = self.trace.objective
        w = float(self.array.reshape(-1)[self.places])
        p = float(self._penalty.reshape(-1)[self.places])
        yield Sentence("The penalty adds its own slope:")
        l1, l2, at = (number(x, digits) for x in (objective.l1, objective.l2, w))
        numbers = f"{l1} sign({at}) + {l2} * {in_product(w, digits)}"
        yield Formula(("dP/dw = l1 sign(w) + l2 w", f"= {numbers}", f"= {number(p, digits)}"))
        data = self.value - p
        yield Formula(
            ("d(L + P)/dw", f"= {number(data, digits)} + {in_product(p, digits)}", f"= {number(self.value, digits)}")
        )

    def _paths_part(self, chain: Chain, digits: int) -> Iterator[Part]:
        """How many paths there are; and the largest of them, where they were asked for."""
        count = _counted_in_words(self.n_paths, self.n_dead)
        yield Heading("Paths", 2)
        if not self.shown_paths and self.n_paths > 1:
            yield Sentence(f"{count} With paths=10 the ten largest are listed, factor by factor.")
            return
        listed = list(self._paths(chain, max(self.shown_paths, 1)))
        told = sum(path.value for path in listed)
        yield Sentence(count + ("" if len(listed) <= 1 else " The largest first:"))
        for place, path in enumerate(listed, start=1):
            product = " * ".join(factor.symbol for factor in path.factors)
            numbers = " * ".join(in_product(factor.value, digits) for factor in path.factors)
            if len(listed) > 1:
                yield Formula((f"path_{place} = {product}", f"= {numbers}", f"= {number(path.value, digits)}"))
            rows = tuple((f.symbol, f.formula, f.numbers, number(f.value, digits), f.where) for f in path.factors)
            yield Table(("factor", "is", "in numbers", "value", "where"), rows, right=(3,), formulas=(0, 1, 2))
        left = self.n_paths - len(listed)
        whole = self.value - float(self._penalty.reshape(-1)[self.places])
        if left:
            yield Sentence(f"{left:,} more paths are not listed; together they give {number(whole - told, digits)}.")
        if self.n_paths > 1:
            yield Sentence(f"The sum over all {self.n_paths:,} paths: {number(whole, digits)}.")

    def _of_array(self) -> Iterator[Part]:
        """A column or a whole matrix: the two arrays whose product it is."""
        node, formulas = self.node, self.node.spec.formulas
        yield Sentence(f"{self.name}, {self._whose()}: every entry is a delta times what went in.")
        if isinstance(node.layer, Dense):
            units = self.address.places[-1] if self.own == "b" and self.address.places else slice(None)
            if self.own == "W":
                yield Matrix(f"{self.parameter}.X", node.X[self.rows], "", "what went in")
            yield Matrix(f"{self.parameter}.dZ", node.dY[self.rows][:, units], "", "delta")
        else:
            yield Matrix(f"{self.parameter}.dY", node.dY[self.rows])
        formula = formulas.get(f"d{self.own}", "") + (" + l1 sign(W) + l2 W" if self._penalty.any() else "")
        yield Matrix(f"d {self.name}", self.value, formula, "the sum over all paths, by local derivatives")
        yield from self._remarks()
        yield Sentence("Ask for one entry to see its chain of factors.", "note")

    def _remarks(self) -> Iterator[Part]:
        """Dropped and flat places, frozen parameters."""
        layout = self.trace.objective.layout
        parameter = next(p for p in layout.parameters if p.name == self.address.name)
        if not parameter.trainable:
            yield Sentence(f"{self.address.name} is frozen: it has a gradient, but training leaves it.", "note")
        yield from (Sentence(text, "note") for text in probes.at_kinks(self.trace, self.rows))

    def _agreement(self) -> Iterator[Part]:
        """The sum, the engine's gradient and the central difference beside each other."""
        yield Heading("Do they agree?")
        if self.alone:
            rows = (
                ("sum over all paths", f"{self.value:.12g}", ""),
                ("gradient of the backward pass", f"{self.gradient:.12g}", _apart(self.value, self.gradient)),
                ("central difference", f"{self.difference:.12g}", f"relative error {self.error:.1e}: {self.band}"),
            )
            yield Table(("", "dL/dw", ""), rows, right=(1,))
        else:
            worst = float(np.max(np.abs(self.value - self.gradient), initial=0.0))
            probed = f"{self.n_probed} of {self.places.size} entries: relative error"
            summary = (
                ("sum over all paths and backward pass", f"largest difference {worst:.1e}"),
                ("central differences", f"{probed} at most {self.error:.1e}: {self.band}"),
            )
            yield Table((), summary)
        if band_of(self.error) != self.band:
            yield Sentence(f"They differ by less than such a quotient rounds, {self.noise:.0e}: that is good.", "note")
        for words in self.crossed:
            yield Sentence(f"The difference steps across a kink: {words}. There it says little.", "warning")

    def data(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "name": self.name,
            "row": self.row,
            "value": plain(self.value),
            "gradient": plain(self.gradient),
            "difference": plain(self.difference),
            "relative_error": plain(self.error),
            "band": self.band,
            "paths": self.n_paths,
            "paths_that_are_zero": self.n_dead,
            "kinks_crossed": list(self.crossed),
        }
        if self.alone:
            paths = self.paths(max(self.shown_paths, 10))
            told["largest_paths"] = [
                {"value": p.value, "factors": [factor._asdict() for factor in p.factors]} for p in paths
            ]
        return told


def _written(name: str, e: Expression, digits: int) -> tuple[str, ...]:
    """In symbols, with the numbers, factor by factor where that says more, and the value."""
    lines = [f"{name} = {e.symbols}", f"= {e.numbers}"]
    factors = " * ".join(in_product(factor, digits) for factor in e.factors)
    if len(e.factors) > 1 and factors != e.numbers:
        lines.append(f"= {factors}")
    value = number(e.value, digits)
    if lines[-1] != f"= {value}":
        lines.append(f"= {value}")
    return tuple(lines)


def _legend(chain: Chain, digits: int) -> Table:
    rows = [(symbol, number(value, digits), where) for symbol, (value, where) in chain.symbols.used.items()]
    return Table(("", "value", "where"), tuple(rows), right=(1,), formulas=(0,))


def _counted_in_words(live: int, dead: int) -> str:
    paths = "1 path leads" if live == 1 else f"{live:,} paths lead"
    also = "" if not dead else f" ({dead:,} more have a factor 0)" if dead > 1 else " (1 more has a factor 0)"
    return f"{paths} from here to the loss{also}."


def _apart(a: float, b: float) -> str:
    return "the same to the last bit" if a == b else f"apart by {abs(a - b):.1e}"
