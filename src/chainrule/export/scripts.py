"""A network as a script of its own, in NumPy or in plain Python: forward, backward and the training loop."""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from chainrule.export.formulas import Update, check_loss, update
from chainrule.export.numbers import broken
from chainrule.export.passes import Line, Passes
from chainrule.export.pieces import needed
from chainrule.export.preamble import about, numbers
from chainrule.export.program import Drop, Normalize, program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chainrule.arrays import Floats
    from chainrule.export.dialects import Dialect
    from chainrule.export.lesson import Lesson


class Script(NamedTuple):
    """The text, and the arrays for the file beside it; none where they stand in the text."""

    text: str
    arrays: dict[str, Floats]


def script(lesson: Lesson, dialect: Dialect, name: str) -> Script:
    """The script of a network.

    Args:
        lesson: what it trains on and how.
        dialect: NumPy or plain Python.
        name: of the file, without its ending.

    Raises:
        ArgumentError: for a layer that no script can be written of.
    """
    return _Writer(lesson, dialect).script(name)


class _Writer:
    """Writes one script."""

    def __init__(self, lesson: Lesson, dialect: Dialect) -> None:
        self.lesson, self.dialect = lesson, dialect
        self.program = program(lesson.network, training=True)
        check_loss(lesson.network.loss)
        self.passes = Passes(self.program, dialect)
        self.update: Update = update(lesson.optimizer)
        self.random = self.program.has(Drop)
        self.forward = list(self.passes.forward(self.program.ops, training=True))
        self.backward = list(self.passes.backward())
        used = _names(self.backward) | {self.passes.measured, self.program.result}
        self.kept = [variable for variable in _assigned(self.forward) if variable in used]

    def script(self, name: str) -> Script:
        """All parts, in the order in which they are read."""
        parts = [self._forward(), *self._predict(), self._loss(), self._backward(), self._update(), self._train()]
        functions = [*self._functions(), *needed(self.dialect.pieces, "\n".join(parts))]
        data = numbers(self.lesson, self.program, self.dialect, name)
        body = "\n\n\n".join([*functions, *parts, data.text, _MAIN])
        imports = [module for module in ("json", "math", "random") if re.search(rf"(?<![.\w]){module}\.", body)]
        head = [f"import {module}" for module in imports]
        if "Path(" in body:
            head.append("from pathlib import Path")
        if self.dialect.name == "NumPy":
            head += ["", "import numpy as np"] if head else ["import numpy as np"]
        opening = about(self.lesson, self.program, self.dialect)
        return Script(f'"""{opening}\n"""\n\n' + "\n".join(head) + f"\n\n\n{body}\n", data.arrays)

    # ---- functions --------------------------------------------------------------------------------------------------

    def _functions(self) -> Iterator[str]:
        """Activations and their slopes."""
        names = self.dialect.language.letters
        for each in self.passes.functions.by_activation:
            arguments = ", ".join(names.get(argument, argument) for argument in each.arguments)
            yield f'def {each.name}({arguments}):\n    """{each.about}."""\n    return {each.value}'

    def _forward(self) -> str:
        step = ", step" if self.random else ""
        told = "From the inputs to the outputs; all that the backward pass needs is kept."
        return _function(f"forward(p, X{step})", told, [*self.forward, Line(f"return {self._kept}")])

    def _predict(self) -> Iterator[str]:
        """Only where training computes otherwise."""
        if self.random or any(isinstance(op, Normalize) and op.over_rows for op in self.program.ops):
            predicting = program(self.lesson.network, training=False)
            lines = list(self.passes.forward(predicting.ops, training=False))
            told = "The outputs as they are when nothing is learned: nothing is dropped, averages stand for batches."
            yield _function("predict(p, X)", told, [*lines, Line(f"return {predicting.result}")])

    def _loss(self) -> str:
        loss = self.lesson.network.loss
        letter = "Z" if self.program.fused else "Y"
        told = f"{loss.name}: {loss.formula}, {loss.reduction} over the rows."
        if self.program.fused:
            told += f" From the net inputs Z of {loss.fuses_with}: no logarithm of 0."
        return _function(f"loss({letter}, T)", told, [Line(f"return {self.passes.loss()}")])

    def _backward(self) -> str:
        told = "From the outputs back: the derivative of the loss by every parameter, layer by layer."
        gradient = ", ".join(f'"{name}": d{name}' for name in self.passes.gradients)
        lines = [*self.backward, Line(f"return {{{gradient}}}")]
        return _function(f"backward({self._backward_arguments('X', 'T')})", told, lines)

    def _backward_arguments(self, X: str, T: str) -> str:
        names = {"p": "p", "X": X, "T": T}
        used = _names(self.backward)
        return ", ".join([names[name] for name in names if name in used] + [v for v in self.kept if v in used])

    @property
    def _kept(self) -> str:
        return ", ".join(self.kept)

    # ---- training ---------------------------------------------------------------------------------------------------

    @property
    def _counts(self) -> bool:
        """Whether an update needs to know which step it is."""
        return bool(self.update.scalars) or len(self.lesson.rates) > 0

    def _update(self) -> str:
        """The optimiser."""
        formulas, slots = self.update, list(self.update.slots)
        names = {name: name.upper() for name in formulas.constants} | {"rate": "RATE"}
        lines = []
        if len(self.lesson.rates):
            names["rate"] = "rate"
            lines.append(Line("rate = RATES[min(t, len(RATES)) - 1]  # the last one from there on"))
        lines += [Line(f"{name} = {self._number(text, names)}") for name, text in formulas.scalars.items()]
        lines.append(Line("for name, g in gradient.items():"))
        lines += [Line(f"    {line}") for line in self._of_parameter(names, slots)]
        arguments = ["p", "gradient", *(["memory"] if slots else []), *(["t"] if self._counts else [])]
        optimizer = type(self.lesson.optimizer).__name__
        told = f"Step t = 1, 2, ... of {optimizer}." if self._counts else f"A step of {optimizer}."
        return _function(f"update({', '.join(arguments)})", told, lines)

    def _of_parameter(self, names: dict[str, str], slots: list[str]) -> Iterator[str]:
        formulas, variables = (
            self.update,
            {letter: letter for letter in ("w", "g", *self.update.slots, *self.update.parts)},
        )
        yield "w = p[name]"
        if slots:
            first = self.dialect.fill(formulas.initial, "w")
            fallback = first if len(slots) == 1 else f"({', '.join([first] * len(slots))})"
            yield f"{', '.join(slots)} = memory.get(name, {fallback})"
        for name, text in formulas.of_weight.items():
            yield f"{name} = {self._number(text, names)}"
        for name, text in formulas.slots.items():
            yield f"{name} = {self.dialect.formula(text, variables, {}, names)}"
        for name, text in formulas.parts.items():
            known = {slot: slot for slot in (*slots, "w", "g")}
            yield f"{name} = {self.dialect.formula(text, known, {}, names)}"
        moved = f"w {formulas.change}" if formulas.change.startswith("-") else f"w + {formulas.change}"
        yield f"p[name] = {self.dialect.formula(moved, variables, {}, names)}"
        if slots:
            yield f"memory[name] = {', '.join(slots)}"

    def _number(self, text: str, names: dict[str, str]) -> str:
        """A formula of plain numbers."""
        tree = ast.parse(text, mode="eval")
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = names.get(node.id, node.id)
        return ast.unparse(tree).replace("'", '"')

    def _train(self) -> str:
        """The loop."""
        lines = [Line("memory = {}")] if self.update.slots else []
        if self.random or self._counts:
            lines.append(Line("t = 0"))
        lines.append(Line("for epoch in range(epochs):"))
        whole = self.lesson.batch_size >= len(self.lesson.X)
        inner = self._step("X", "T", "value = loss({})") if whole else self._batches()
        lines += [Line(f"    {line}") for line in inner]
        lines.append(Line(f"    yield {self._yielded(whole=whole)}"))
        told = "Gradient descent. Yields the loss of each epoch, as it was before each step."
        return _function("train(p, X, T, epochs)", told, lines)

    def _yielded(self, *, whole: bool) -> str:
        if whole:
            return "value"
        return "total / len(X)" if self.lesson.network.loss.reduction == "mean" else "total"

    def _batches(self) -> Iterator[str]:
        d, size = self.dialect, "first : first + BATCH_SIZE"
        yield "total = 0.0"
        if self.lesson.orders:
            yield "order = shuffled(len(X), epoch)"
        yield "for first in range(0, len(X), BATCH_SIZE):"
        if self.lesson.orders:
            yield f"    rows = order[{size}]"
            yield f"    X_batch, T_batch = {d.rows('X', 'rows')}, {d.rows('T', 'rows')}"
        else:
            yield f"    X_batch, T_batch = X[{size}], T[{size}]"
        weight = " * len(T_batch)" if self.lesson.network.loss.reduction == "mean" else ""
        yield from (f"    {line}" for line in self._step("X_batch", "T_batch", f"total += loss({{}}){weight}"))

    def _step(self, X: str, T: str, count: str) -> Iterator[str]:
        """One step on these rows."""
        yield f"{self._kept} = forward(p, {X}{', t' if self.random else ''})"
        yield count.format(f"{self.passes.measured}, {T}")
        yield f"gradient = backward({self._backward_arguments(X, T)})"
        optimizer = self.lesson.optimizer
        if optimizer.clip_value is not None:
            yield f"gradient = clip_entries(gradient, {optimizer.clip_value!r})"
        if optimizer.clip_norm is not None:
            yield f"gradient = clip_norm(gradient, {optimizer.clip_norm!r})"
        if self.random or self._counts:
            yield "t += 1"
        yield f"update(p, gradient{', memory' * bool(self.update.slots)}{', t' * self._counts})"


_MAIN = """if __name__ == "__main__":
    print("epoch         loss  chainrule's")
    for epoch, value in enumerate(train(parameters, X, T, EPOCHS)):
        theirs = f"{LOSSES[epoch]:12.8f}" if epoch < len(LOSSES) else ""
        print(f"{epoch + 1:5} {value:12.8f} {theirs}")"""


def _function(signature: str, about: str, lines: Iterable[Line]) -> str:
    """A definition; the shapes stand below each other, beside the lines."""
    lines = list(lines)
    width = max((len(line.text) for line in lines if line.shape), default=0)
    body = [f"    {line.text:<{width}}  # {line.shape}" if line.shape else broken(f"    {line.text}") for line in lines]
    told = textwrap.fill(f'"""{about}"""', 100, initial_indent="    ", subsequent_indent="    ")
    return "\n".join([broken(f"def {signature}:"), told, *body])


def _assigned(lines: Iterable[Line]) -> list[str]:
    """The variables that lines make, in their order."""
    tree = ast.parse("\n".join(line.text for line in lines))
    targets = [node for statement in tree.body if isinstance(statement, ast.Assign) for node in statement.targets]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name) and name.id != "p"]


def _names(lines: Iterable[Line]) -> set[str]:
    """The variables that lines read."""
    tree = ast.parse("\n".join(line.text for line in lines))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
