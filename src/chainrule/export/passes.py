"""The forward pass, the backward pass and the loss of a script, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.export.formulas import LOSSES, loss_constants
from chainrule.export.functions import Functions
from chainrule.export.lines import Line
from chainrule.export.program import Add, Apply, Drop, Fork, Linear, Normalize, Op, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.export.dialects import Dialect


class Passes:
    """Writes the passes of a program in a dialect.

    Attributes:
        functions: of numbers, those that the lines call.
    """

    def __init__(self, program: Program, dialect: Dialect, *, weighted: bool) -> None:
        self.program, self.dialect = program, dialect
        self.weights = "weights" if weighted else ""
        self.network = program.network
        self.functions = Functions(dialect.language, "float64")

    # ---- forward ----------------------------------------------------------------------------------------------------

    def forward(self, ops: tuple[Op, ...], *, training: bool) -> Iterator[Line]:
        """The lines from X to the outputs, under the name of each layer."""
        layer = ""
        for op in ops:
            if op.layer != layer and not isinstance(op, Fork):
                layer = op.layer
                yield Line(f"# {layer}")
            yield from self._forward(op, training=training)

    def _forward(self, op: Op, *, training: bool) -> Iterator[Line]:
        d, n, shape = self.dialect, op.number, f"(B, {op.O})"
        if isinstance(op, Linear):
            product = d.matmul(op.source, f'p["W{n}"]')
            yield Line(f"{op.result} = {d.add_row(product, _parameter('b', n)) if op.bias else product}", shape)
        elif isinstance(op, Apply):
            yield Line(f"{op.result} = {self._activate(op)}", shape)
        elif isinstance(op, Drop):
            yield Line(f"mask{n} = dropout_mask({op.source}, {op.rate!r}, {op.stream}, step)", shape)
            yield Line(f"{op.result} = {d.times(op.source, f'mask{n}')}", shape)
        elif isinstance(op, Normalize):
            yield from self._normalize(op, training=training)
        elif isinstance(op, Add):
            yield Line(f"{op.result} = {d.add(op.shortcut, op.source)}", shape)

    def _activate(self, op: Apply) -> str:
        if op.f.name == "identity":
            return op.source
        if not op.f.elementwise:
            return f"softmax({op.source})"
        return self.dialect.call(self.functions.value(op.f), op.source)

    def _normalize(self, op: Normalize, *, training: bool) -> Iterator[Line]:
        d, n, shape = self.dialect, op.number, f"(B, {op.O})"
        if op.over_rows and training:
            yield Line(f"mean{n}, variance{n} = column_means({op.source})", f"({op.O},) both")
            yield Line(f"H{n} = normalize({op.source}, mean{n}, variance{n}, {op.epsilon!r})", shape)
        elif op.over_rows:
            mean, variance = _parameter("mean", n), _parameter("variance", n)
            yield Line(f"H{n} = normalize({op.source}, {mean}, {variance}, {op.epsilon!r})", shape)
        else:
            yield Line(f"H{n} = layer_norm({op.source}, {op.epsilon!r})", shape)
        scaled = d.times_row(f"H{n}", _parameter("gamma", n))
        yield Line(f"{op.result} = {d.add_row(scaled, _parameter('beta', n))}", shape)
        if op.over_rows and training:
            m, unbiased = repr(op.momentum), f"unbiased(variance{n}, len(X))"
            yield Line("# what prediction takes in place of the mean and variance of a batch:")
            yield Line(f'p["mean{n}"] = running(p["mean{n}"], mean{n}, {m})', f"({op.O},)")
            yield Line(f'p["variance{n}"] = running(p["variance{n}"], {unbiased}, {m})', f"({op.O},)")

    # ---- loss -------------------------------------------------------------------------------------------------------

    @property
    def measured(self) -> str:
        """The variable that the loss is computed from: the outputs, or the logits of a fused pair."""
        return self.program.ops[-1].source if self.program.fused else self.program.result

    def loss(self) -> str:
        """The loss of a batch, from its argument, Z or Y, and T."""
        trained = self.network.objective.trained[1]
        letter = "Z" if self.program.fused else "Y"
        if trained.name == "softmax_cross_entropy":
            total = self.dialect.total(f"softmax_cross_entropy({letter}, T)", self.weights)
        else:
            variables = {letter.lower(): letter, "t": "T"}
            total = self.dialect.sum_of(LOSSES[trained.name].value, variables, self._constants, self.weights)
        share = self._share("len(T)")
        return f"{total} / {share}" if share else total

    @property
    def _constants(self) -> dict[str, float]:
        return loss_constants(self.network.loss, "float64")

    def _share(self, B: str) -> str:
        """What the loss of all entries is divided by: rows, outputs, both or nothing."""
        loss = self.network.loss
        parts = [B] if loss.reduction == "mean" else []
        if loss.averages and self.program.n_outputs > 1:
            parts.append(str(self.program.n_outputs))
        return f"({' * '.join(parts)})" if len(parts) > 1 else "".join(parts)

    # ---- backward ---------------------------------------------------------------------------------------------------

    def backward(self) -> Iterator[Line]:
        """The lines from the outputs back to the first layer that is trained."""
        ops = self.program.ops
        if self.network.loss.reduction == "mean":
            yield Line("B = len(T)")
        loss = self.network.loss
        yield Line(
            f"# {loss.name} after {loss.fuses_with}: together dz = y - t" if self.program.fused else "# the loss"
        )
        yield self._first()
        layer = ""
        for op in reversed(ops):
            if op.layer != layer and (op.wanted or _trained(op)):
                layer = op.layer
                yield Line(f"# {layer}")
            yield from self._backward(op)

    def _first(self) -> Line:
        """The derivative of the loss by the outputs, or by the logits of a fused pair."""
        slope, share = LOSSES["half_squared_error"].slope, self._share("B")
        result = self.program.result
        if not self.program.fused:
            slope = LOSSES[self.network.loss.name].slope
        formula = f"({slope}) / {share}" if share else slope
        text = self.dialect.formula(formula, {"y": result, "t": "T"}, self._constants)
        if self.weights:
            text = self.dialect.times_column(text, self.weights)
        return Line(f"d{self.measured} = {text}", f"(B, {self.program.n_outputs})")

    def _backward(self, op: Op) -> Iterator[Line]:
        d, dR, dS, shape = self.dialect, f"d{op.result}", f"d{op.source}", f"(B, {op.I})"
        if isinstance(op, Linear):
            yield from self._linear_backward(op)
        elif isinstance(op, Normalize):
            yield from self._normalize_backward(op)
        elif not op.wanted or (isinstance(op, Apply) and op.fused):
            return
        elif isinstance(op, Apply):
            yield Line(f"{dS} = {self._slope(op)}", shape)
        elif isinstance(op, Drop):
            yield Line(f"{dS} = {d.times(dR, f'mask{op.number}')}", shape)
        elif isinstance(op, Fork):
            yield Line(f"{dR} = {d.add(dR, f'd{op.total}')}", f"{shape}, by way of the layers and past them")
        elif isinstance(op, Add):
            yield Line(f"{dS} = {dR}", shape)

    def _slope(self, op: Apply) -> str:
        dR = f"d{op.result}"
        if op.f.name == "identity":
            return dR
        if not op.f.elementwise:
            return f"softmax_backward({op.result}, {dR})"
        name, arguments = self.functions.slope(op.f)
        variables = {"z": op.source, "y": op.result}
        return self.dialect.times(dR, self.dialect.call(name, *(variables[each] for each in arguments)))

    def _linear_backward(self, op: Linear) -> Iterator[Line]:
        d, n, dR = self.dialect, op.number, f"d{op.result}"
        if "W" in op.trained:
            yield Line(f"dW{n} = {d.matmul(d.transpose(op.source), dR)}", f"({op.I}, {op.O})")
            yield from self._penalty(n)
        if "b" in op.trained:
            yield Line(f"db{n} = {d.sum_rows(dR)}", f"({op.O},)")
        if op.wanted:
            W = d.transpose(f'p["W{n}"]')
            yield Line(f"d{op.source} = {d.matmul(dR, W)}", f"(B, {op.I})")

    def _penalty(self, n: int) -> Iterator[Line]:
        """What the penalties add to the gradient of a weight."""
        l1, l2 = self.network.l1, self.network.l2
        parts = [f"{l1!r} * (1 if w > 0 else -1 if w < 0 else 0)"] * (l1 > 0) + [f"{l2!r} * w"] * (l2 > 0)
        if parts:
            penalty = self.dialect.formula(" + ".join(parts), {"w": f'p["W{n}"]'}, {})
            yield Line(f"dW{n} = {self.dialect.add(f'dW{n}', penalty)}  # the penalty {self._penalty_formula}")

    @property
    def _penalty_formula(self) -> str:
        """In the notation of people."""
        l1, l2 = self.network.l1, self.network.l2
        return " + ".join([f"{l1:g} sum |w|"] * (l1 > 0) + [f"{l2 / 2:g} sum w^2"] * (l2 > 0))

    def _normalize_backward(self, op: Normalize) -> Iterator[Line]:
        d, n, dR = self.dialect, op.number, f"d{op.result}"
        if "gamma" in op.trained:
            yield Line(f"dgamma{n} = {d.sum_rows(d.times(dR, f'H{n}'))}", f"({op.O},)")
        if "beta" in op.trained:
            yield Line(f"dbeta{n} = {d.sum_rows(dR)}", f"({op.O},)")
        if not op.wanted:
            return
        yield Line(f"dH{n} = {d.times_row(dR, _parameter('gamma', n))}", f"(B, {op.I})")
        of = (
            f"batch_norm_backward(dH{n}, H{n}, variance{n}"
            if op.over_rows
            else f"layer_norm_backward(dH{n}, H{n}, {op.source}"
        )
        yield Line(f"d{op.source} = {of}, {op.epsilon!r})", f"(B, {op.I})")

    @property
    def gradients(self) -> tuple[str, ...]:
        """The names of the parameters that are trained, in the order of theta."""
        return tuple(
            f"{name}{op.number}"
            for op in self.program.ops
            for name in ("W", "b", "gamma", "beta")
            if name in _trained(op)
        )


def _trained(op: Op) -> frozenset[str]:
    """Which parameters of an operation are trained."""
    return op.trained if isinstance(op, Linear | Normalize) else frozenset()


def _parameter(name: str, number: int) -> str:
    return f'p["{name}{number}"]'
