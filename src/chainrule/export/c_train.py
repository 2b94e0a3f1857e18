"""The body of the function that trains, in C: forward, backward and update for one row, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.errors import ArgumentError
from chainrule.export.expressions import C
from chainrule.export.formulas import LOSSES, check_loss, loss_constants
from chainrule.export.program import Add, Apply, Drop, Fork, Linear, Normalize, Op, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.export.functions import Functions


class TrainingStep:
    """The statements of a step of gradient descent on one row x with targets t: every variable is an array of its own.

    Attributes:
        arrays: the local arrays and their lengths.
        lines: the statements.

    Raises:
        ArgumentError: for batch norm, which needs a batch, and for a network that has nothing to train.
    """

    def __init__(self, program: Program, functions: Functions) -> None:
        for op in program.ops:
            if isinstance(op, Normalize) and op.over_rows:
                raise ArgumentError(
                    f"{op.layer} needs the mean and variance of a batch, and the training step in C takes one row",
                    where="export",
                    mend="Export without the training step, or train with LayerNorm",
                )
        if not any(isinstance(op, Linear | Normalize) and op.trained for op in program.ops):
            raise ArgumentError("the network has nothing to train", where="export", mend="Leave the training step out")
        check_loss(program.network.loss)
        self.program, self.functions = program, functions
        self.network = program.network
        self.arrays: dict[str, int] = {}
        forward = [line for op in program.ops for line in self._forward(op)]
        backward = [line for op in reversed(program.ops) for line in self._backward(op)]
        self.lines = [*forward, "", *self._loss(), "", *backward]

    def _array(self, variable: str, size: int) -> str:
        """The array of a variable, declared when it is first written."""
        if variable == "X":
            return "x"
        self.arrays.setdefault(variable, size)
        return variable

    # ---- forward ----------------------------------------------------------------------------------------------------

    def _forward(self, op: Op) -> Iterator[str]:
        n, x, I, O = op.number, self._array(op.source, op.I), op.I, op.O
        y = self._array(op.result, O)
        if isinstance(op, Linear):
            yield f"/* {op.layer}: {I} -> {O} */"
            bias = f", b{n}" if op.bias else ""
            yield f"linear{'' if op.bias else '_without_bias'}({x}, {I}, W{n}{bias}, {y}, {O});"
        elif isinstance(op, Apply) and not op.f.elementwise:
            yield f"softmax({x}, {y}, {O});"
        elif isinstance(op, Apply):
            value = f"{x}[o]" if op.f.name == "identity" else f"{self.functions.value(op.f)}({x}[o])"
            yield _each(O, f"{y}[o] = {value};")
        elif isinstance(op, Drop):
            mask, share = self._array(f"mask{n}", O), min(round((1 - op.rate) * 2**32), 2**32 - 1)
            factor = f"{float(1 / (1 - op.rate))!r}f"
            yield f"/* {op.layer} */"
            yield f"dropout({x}, {mask}, {y}, {O}, {share}u, {factor}, {op.stream}u, step);"
        elif isinstance(op, Normalize):
            h = self._array(f"H{n}", O)
            yield f"/* {op.layer} */"
            kept = f"const float inverse{n} = " if op.wanted else ""  # only the derivative by x needs it
            yield f"{kept}normalize({x}, {h}, {O}, {op.epsilon!r}f);"
            yield _each(O, f"{y}[o] = gamma{n}[o] * {h}[o] + beta{n}[o];")
        elif isinstance(op, Add):
            yield f"/* {op.layer} */"
            yield _each(O, f"{y}[o] = {self._array(op.shortcut, O)}[o] + {x}[o];")

    # ---- loss -------------------------------------------------------------------------------------------------------

    def _loss(self) -> Iterator[str]:
        """The loss of this row, and its derivative by the outputs, or by the logits of a fused pair."""
        program, O = self.program, self.program.n_outputs
        last, trained = program.ops[-1], self.network.objective.trained[1]
        y, z = self._array(program.result, O), self._array(last.source, O)
        constants = loss_constants(self.network.loss, "float32")
        share = f" / {float(O)}f" if self.network.loss.averages and O > 1 else ""
        names = {"y": f"{y}[o]", "z": f"{z}[o]", "t": "t[o]"}
        yield f"/* {self.network.loss.name}{f' after {self.network.loss.fuses_with}' if program.fused else ''} */"
        if trained.name == "softmax_cross_entropy":
            yield f"const float loss = softmax_cross_entropy({z}, t, {O});"
        else:
            term = C.with_letters(names).write(LOSSES[trained.name].value, constants)
            yield "float loss = 0.0f;"
            yield _each(O, f"loss += ({term}){share};")
        slope = "y - t" if program.fused else LOSSES[self.network.loss.name].slope
        dy = self._array(f"d{last.source if program.fused else program.result}", O)
        text = C.with_letters(names).write(slope, constants)
        yield _each(O, f"{dy}[o] = {f'({text}){share}' if share else text};")

    # ---- backward ---------------------------------------------------------------------------------------------------

    def _backward(self, op: Op) -> Iterator[str]:
        if isinstance(op, Linear):
            yield from self._linear(op)
        elif isinstance(op, Normalize):
            yield from self._normalize(op)
        elif op.wanted and not (isinstance(op, Apply) and op.fused):
            yield from self._plain(op)

    def _plain(self, op: Op) -> Iterator[str]:
        """What has no parameters."""
        dy, dx = f"d{op.result}", self._array(f"d{op.source}", op.I)
        if isinstance(op, Apply) and not op.f.elementwise:
            yield f"softmax_backward({op.result}, {dy}, {dx}, {op.O});"
        elif isinstance(op, Apply):
            yield _each(op.O, f"{dx}[o] = {self._slope(op)};")
        elif isinstance(op, Drop):
            yield _each(op.O, f"{dx}[o] = {dy}[o] * mask{op.number}[o];")
        elif isinstance(op, Fork):
            yield _each(op.O, f"{dy}[o] += d{op.total}[o];")
        elif isinstance(op, Add):
            yield _each(op.O, f"{dx}[o] = {dy}[o];")

    def _slope(self, op: Apply) -> str:
        dy = f"d{op.result}[o]"
        if op.f.name == "identity":
            return dy
        name, arguments = self.functions.slope(op.f)
        variables = {"z": f"{self._array(op.source, op.I)}[o]", "y": f"{op.result}[o]"}
        return f"{dy} * {name}({', '.join(variables[each] for each in arguments)})"

    def _linear(self, op: Linear) -> Iterator[str]:
        """The derivative by the inputs first: it needs the weights as they were."""
        n, x, dz = op.number, self._array(op.source, op.I), f"d{op.result}"
        if op.wanted or op.trained:
            yield f"/* {op.layer} */"
        if op.wanted:
            dx = self._array(f"d{op.source}", op.I)
            yield f"linear_backward(W{n}, {dz}, {op.O}, {dx}, {op.I});"
        if "W" in op.trained:
            w = f"W{n}[i * {op.O} + o]"
            gradient = f"{x}[i] * {dz}[o]{self._penalty(w)}"
            yield f"for (int i = 0; i < {op.I}; i++)"
            yield f"    for (int o = 0; o < {op.O}; o++) {w} -= rate * ({gradient});"
        if "b" in op.trained:
            yield _each(op.O, f"b{n}[o] -= rate * {dz}[o];")

    def _penalty(self, w: str) -> str:
        """What the penalties add to the derivative by a weight."""
        l1, l2 = self.network.l1, self.network.l2
        sign = C.with_letters({"w": w}).write("(1 if w > 0 else -1 if w < 0 else 0) * 1") if l1 else ""
        return (f" + {float(l1)!r}f * {sign}" if l1 else "") + (f" + {float(l2)!r}f * {w}" if l2 else "")

    def _normalize(self, op: Normalize) -> Iterator[str]:
        n, O, dy, h = op.number, op.O, f"d{op.result}", f"H{op.number}"
        if op.wanted or op.trained:
            yield f"/* {op.layer} */"
        if op.wanted:
            dh, dx = self._array(f"dH{n}", O), self._array(f"d{op.source}", O)
            yield _each(O, f"{dh}[o] = {dy}[o] * gamma{n}[o];")
            yield f"normalize_backward({dh}, {h}, inverse{n}, {dx}, {O});"
        if "gamma" in op.trained:
            yield _each(O, f"gamma{n}[o] -= rate * {dy}[o] * {h}[o];")
        if "beta" in op.trained:
            yield _each(O, f"beta{n}[o] -= rate * {dy}[o];")


def _each(count: int, statement: str) -> str:
    return f"for (int o = 0; o < {count}; o++) {statement}"
