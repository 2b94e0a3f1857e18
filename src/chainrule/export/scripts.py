"""A network as a script of its own, in NumPy or in plain Python: forward, backward and the training loop."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from chainrule.export.formulas import check_loss
from chainrule.export.lines import Line, function
from chainrule.export.passes import Passes
from chainrule.export.pieces import needed
from chainrule.export.preamble import about, numbers
from chainrule.export.program import Drop, Normalize, program
from chainrule.export.updating import Updating, listener, penalty

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
        self.passes = Passes(self.program, dialect, weighted=lesson.weights is not None)
        self.updating = Updating(lesson, dialect)
        self.random = self.program.has(Drop)
        self.forward = list(self.passes.forward(self.program.ops, training=True))
        self.backward = list(self.passes.backward())
        used = _names(self.backward) | {self.passes.measured, self.program.result}
        self.kept = [variable for variable in _assigned(self.forward) if variable in used]

    def script(self, name: str) -> Script:
        """All parts, in the order in which they are read."""
        parts = [
            self._forward(),
            *self._predict(),
            self._loss(),
            self._backward(),
            self.updating.text(),
            *self._listen(),
        ]
        parts.append(self._train())
        functions = [*self._functions(), *needed(self.dialect.pieces, "\n".join(parts))]
        data = numbers(self.lesson, self.program, self.dialect, name)
        body = "\n\n\n".join([*functions, *parts, data.text, _main(self.lesson)])
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
        return function(f"forward(p, X{step})", told, [*self.forward, Line(f"return {self._kept}")])

    def _predict(self) -> Iterator[str]:
        """Only where training computes otherwise."""
        if self.random or any(isinstance(op, Normalize) and op.over_rows for op in self.program.ops):
            predicting = program(self.lesson.network, training=False)
            lines = list(self.passes.forward(predicting.ops, training=False))
            told = "The outputs as they are when nothing is learned: nothing is dropped, averages stand for batches."
            yield function("predict(p, X)", told, [*lines, Line(f"return {predicting.result}")])

    def _loss(self) -> str:
        loss = self.lesson.network.loss
        letter = "Z" if self.program.fused else "Y"
        told = f"{loss.name}: {loss.formula}, {loss.reduction} over the rows."
        if self.program.fused:
            told += f" From the net inputs Z of {loss.fuses_with}: no logarithm of 0."
        if self.lesson.weights is not None:
            told += " Each row counts as much as its weight."
        return function(
            f"loss({', '.join([letter, *self.lesson.data[1:]])})", told, [Line(f"return {self.passes.loss()}")]
        )

    def _backward(self) -> str:
        told = "From the outputs back: the derivative of the loss by every parameter, layer by layer."
        gradient = ", ".join(f'"{name}": d{name}' for name in self.passes.gradients)
        lines = [*self.backward, Line(f"return {{{gradient}}}")]
        names = {name: name for name in self.lesson.data}
        return function(f"backward({self._backward_arguments(names)})", told, lines)

    def _backward_arguments(self, data: dict[str, str]) -> str:
        names = {"p": "p", **data}
        used = _names(self.backward)
        return ", ".join([names[name] for name in names if name in used] + [v for v in self.kept if v in used])

    @property
    def _kept(self) -> str:
        return ", ".join(self.kept)

    # ---- training ---------------------------------------------------------------------------------------------------

    def _listen(self) -> Iterator[str]:
        """Where the rate follows the loss: what decides, and the penalty, which is part of what it follows."""
        if self.lesson.plateau is not None:
            yield listener(self.lesson.plateau)
            if self._penalised:
                yield penalty(self.lesson.network, self.program, self.dialect)

    @property
    def _penalised(self) -> bool:
        return self.lesson.plateau is not None and self.lesson.network.objective.penalised

    def _train(self) -> str:
        """The loop."""
        lesson, whole = self.lesson, self.lesson.batch_size >= len(self.lesson.X)
        lines = [Line("memory = {}")] if self.updating.remembers else []
        if self.random or self.updating.counts:
            lines.append(Line("t = 0"))
        if lesson.plateau is not None:
            lines.append(
                Line("heard = 1.0, math.inf, 0, 0  # scale of the rate, best loss, epochs without a better, rest")
            )
        lines.append(Line("for epoch in range(epochs):"))
        inner = list(self._step("", "value = loss({})", "watched = penalty(p)") if whole else self._batches())
        if not whole and lesson.plateau is None:
            inner.append(f"yield {self._mean('total')}")
        elif not whole:
            inner.append(f"value = {self._mean('total')}")
        if lesson.plateau is not None:
            watched = self._mean("watched") if not whole else "watched"
            inner.append(f"heard = on_plateau(heard, value{f' + {watched}' * self._penalised})")
        if whole or lesson.plateau is not None:
            inner.append("yield value")
        lines += [Line(f"    {line}") for line in inner]
        told = "Gradient descent. Yields the loss of each epoch, as it was before each step."
        return function(f"train(p, {', '.join(self.lesson.data)}, epochs)", told, lines)

    def _mean(self, total: str) -> str:
        return f"{total} / len(X)" if self.lesson.network.loss.reduction == "mean" else total

    def _batches(self) -> Iterator[str]:
        d, size, data = self.dialect, "first : first + BATCH_SIZE", self.lesson.data
        yield "total = watched = 0.0" if self._penalised else "total = 0.0"
        if self.lesson.orders:
            yield "order = shuffled(len(X), epoch)"
        yield "for first in range(0, len(X), BATCH_SIZE):"
        if self.lesson.orders:
            yield f"    rows = order[{size}]"
        of_batch = [d.rows(name, "rows") if self.lesson.orders else f"{name}[{size}]" for name in data]
        yield f"    {', '.join(f'{name}_batch' for name in data)} = {', '.join(of_batch)}"
        share = " * len(T_batch)" if self.lesson.network.loss.reduction == "mean" else ""
        step = self._step("_batch", f"total += loss({{}}){share}", f"watched += penalty(p){share}")
        yield from (f"    {line}" for line in step)

    def _step(self, batch: str, count: str, watch: str) -> Iterator[str]:
        """One step on these rows."""
        names = {name: f"{name}{batch}" for name in self.lesson.data}
        yield f"{self._kept} = forward(p, {names['X']}{', t' if self.random else ''})"
        yield count.format(", ".join([self.passes.measured, *(names[name] for name in self.lesson.data[1:])]))
        if self._penalised:
            yield watch
        yield f"gradient = backward({self._backward_arguments(names)})"
        optimizer = self.lesson.optimizer
        if optimizer.clip_value is not None:
            yield f"gradient = clip_entries(gradient, {optimizer.clip_value!r})"
        if optimizer.clip_norm is not None:
            yield f"gradient = clip_norm(gradient, {optimizer.clip_norm!r})"
        if self.random or self.updating.counts:
            yield "t += 1"
        yield f"update({', '.join(self.updating.arguments('heard[0]'))})"


def _main(lesson: Lesson) -> str:
    """What happens when it is run."""
    return f"""if __name__ == "__main__":
    print("epoch         loss  chainrule's")
    for epoch, value in enumerate(train(parameters, {", ".join(lesson.data)}, EPOCHS)):
        theirs = f"{{LOSSES[epoch]:12.8f}}" if epoch < len(LOSSES) else ""
        print(f"{{epoch + 1:5}} {{value:12.8f}} {{theirs}}")"""


def _assigned(lines: Iterable[Line]) -> list[str]:
    """The variables that lines make, in their order."""
    tree = ast.parse("\n".join(line.text for line in lines))
    targets = [node for statement in tree.body if isinstance(statement, ast.Assign) for node in statement.targets]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name) and name.id != "p"]


def _names(lines: Iterable[Line]) -> set[str]:
    """The variables that lines read."""
    tree = ast.parse("\n".join(line.text for line in lines))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
