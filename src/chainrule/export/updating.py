"""The update of a script: a step of the optimiser, and what lowers its rate when the loss stays where it is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from chainrule.export.formulas import Update, update
from chainrule.export.lines import Line, function
from chainrule.export.program import Linear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.export.dialects import Dialect
    from chainrule.export.lesson import Lesson
    from chainrule.export.program import Program
    from chainrule.network import Network
    from chainrule.schedules import ReduceOnPlateau


class Updating:
    """Writes the function that takes a step.

    Attributes:
        formulas: of the optimiser.
        remembers: whether it remembers something of each weight.
        counts: whether it needs to know which step it is.
    """

    def __init__(self, lesson: Lesson, dialect: Dialect) -> None:
        self.lesson, self.dialect = lesson, dialect
        self.formulas: Update = update(lesson.optimizer)
        self.remembers = bool(self.formulas.slots)
        self.counts = bool(self.formulas.scalars) or len(lesson.rates) > 0

    def arguments(self, scale: str) -> list[str]:
        """What it is called with."""
        known = {"memory": self.remembers, "t": self.counts, scale: self.lesson.plateau is not None}
        return ["p", "gradient", *(name for name, needed in known.items() if needed)]

    def text(self) -> str:
        """The optimiser."""
        formulas, changes = self.formulas, len(self.lesson.rates) > 0
        names = {name: name.upper() for name in formulas.constants} | {"rate": "RATE"}
        lines = []
        if changes:
            lines.append(Line("rate = RATES[min(t, len(RATES)) - 1]  # the last one from there on"))
        if self.lesson.plateau is not None:
            lines.append(Line("rate = scale * rate" if changes else "rate = scale * RATE"))
        if lines:
            names["rate"] = "rate"
        lines += [Line(f"{name} = {_number(text, names)}") for name, text in formulas.scalars.items()]
        lines.append(Line("for name, g in gradient.items():"))
        lines += [Line(f"    {line}") for line in self._of_parameter(names)]
        optimizer = type(self.lesson.optimizer).__name__
        told = f"Step t = 1, 2, ... of {optimizer}." if self.counts else f"A step of {optimizer}."
        return function(f"update({', '.join(self.arguments('scale'))})", told, lines)

    def _of_parameter(self, names: dict[str, str]) -> Iterator[str]:
        formulas, slots = self.formulas, list(self.formulas.slots)
        variables = {letter: letter for letter in ("w", "g", *slots, *formulas.parts)}
        yield "w = p[name]"
        if slots:
            first = self.dialect.fill(formulas.initial, "w")
            fallback = first if len(slots) == 1 else f"({', '.join([first] * len(slots))})"
            yield f"{', '.join(slots)} = memory.get(name, {fallback})"
        for name, text in formulas.of_weight.items():
            yield f"{name} = {_number(text, names)}"
        for name, text in formulas.slots.items():
            yield f"{name} = {self.dialect.formula(text, variables, {}, names)}"
        for name, text in formulas.parts.items():
            known = {slot: slot for slot in (*slots, "w", "g")}
            yield f"{name} = {self.dialect.formula(text, known, {}, names)}"
        moved = f"w {formulas.change}" if formulas.change.startswith("-") else f"w + {formulas.change}"
        yield f"p[name] = {self.dialect.formula(moved, variables, {}, names)}"
        if slots:
            yield f"memory[name] = {', '.join(slots)}"


def _number(text: str, names: dict[str, str]) -> str:
    """A formula of plain numbers."""
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
    return ast.unparse(tree).replace("'", '"')


def listener(schedule: ReduceOnPlateau) -> str:
    """The function that hears the loss of each epoch."""
    lowest = schedule.min_rate / schedule.rate
    scaled = f"max(scale * FACTOR, {lowest!r})" if lowest else "scale * FACTOR"
    lines = [
        "scale, best, bad, rest = heard",
        "if loss < best - MIN_DELTA:",
        "    return scale, loss, 0, max(rest - 1, 0)",
        *(["best = min(best, loss)"] if not schedule.cumulative else []),
        "bad = 0 if rest else bad + 1",
        "if bad > PATIENCE:",
        f"    return {scaled}, best, 0, COOLDOWN",
        "return scale, best, bad, max(rest - 1, 0)",
    ]
    told = (
        "What is known after an epoch with this loss. The rate is scaled down when more than PATIENCE epochs in a row"
        " did not improve on the best loss by MIN_DELTA; in the next COOLDOWN epochs none counts."
    )
    return function("on_plateau(heard, loss)", told, map(Line, lines))


def plateau_settings(schedule: ReduceOnPlateau) -> list[str]:
    """What can be changed of it."""
    known = ("factor", "patience", "min_delta", "cooldown")
    return [f"{name.upper()} = {getattr(schedule, name)!r}" for name in known]


def penalty(network: Network, program: Program, dialect: Dialect) -> str:
    """The function of the penalties, which belong to what is to fall."""
    l1, l2 = network.l1, network.l2
    formula = " + ".join([f"{l1!r} * abs(w)"] * (l1 > 0) + [f"{l2 / 2!r} * w * w"] * (l2 > 0))
    trained = [f'"W{op.number}"' for op in program.ops if isinstance(op, Linear)]
    sums = dialect.sum_of(formula, {"w": "p[name]"}, {})
    lines = [Line(f"return sum({sums} for name in [{', '.join(trained)}])")]
    return function("penalty(p)", "What the penalties add to the loss.", lines)
