"""Places for the nodes of an acyclic graph: layers from left to right, few crossings, edges nearly straight.

Sugiyama, Tagawa, Toda, "Methods for Visual Understanding of Hierarchical System Structures" (1981): layers by the
longest way, a stand-in on every layer that an edge passes, each layer in the order of the mean of its neighbours.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_SWEEPS = 8


class Layout(NamedTuple):
    """Where everything stands, in layers and rows.

    Attributes:
        layer: of each node, 0 for the leftmost.
        row: of each node, from 0 down; not always whole.
        bends: the layer and row of the stand-ins along an edge, by its two ends.
    """

    layer: list[int]
    row: list[float]
    bends: dict[tuple[int, int], list[tuple[int, float]]]


def layered(operands: Sequence[Sequence[int]]) -> Layout:
    """The layout of a graph in which every node comes after its operands.

    >>> layered([(), (), (0, 1)]).layer, layered([(), (), (0, 1)]).row
    ([0, 0, 1], [0.0, 1.0, 0.5])
    """
    layer = _layers(operands)
    nodes, edges, ways = _with_stand_ins(operands, layer)
    before, after = _neighbours(edges)
    ranks: list[list[int]] = [[] for _ in range(max(nodes) + 1)]
    for node, rank in enumerate(nodes):
        ranks[rank].append(node)
    row = _rows(ranks, before, after)
    top = min(row.values())
    return Layout(
        layer,
        [row[node] - top for node in range(len(operands))],
        {ends: [(nodes[node], row[node] - top) for node in way] for ends, way in ways.items()},
    )


def _layers(operands: Sequence[Sequence[int]]) -> list[int]:
    """One more than the operands' highest; what has no operands stands just before its first user."""
    layer = [0] * len(operands)
    for node, below in enumerate(operands):
        layer[node] = max((layer[operand] + 1 for operand in below), default=0)
    first_user: dict[int, int] = {}
    for node, below in enumerate(operands):
        for operand in below:
            first_user[operand] = min(layer[node], first_user.get(operand, layer[node]))
    return [layer[n] if operands[n] else first_user.get(n, 1) - 1 for n in range(len(operands))]


def _with_stand_ins(
    operands: Sequence[Sequence[int]], layer: list[int]
) -> tuple[list[int], list[tuple[int, int]], dict[tuple[int, int], list[int]]]:
    """The layer of every node and stand-in, edges between neighbouring layers, and the stand-ins of each long edge."""
    nodes, edges, ways = list(layer), [], {}
    for node, below in enumerate(operands):
        for operand in dict.fromkeys(below):
            way = list(range(len(nodes), len(nodes) + layer[node] - layer[operand] - 1))
            nodes += range(layer[operand] + 1, layer[node])
            stops = [operand, *way, node]
            edges += list(pairwise(stops))
            ways[operand, node] = way
    return nodes, edges, ways


def _neighbours(edges: list[tuple[int, int]]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    before, after = defaultdict(list), defaultdict(list)
    for left, right in edges:
        before[right].append(left)
        after[left].append(right)
    return before, after


def _rows(ranks: list[list[int]], before: dict[int, list[int]], after: dict[int, list[int]]) -> dict[int, float]:
    """Each node at the mean of its neighbours, in turns from the left and from the right, a row apart from the next."""
    row = {node: float(place) for rank in ranks for place, node in enumerate(rank)}
    for sweep in range(_SWEEPS):
        neighbours, order = (before, ranks) if sweep % 2 == 0 else (after, ranks[::-1])
        for rank in order:
            wish = {n: _mean([row[m] for m in neighbours.get(n, ())], row[n]) for n in rank}
            row.update(_apart(sorted(rank, key=lambda n: (wish[n], row[n])), wish))
    return row


def _mean(numbers: list[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _apart(ordered: list[int], wish: dict[int, float]) -> dict[int, float]:
    """As near to the wishes as one row of distance allows, the whole shifted so that the error is 0 on average."""
    placed: dict[int, float] = {}
    last = -float("inf")
    for node in ordered:
        last = placed[node] = max(wish[node], last + 1)
    shift = sum(placed[node] - wish[node] for node in ordered) / len(ordered)
    return {node: place - shift for node, place in placed.items()}
