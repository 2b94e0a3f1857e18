"""`Trace.why`: where the gradient of a parameter comes from, as a sum over all paths to the loss."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule import checks
from chainrule.insight import addresses, probes
from chainrule.insight.chain import Chain, Factor
from chainrule.insight.differences import band_of, relative_error
from chainrule.insight.local import Counting, Largest, Start, at_loss, largest, local, pull, starts
from chainrule.insight.rendering import Document, Explained, number, plain
from chainrule.insight.why_telling import Telling
from chainrule.layers import Dense

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Floats
    from chainrule.insight.trace import Trace

_DIGITS = 6
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
        n_paths: how many paths there are whose product is not 0; of an array those of all its entries. Counted in
            float64: exact below 2^53, and no more than its largest number, 1.8e308.
        crossed: the kinks that the central difference steps across, in words.
        penalty: the share of the penalties in the whole parameter's gradient.
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
            self.penalty = probes.penalty_of(trace, self.address.name, row)
            self._d = self._all_the_way("")
            value = self._by_local_derivatives() + self.penalty
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
        with np.errstate(over="ignore", invalid="ignore"):
            ways = self._all_the_way(kind).reshape(-1)
        if self.alone:
            found = self.starts()
            return _whole(sum(float(ways[s.out]) for s in found if s.value or kind == "all"))
        rows = ways.reshape(len(self.node.Y), -1)[self.rows]
        return _whole(float(rows.sum()) * max(self.places.size // max(self.node.Y[0].size, 1), 1))

    def starts(self) -> list[Start]:
        """Where the entry meets the rows."""
        place = tuple(int(p) for p in np.unravel_index(int(self.places), self.array.shape))
        return starts(self.node, self.own, place, self.rows)

    # ---- paths ------------------------------------------------------------------------------------------------------

    def paths(self, most: int = 10) -> tuple[Path, ...]:
        """The largest paths of one entry, by the size of their product; none of those whose product is 0.

        Raises:
            ArgumentError: when an array was asked about, or `most` is no whole number >= 0.
        """
        return tuple(self.paths_by(Chain(self.trace.made, _DIGITS), most))

    def paths_by(self, chain: Chain, most: int) -> Iterator[Path]:
        """The same, with the symbols of this chain."""
        probes.check_alone(self.name, alone=self.alone)
        most = min(checks.whole(most, "most", where="paths", least=0), self.n_paths)
        if most < 1:
            return
        with np.errstate(all="ignore"):
            found: Largest = at_loss(self._at_loss(""))
            for node in reversed(chain.way_on(self.node)):
                found = largest(node, found, most)
        ranked = [
            (start.value * value, start, rank)
            for start in self.starts()
            for rank, value in enumerate(found.values[start.out].tolist())
        ]
        ranked = sorted(ranked, key=lambda entry: -abs(entry[0]))[:most]
        for value, start, rank in ranked:
            if value:
                hops = found.hops(start.out, rank)
                end = hops[-1].out if hops else start.out
                yield Path(
                    value,
                    (
                        chain.loss_factor(end),
                        *chain.factors(hops),
                        chain.start_factor(self.node, self.own, int(self.places), start),
                    ),
                )

    # ---- what is shown ----------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"Why({self.name}: {self.value if self.alone else self.value.shape}; print it)"

    def document(self, *, digits: int = _DIGITS) -> Document:
        shown = f" = {number(self.value, digits)}" if self.alone else f" {np.shape(self.value)}"
        return Document(f"dL/d {self.name}{shown}", tuple(Telling(self, digits).parts()))

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


def _whole(count: float) -> int:
    """The count, or the largest float64: infinity, and what is NaN since 0 times infinity is, cannot be whole."""
    return round(min(sys.float_info.max, count))  # of NaN the first
