"""The body of the function that predicts, in C: every layer on buffers that are used again as soon as they are free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.export.program import Add, Apply, Fork, Linear, Normalize, Op, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.export.functions import Functions


class Prediction:
    """The statements that compute y from x.

    Attributes:
        buffers: the local arrays and their lengths.
        lines: the statements.
    """

    def __init__(self, program: Program, functions: Functions) -> None:
        self.program, self.functions = program, functions
        self.buffers: dict[str, int] = {}
        self._free: list[str] = []
        self._places = {"X": "x"}  # in which array a variable stands
        self._held: list[str] = []  # arrays that a shortcut still needs
        self._last = max((i for i, op in enumerate(program.ops) if isinstance(op, Linear)), default=-1)
        self.lines = [line for i, op in enumerate(program.ops) for line in self._op(i, op)]
        end = self._places[program.result]
        if end != "y":
            self.lines.append(_each(program.n_outputs, f"y[o] = {end}[o];"))

    def _op(self, index: int, op: Op) -> Iterator[str]:
        at = self._places[op.source]
        if isinstance(op, Fork):
            self._held.append(at)
        elif isinstance(op, Linear):
            to = "y" if index == self._last and "y" not in self._held else self._new(op.O)
            yield f"/* {op.layer}: {op.I} -> {op.O} */"
            bias = f", b{op.number}" if op.bias else ""
            yield f"linear{'' if op.bias else '_without_bias'}({at}, {op.I}, W{op.number}{bias}, {to}, {op.O});"
            self._release(at)
            self._places[op.result] = to
        else:
            to = self._place_to_write(at, op.O)
            self._places[op.result] = to
            if isinstance(op, Add):
                yield f"/* {op.layer}: and what went past */"
            elif isinstance(op, Normalize):
                yield f"/* {op.layer} */"
            yield from self._elementwise(op, at, to)

    def _elementwise(self, op: Op, at: str, to: str) -> Iterator[str]:
        n = op.number
        if isinstance(op, Add):
            past = self._places[op.shortcut]
            yield _each(op.O, f"{to}[o] = {at}[o] + {past}[o];")
            self._held.remove(past)
            if past != to:
                self._release(past)
        elif isinstance(op, Normalize) and op.over_rows:
            yield _each(op.O, f"{to}[o] = scale{n}[o] * {at}[o] + shift{n}[o];")
        elif isinstance(op, Normalize):
            yield f"normalize({at}, {to}, {op.O}, {op.epsilon!r}f);"
            yield _each(op.O, f"{to}[o] = gamma{n}[o] * {to}[o] + beta{n}[o];")
        elif isinstance(op, Apply) and not op.f.elementwise:
            yield f"softmax({at}, {to}, {op.O});"
        elif isinstance(op, Apply):
            value = f"{at}[o]" if op.f.name == "identity" else f"{self.functions.value(op.f)}({at}[o])"
            if value != f"{to}[o]":
                yield _each(op.O, f"{to}[o] = {value};")

    def _place_to_write(self, at: str, size: int) -> str:
        """The same array, unless it is the caller's or still needed as it is."""
        return self._new(size) if at == "x" or at in self._held else at

    def _new(self, size: int) -> str:
        name = self._free.pop() if self._free else f"h{len(self.buffers) + 1}"
        self.buffers[name] = max(self.buffers.get(name, 0), size)
        return name

    def _release(self, name: str) -> None:
        if name in self.buffers and name not in self._held and name not in self._free:
            self._free.append(name)


def _each(count: int, statement: str) -> str:
    return f"for (int o = 0; o < {count}; o++) {statement}"
