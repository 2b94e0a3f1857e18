"""The way of the rows through an ONNX graph: one chain, with shortcuts past a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.errors import ArgumentError, FileFormatError
from chainrule.importing.onnx_knots import Knot, find_knot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from chainrule.importing.steps import Numbers

_SHOWN = 5
_DEEPEST = 16  # shortcuts within shortcuts


class Shortcut(NamedTuple):
    """``Y = X + F(X)``: the nodes of F, and the one that adds."""

    inside: tuple[Any, ...]
    add: Any


def flat(path: Sequence[Any]) -> Iterator[Any]:
    """The nodes of a path, those beside a shortcut before the one that adds."""
    for each in path:
        if isinstance(each, Shortcut):
            yield from flat(each.inside)
            yield each.add
        else:
            yield each


def without_others(nodes: list[Any], end: str, others: Sequence[str]) -> list[Any]:
    """The nodes without those that lead to other outputs alone."""
    here, there = _leading_to(nodes, {end}), _leading_to(nodes, set(others))
    return [node for node, ours, theirs in zip(nodes, here, there, strict=True) if ours or not theirs]


def _leading_to(nodes: list[Any], wanted: set[str]) -> list[bool]:
    """Whether each node leads to one of these names; they stand in the order in which they compute."""
    leads = []
    for node in reversed(nodes):
        leads.append(not wanted.isdisjoint(node.output))
        if leads[-1]:
            wanted.update(node.input)
    return leads[::-1]


class Walk:
    """From the input to the output; each node takes what the one before it gives.

    Args:
        nodes: all that compute.
        constants: the numbers of the graph by name.
        where: the file, for messages.
        title: how messages name a node.

    Attributes:
        knots: the nodes that are one layer together, by the output of the last.
    """

    def __init__(
        self, nodes: list[Any], constants: Mapping[str, Numbers], where: str, title: Callable[[Any], str]
    ) -> None:
        self._nodes, self._constants, self._where, self._title = nodes, constants, where, title
        self._takers: dict[str, list[Any]] = {}
        for node in nodes:
            for name in dict.fromkeys(node.input):
                self._takers.setdefault(name, []).append(node)
        self._all = {name: tuple(takers) for name, takers in self._takers.items()}
        self._steps = 0
        self.knots: dict[str, Knot] = {}

    def between(self, start: str, end: str, width: int | None) -> list[Any]:
        """All nodes as a path, shortcuts with what is beside them.

        Args:
            start: the name of the rows.
            end: the name of the outputs.
            width: I, where it is known.

        Raises:
            ArgumentError: where they branch in another way, or lead elsewhere.
            FileFormatError: where they lead nowhere, or round in a circle.
        """
        path = self._path(start, end, width, depth=0)
        walked = [*flat(path), *(node for knot in self.knots.values() for node in knot.nodes)]
        beyond = self._takers.get(end, [])
        left = [node for node in (*beyond, *self._nodes) if not any(node is known for known in walked)] or beyond
        if left:
            raise ArgumentError(f"{self._title(left[0])} does not lie between input and output", where=self._where)
        return path

    def _path(self, at: str, end: str, width: int | None, *, depth: int) -> list[Any]:
        path: list[Any] = []
        while at != end:
            step = self._next(at, width, depth)
            self._steps += 1
            if self._steps > len(self._nodes):
                raise FileFormatError("its nodes go round in a circle", where=self._where)
            path.append(step)
            last = step.add if isinstance(step, Shortcut) else step
            at, width = last.output[0], self._width_behind(last, width)
        return path

    def _next(self, at: str, width: int | None, depth: int) -> Any:
        """The node that takes the values of this name, the last of a knot or the shortcut that begins there."""
        here = self._takers.get(at, [])
        if len(here) == 1:
            return here[0]
        if not here:
            raise FileFormatError(f"nothing takes the values {at!r}, and they are not the output", where=self._where)
        knot = find_knot(at, self._takers, self._constants, width)
        if knot is not None:
            self.knots[knot.nodes[-1].output[0]] = knot
            return knot.nodes[-1]
        adding = [node for node in here if node.op_type == "Add" and not self._constants.keys() & set(node.input)]
        if not adding or depth == _DEEPEST:
            takers = self._all[at]
            names = ", ".join(map(self._title, takers[:_SHOWN])) + (", …" if len(takers) > _SHOWN else "")
            mend = (
                "A graph that is one chain is supported, with shortcuts that are added and activations written out in "
                f"single nodes; output={at!r}, in Python, ends it there."
            )
            raise ArgumentError(f"it branches: {names} all take {at!r}", where=self._where, mend=mend)
        return self._shortcut(at, adding[-1], width, depth)

    def _shortcut(self, at: str, add: Any, width: int | None, depth: int) -> Shortcut:
        """What lies beside a shortcut; of several that begin here the last to end goes past the others."""
        (end,) = [name for name in add.input if name != at]
        self._takers[at] = [node for node in self._takers[at] if node is not add]
        return Shortcut(tuple(self._path(at, end, width, depth=depth + 1)), add)

    def _width_behind(self, node: Any, width: int | None) -> int | None:
        """How many values a row has behind a node, where that is known."""
        W = self._constants.get(node.input[1]) if node.op_type in {"Gemm", "MatMul"} and len(node.input) > 1 else None
        if W is None or W.ndim != 2:
            return width
        turned = any(each.name == "transB" and each.i for each in node.attribute)
        return int(W.shape[0 if turned else 1])
