"""Local derivatives: how each output of a node depends on each of its inputs, and what follows from them alone.

A path from a number to the loss is a product of them, a gradient the sum over all paths. Entries are counted flat over
a batch: entry e of an array ``(B, O)`` is row e // O, unit e % O; arrays of more axes count as ``(B, everything)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from chainrule.layers import Activation, Dense, Dropout
from chainrule.layers.normalization import Norm

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.arrays import Floats, Ints
    from chainrule.insight.passes import Node


class Product(NamedTuple):
    """``Z = X W``: dz_o/dx_i = W[i, o], the same in every row; ``J (I, O)``."""

    J: Floats


class Slopes(NamedTuple):
    """Each output depends on its own input alone: ``J (B, O)``."""

    J: Floats


class WithinRows(NamedTuple):
    """Outputs depend on all inputs of their row: dy_o/dx_i = ``J[row, o, i]``."""

    J: Floats


class OverRows(NamedTuple):
    """Outputs depend on the same feature in all rows: dy[b]/dx[c] = ``J[b, c, feature]`` (batch norm in training)."""

    J: Floats


class Branches(NamedTuple):
    """``Y = X + F(X)``: past the nodes inside and through them."""

    inside: list[Node]


Local: TypeAlias = Product | Slopes | WithinRows | OverRows | Branches


def local(node: Node) -> Local:
    """The local derivatives of a node at this point; made once."""
    if node.local is None:
        node.local = _made(node)
    found: Local = node.local
    return found


def _made(node: Node) -> Local:
    layer = node.layer
    if isinstance(layer, Dense):
        return Product(np.asarray(node.params["W"]))
    if node.inside:
        return Branches(node.inside)
    alone = _of_each_alone(node)
    if alone is not None:
        return Slopes(alone)
    return OverRows(_by_row(node)) if isinstance(layer, Norm) and layer.over_rows else WithinRows(_by_output(node))


def _of_each_alone(node: Node) -> Floats | None:
    """The slopes ``(B, O)`` of a layer whose outputs depend on their own input alone; None for any other."""
    layer = node.layer
    if isinstance(layer, Activation) and layer.f.elementwise:
        return np.asarray(layer.f.slope(node.X, node.Y))
    if isinstance(layer, Dropout):
        return np.ones_like(node.X) if node.saved.mask is None else np.asarray(node.saved.mask)
    if isinstance(layer, Norm) and node.saved.fixed:
        return np.broadcast_to(node.params["gamma"] * node.saved.inverse_std, node.X.shape)
    return None


def _by_output(node: Node) -> Floats:
    """The Jacobian within rows ``(B, O, I)``: what `backward` makes of a 1 at one output of every row."""
    B, O = len(node.Y), node.Y[0].size
    J = np.empty((B, O, node.X[0].size), dtype=node.Y.dtype)
    one = np.zeros((B, O), dtype=node.Y.dtype)
    for o in range(O):
        one[:, o] = 1
        J[:, o] = node.back(one.reshape(node.Y.shape)).reshape(B, -1)
        one[:, o] = 0
    return J


def _by_row(node: Node) -> Floats:
    """The Jacobian over rows ``(B, B, I)``: what `backward` makes of a row of ones."""
    J = np.empty((len(node.Y), *node.X.shape), dtype=node.Y.dtype)
    for b in range(len(node.Y)):
        one = np.zeros_like(node.Y)
        one[b] = 1
        J[b] = node.back(one)
    return J


# ---- sums over all paths --------------------------------------------------------------------------------------------


Counting: TypeAlias = Literal["", "live", "all"]
"""Whether to sum products (empty), to count the paths whose product is not 0, or to count all that there are."""


def pull(found: Local, d: Floats, counting: Counting = "") -> Floats:
    """From dL/dY the sums over all ways back, dL/dX; or from numbers of paths at the outputs those at the inputs."""
    if isinstance(found, Branches):
        inner = d
        for node in reversed(found.inside):
            inner = pull(local(node), inner, counting)
        return np.asarray(d + inner)
    J = found.J
    if counting:
        J = np.ones(J.shape) if counting == "all" else (J != 0).astype(np.float64)
    if isinstance(found, Product):
        return np.asarray(d @ J.T)
    if isinstance(found, Slopes):
        return np.asarray(d * J.reshape(d.shape))
    if isinstance(found, WithinRows):
        return np.asarray(np.einsum("bo,boi->bi", d.reshape(len(d), -1), J))
    return np.asarray(np.einsum("bf,bcf->cf", d, J))


# ---- the largest paths ----------------------------------------------------------------------------------------------


class Hop(NamedTuple):
    """A factor of a path: node, the entries of its output and its input, and the local derivative between them."""

    node: Node
    out: int
    into: int
    value: float


class Largest(NamedTuple):
    """The largest products on the way from each entry to the loss.

    Attributes:
        values: ``(entries, k)``, signed, by falling size; 0 where there are no more.
        hops: the factors of one of them, from its entry and rank, first the one nearest to the entry.
    """

    values: Floats
    hops: Callable[[int, int], list[Hop]]


def at_loss(dY: Floats) -> Largest:
    """At the outputs the only factor left is dL/dY."""
    return Largest(dY.reshape(-1, 1), lambda _entry, _rank: [])


def largest(node: Node, after: Largest, k: int) -> Largest:
    """The k largest products from each input of a node, from those at its outputs."""
    found = local(node)
    if isinstance(found, Branches):
        inner = after
        for inside in reversed(found.inside):
            inner = largest(inside, inner, k)
        return _either(after, inner, k)
    if isinstance(found, Slopes):
        J = found.J.reshape(-1)
        return Largest(
            after.values * J[:, None],
            lambda entry, rank: [Hop(node, entry, entry, float(J[entry])), *after.hops(entry, rank)],
        )
    return _through(node, found, after, k)


def _either(past: Largest, through: Largest, k: int) -> Largest:
    """The largest of two branches."""
    values, order = _top(np.concatenate([past.values, through.values], axis=1), k)
    width = past.values.shape[1]

    def hops(entry: int, rank: int) -> list[Hop]:
        place = int(order[entry, rank])
        return past.hops(entry, place) if place < width else through.hops(entry, place - width)

    return Largest(values, hops)


def _through(node: Node, found: Product | WithinRows | OverRows, after: Largest, k: int) -> Largest:
    """Where an input has many ways on: the best of all of them, for every input."""
    B, O, I = len(node.Y), node.Y[0].size, node.X[0].size
    V = after.values.reshape(B, O, -1)
    ranks = V.shape[2]
    values = np.zeros((B, I, k), dtype=V.dtype)
    order = np.zeros((B, I, k), dtype=np.int64)
    for b in range(B):
        for i in range(0, I, _INPUTS):
            some = slice(i, i + _INPUTS)
            each = _ways(found, V, b, some)  # (inputs, ways on, ranks)
            values[b, some], order[b, some] = _top(each.reshape(len(each), -1), k)

    def hops(entry: int, rank: int) -> list[Hop]:
        b, i = divmod(entry, I)
        way, rest = divmod(int(order[b, i, rank]), ranks)
        out = way * O + i if isinstance(found, OverRows) else b * O + way
        return [Hop(node, out, entry, _between(found, b, i, way)), *after.hops(out, rest)]

    return Largest(values.reshape(B * I, k), hops)


_INPUTS = 256  # taken at a time: bounds the memory


def _ways(found: Product | WithinRows | OverRows, V: Floats, b: int, some: slice) -> Floats:
    """The products of every way on from some inputs of a row: ``(inputs, ways on, ranks)``."""
    if isinstance(found, Product):
        return np.asarray(found.J[some, :, None] * V[b])
    if isinstance(found, WithinRows):
        return np.asarray(found.J[b].T[some, :, None] * V[b])
    return np.moveaxis(found.J[:, b, some, None] * V[:, some], 0, 1)


def _between(found: Product | WithinRows | OverRows, b: int, i: int, way: int) -> float:
    if isinstance(found, Product):
        return float(found.J[i, way])
    return float(found.J[b, way, i] if isinstance(found, WithinRows) else found.J[way, b, i])


def _top(values: Floats, k: int) -> tuple[Floats, Ints]:
    """The k largest of each line by size, and where they stood; filled up with 0."""
    sizes = np.abs(values)
    some = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    if values.shape[1] > k:
        some = np.argpartition(-sizes, k - 1, axis=1)[:, :k]
    falling = np.argsort(-np.take_along_axis(sizes, some, axis=1), axis=1, kind="stable")
    order = np.take_along_axis(some, falling, axis=1)
    missing = ((0, 0), (0, max(k - order.shape[1], 0)))
    return np.pad(np.take_along_axis(values, order, axis=1), missing), np.pad(order, missing)


# ---- where a parameter enters ---------------------------------------------------------------------------------------


class Start(NamedTuple):
    """Where a parameter meets the data: the entry of the node's output, and the derivative of that entry by it."""

    out: int
    value: float


def starts(node: Node, own: str, place: tuple[int, ...], rows: list[int]) -> list[Start]:
    """The first steps of all paths from an entry of a parameter, in these rows."""
    O, last = node.Y[0].size, place[-1]
    if isinstance(node.layer, Dense):
        factor = node.X[:, place[0]] if own == "W" else np.ones(len(node.X))
        return [Start(b * O + last, float(factor[b])) for b in rows]
    if isinstance(node.layer, Norm):
        factor = node.saved.H[:, last] if own == "gamma" else np.ones(len(node.X))
        return [Start(b * O + last, float(factor[b])) for b in rows]
    return _starts_by_backward(node, own, place, rows)


def _starts_by_backward(node: Node, own: str, place: tuple[int, ...], rows: list[int]) -> list[Start]:
    """Of any other layer: what `backward` makes of a 1 at each output."""
    found = []
    O = node.Y[0].size
    for b in rows:
        for o in range(O):
            one = np.zeros_like(node.Y)
            one.reshape(len(one), -1)[b, o] = 1
            _, grads = node.layer.backward(node.params, node.saved, one, want_dX=False)
            value = float(grads[own][place])
            if value:
                found.append(Start(b * O + o, value))
    return found
