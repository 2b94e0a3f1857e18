"""How a script begins, the network in words, and how it ends: the numbers that it trains on."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chainrule.export.formulas import update
from chainrule.export.numbers import broken, literal
from chainrule.export.program import Apply, Drop, Linear, Normalize
from chainrule.export.texts import plain, python_string
from chainrule.export.updating import plateau_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Floats
    from chainrule.export.dialects import Dialect
    from chainrule.export.lesson import Lesson
    from chainrule.export.program import Program

_WIDTH = 100
_INLINE = 400  # numbers that stand in the script itself; of more the script is not readable any more


class Data(NamedTuple):
    """The numbers of a script as its lines, and as arrays for a file beside it."""

    text: str
    arrays: dict[str, Floats]


def about(lesson: Lesson, program: Program, dialect: Dialect) -> str:
    """What the script is, for whoever opens it."""
    net = lesson.network
    needs = "with NumPy alone" if dialect.name == "NumPy" else "in plain Python"
    outputs = f"{program.n_outputs} output{'s' * (program.n_outputs > 1)}"
    first = f"A network of {program.n_inputs} inputs and {outputs}, {needs}: forward, backward and training."
    loss = f"{net.loss.name}, {net.loss.formula}, {net.loss.reduction} over the rows of a batch"
    penalties = [f"{l1} * sum |W|" for l1 in [net.l1] if l1] + [f"{l2 / 2:g} * sum W^2" for l2 in [net.l2] if l2]
    if penalties:
        loss += f"; the gradient holds the penalty {' + '.join(penalties)} too"
    told = (
        f"It begins with {lesson.begins}, and trains on {lesson.rows}. Run it: it prints the loss of each epoch beside"
        " the one that chainrule finds."
    )
    letters = (
        "B is the number of rows in a batch. dZ is the derivative of the loss by Z and has the shape of Z; the number"
        " at the end of a name is that of the layer, and p holds the parameters."
    )
    return "\n".join(
        [
            first,
            "",
            _filled(told),
            "",
            *_layers(program),
            "",
            _filled(f"Loss: {loss}."),
            _filled(f"Optimizer: {_optimizer(lesson)}."),
            "",
            _filled(letters),
        ]
    )


def _optimizer(lesson: Lesson) -> str:
    rate = "a rate that changes" if len(lesson.rates) else f"rate {_rate(lesson)!r}"
    if lesson.plateau is not None:
        rate += f", times {lesson.plateau.factor:g} where the loss stays as it is"
    size = "all rows at once" if lesson.batch_size >= len(lesson.X) else f"batches of {lesson.batch_size} rows"
    order = ", in a new order in each epoch" if lesson.orders else ""
    return f"{type(lesson.optimizer).__name__}, {rate}, {size}{order}"


def _rate(lesson: Lesson) -> float:
    return float(getattr(lesson.optimizer.schedule, "rate", 0.0))


def _filled(text: str) -> str:
    return textwrap.fill(text, _WIDTH)


def _layers(program: Program) -> list[str]:
    """A line for each operation."""
    rows = []
    for op in program.ops:
        if isinstance(op, Linear):
            shapes = f"W{op.number} ({op.I}, {op.O})" + (f", b{op.number} ({op.O},)" if op.bias else "")
            rows.append((op.layer, f"{op.result} = {op.source} W{op.number}{f' + b{op.number}' * op.bias}", shapes))
        elif isinstance(op, Apply):
            rows.append((op.layer, f"{op.result} = {op.f.name}({op.source})", ""))
        elif isinstance(op, Drop):
            rows.append((op.layer, f"{op.result} = {op.source} * mask{op.number}", f"drops {op.rate:g}"))
        elif isinstance(op, Normalize):
            n, over = op.number, "the rows of the batch" if op.over_rows else "the entries of each row"
            rows.append((op.layer, f"{op.result} = gamma{n} * ({op.source} - mean) / std + beta{n}", f"over {over}"))
        elif hasattr(op, "shortcut"):
            rows.append((op.layer, f"{op.result} = {op.shortcut} + {op.source}", ""))
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)] if rows else [0, 0]
    return [f"    {name:<{widths[0]}}  {what:<{widths[1]}}  {more}".rstrip() for name, what, more in rows]


def numbers(lesson: Lesson, program: Program, dialect: Dialect, name: str) -> Data:
    """The data, the parameters and the settings."""
    parameters = {each.name: each.values for each in program.parameters}
    rows = {"X": lesson.X, "T": lesson.T}
    if lesson.weights is not None:
        rows["weights"] = lesson.weights
    arrays = {**rows, **parameters}
    inline = sum(array.size for array in arrays.values()) <= _INLINE
    python = dialect.name == "Python"
    extra: dict[str, Floats] = {}
    if len(lesson.rates):
        extra["RATES"] = lesson.rates
    if lesson.orders and python:
        extra["ORDERS"] = np.stack(lesson.orders)
    settings = _settings(lesson, seeded=program.has(Drop) or (bool(lesson.orders) and not python))
    named = list(_names(lesson))
    if inline:
        return Data("\n".join([*named, *_inline(lesson, program, rows, extra, python=python), *settings]), {})
    text = _loaded(program, tuple(rows), tuple(extra), f"{name}_numbers.{'json' if python else 'npz'}", python=python)
    return Data("\n".join([*named, *text, *settings]), {**arrays, **extra})


def _names(lesson: Lesson) -> Iterator[str]:
    """What the columns of X and T are, as comments; of a network alone only its classes are known."""
    known = lesson.meaning
    if known.places:
        yield from _comment(f"X: {', '.join(place.name for place in known.places)}")
    if len(known.classes) == 2 and lesson.T.shape[1] == 1:
        yield from _comment(f"T: 1 for {known.classes[1]}, 0 for {known.classes[0]}")
    elif known.classes:
        yield from _comment(f"T: 1 in the column of its class: {', '.join(known.classes)}")
    if known.target is not None:
        yield from _comment(f"T: {known.target.name}, less {known.target.mean!r}, over {known.target.std!r}")


def _comment(text: str) -> list[str]:
    return textwrap.wrap(plain(text), _WIDTH, initial_indent="# ", subsequent_indent="#    ")


def _inline(
    lesson: Lesson, program: Program, rows: dict[str, Floats], extra: dict[str, Floats], *, python: bool
) -> list[str]:
    """Every number in the script."""

    def written(values: Floats, indent: str = "") -> str:
        text = literal(values, indent=indent, width=_WIDTH - 20)
        return text if python else f"np.array({text})"

    N = len(lesson.X)
    weights = f", and the weights of the rows ({N},)" * (lesson.weights is not None)
    lines = [f"# inputs ({N}, {program.n_inputs}) and targets ({N}, {program.n_outputs}){weights}"]
    lines += [f"{name} = {written(values)}" for name, values in rows.items()]
    lines.append("parameters = {")
    for each in program.parameters:
        lines.append(f"    # {each.full} {each.values.shape}")
        lines.append(f'    "{each.name}": {written(each.values, "    ")},')
    lines.append("}")
    lines += [f"{name} = {written(values)}" for name, values in extra.items()]
    return lines


def _loaded(program: Program, rows: tuple[str, ...], extra: tuple[str, ...], file: str, *, python: bool) -> list[str]:
    """The numbers from the file beside the script."""
    read = f"Path(__file__).with_name({python_string(file)})"
    lines = (
        [f"numbers = json.loads({read}.read_text())"]
        if python
        else [f"with np.load({read}) as file:", "    numbers = dict(file)"]
    )
    values = ", ".join(f'numbers["{name}"]' for name in rows)
    lines.append(f"{', '.join(rows)} = {values}")
    names = [f'"{each.name}"' for each in program.parameters]
    lines.append(broken(f"parameters = {{name: numbers[name] for name in [{', '.join(names)}]}}"))
    return [*lines, *(f'{name} = numbers["{name}"]' for name in extra)]


def _settings(lesson: Lesson, *, seeded: bool) -> list[str]:
    """What can be changed to try something else, and our losses."""
    chosen = update(lesson.optimizer)
    lines = [f"EPOCHS = {len(lesson.losses)}"]
    if lesson.batch_size < len(lesson.X):
        lines.append(f"BATCH_SIZE = {lesson.batch_size}")
    if not len(lesson.rates):
        lines.append(f"RATE = {_rate(lesson)!r}")
    lines += [f"{name.upper()} = {value!r}" for name, value in chosen.constants.items()]
    if lesson.plateau is not None:
        lines += plateau_settings(lesson.plateau)
    if seeded:
        lines.append(f"SEED = {lesson.network.seed}")
    losses = literal(np.array([float(f"{loss:.10g}") for loss in lesson.losses]), width=_WIDTH)
    return [*lines, "# the loss of each epoch as chainrule finds it", f"LOSSES = {losses}"]
