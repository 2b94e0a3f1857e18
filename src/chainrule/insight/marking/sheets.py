"""Exercises: a small network with numbers, blanks to fill, and the answers apart."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from chainrule import activations, checks, files, losses
from chainrule.errors import ArgumentError, DataError
from chainrule.insight.marking.answers import array, from_file
from chainrule.insight.marking.blanks import blank
from chainrule.insight.marking.marking import Marking, mark
from chainrule.insight.rendering import Document, Explained, Formula, Heading, Matrix, Part, Sentence, plain
from chainrule.insight.trace import Trace, trace
from chainrule.layers import Dense
from chainrule.network import Network
from chainrule.optimizers import SGD

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from chainrule.arrays import Floats

_LARGEST = 12  # units of a layer, or rows: more is no work for hands
_FORMAT = 1
_UNITS = 2  # of the last digit: who works by hand rounds on the way


class Exercise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an exercise is about.

    Attributes:
        inputs: the number of inputs.
        hidden: the units of each hidden layer.
        outputs: the number of outputs.
        rows: in the batch.
        activation: of the hidden layers.
        output_activation: of the last layer; empty for what suits the loss.
        loss: its name.
        rate: of the step of gradient descent.
        digits: decimals that are asked for.
        frozen: parameters of every layer that the step leaves as they are: ``("b",)``.
    """

    inputs: int = 2
    hidden: tuple[int, ...] = (2,)
    outputs: int = 2
    rows: int = 1
    activation: str = "sigmoid"
    output_activation: str = ""
    loss: str = "half_squared_error"
    rate: float = 0.5
    digits: int = 4
    frozen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs", "rows", "digits"):
            _small(getattr(self, name), name)
        for units in self.hidden:
            _small(units, "hidden")
        checks.positive(self.rate, "rate", where="exercise")
        activations.get(self.activation, where="exercise")
        loss = losses.get(self.loss, where="exercise")
        activations.get(self.last(loss), where="exercise")
        if self.loss == "cross_entropy" and self.outputs < 2:
            raise ArgumentError("outputs", where="exercise", expected="at least 2 for cross_entropy", got=self.outputs)

    def last(self, loss: Any = None) -> str:
        """The activation of the last layer."""
        suits = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "poisson": "softplus"}
        return self.output_activation or suits.get(self.loss if loss is None else loss.name, self.activation)

    def draw(self, seed: int, student: int = 1) -> Sheet:
        """The sheet of a student: the numbers differ from one to the next, and are the same for the same seed."""
        rng = np.random.default_rng([seed, student])
        sizes = (self.inputs, *self.hidden, self.outputs)
        weights = {}
        for place, (I, O) in enumerate(pairwise(sizes), 1):
            weights[f"dense_{place}.W"] = _tenths(rng, (I, O)).tolist()
            weights[f"dense_{place}.b"] = _tenths(rng, (O,)).tolist()
        X = _tenths(rng, (self.rows, self.inputs)).tolist()
        T = self._targets(rng).tolist()
        return Sheet(exercise=self, seed=seed, student=student, X=X, T=T, weights=weights).with_blanks()

    def _targets(self, rng: np.random.Generator) -> Floats:
        shape = (self.rows, self.outputs)
        if self.loss == "cross_entropy":
            return np.eye(self.outputs)[rng.integers(self.outputs, size=self.rows)]
        if self.loss == "binary_cross_entropy":
            return rng.integers(0, 2, size=shape).astype(float)
        if self.loss == "poisson":
            return rng.integers(0, 5, size=shape).astype(float)
        return rng.integers(1, 10, size=shape) / 10


def _small(value: object, name: str) -> None:
    if checks.whole(value, name, where="exercise") > _LARGEST:
        raise ArgumentError(name, where="exercise", expected=f"at most {_LARGEST}: it is done by hand", got=value)


def _tenths(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Numbers of one decimal in [-0.9, 0.9], none of them 0."""
    return rng.choice([-1, 1], size=shape) * rng.integers(1, 10, size=shape) / 10


class Sheet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exercise with its numbers, as its file holds it.

    Attributes:
        exercise: what it is about.
        seed: of the teacher.
        student: 1 for the first.
        X: inputs ``(B, I)``.
        T: targets ``(B, O)``.
        weights: the parameters by name.
        answers: the numbers asked for, by name; null where nobody has filled them in.
        format: of the file.
    """

    exercise: Exercise
    seed: int
    student: int
    X: list[list[float]]
    T: list[list[float]]
    weights: dict[str, Any]
    answers: dict[str, Any] = {}
    format: int = _FORMAT

    @property
    def title(self) -> str:
        """Which sheet it is."""
        return f"Backpropagation by hand: exercise {self.seed}, sheet {self.student}"

    def network(self) -> Network:
        """The network in question.

        Raises:
            InputError: when the numbers do not fit it.
        """
        exercise = self.exercise
        layers = [Dense(units, exercise.activation, frozen=exercise.frozen) for units in exercise.hidden]
        layers.append(Dense(exercise.outputs, exercise.last(), frozen=exercise.frozen))
        net = Network(layers, exercise.loss, dtype="float64", n_inputs=exercise.inputs)
        for name in net.parameters:
            if name not in self.weights:
                raise DataError(f"the sheet has no {name}", where="exercise", mend="Take the sheet as it was written.")
            net.parameters[name] = array(self.weights[name], name=name, where="exercise")
        return net

    def trace(self) -> Trace:
        """Every right number."""
        return trace(self.network(), *self._rows(), SGD(self.exercise.rate))

    def _rows(self) -> tuple[Any, Any]:
        """X, and T as the loss takes it: classes as numbers."""
        T = np.asarray(self.T)
        if self.exercise.loss == "cross_entropy":
            return self.X, T.argmax(axis=1)
        return self.X, T

    def mark(self, answers: Any) -> Marking:
        """What a student has filled in, marked: a mapping, or a file of it.

        Raises:
            InputError: when something cannot be taken.
        """
        step, asked = SGD(self.exercise.rate), self.exercise.digits
        return mark(self.network(), *self._rows(), answers, optimizer=step, units=_UNITS, decimals=asked)

    def asked(self) -> tuple[str, ...]:
        """The names of the numbers to find, in order."""
        layers = range(1, len(self.exercise.hidden) + 2)
        forward = [f"dense_{k}.{name}" for k in layers for name in ("Z", "Y")]
        back = [f"dense_{k}.{name}" for k in reversed(layers) for name in ("dY", "dZ", "dW", "db")]
        update = [f"dense_{k}.{name}.new" for k in layers for name in ("W", "b")]
        last = f"dense_{len(self.exercise.hidden) + 1}"
        pair = bool(self.network().objective.fused)
        return tuple(n for n in (*forward, "loss", *back, *update, "loss.new") if not (pair and n == f"{last}.dY"))

    def with_blanks(self) -> Sheet:
        """The same with an empty place for each number asked for."""
        made = self.trace()
        blanks = {name: _empty(np.shape(made[name])) for name in self.asked()}
        return msgspec.structs.replace(self, answers=blanks)

    def solution(self) -> dict[str, Any]:
        """The numbers asked for, exactly."""
        made = self.trace()
        return {name: plain(made[name]) for name in self.asked()}

    def page(self, *, solved: bool = False) -> SheetPage:
        """The sheet for people, with blanks or with the answers."""
        return SheetPage(self, solved=solved)


def _empty(shape: tuple[int, ...]) -> Any:
    return np.full(shape, None).tolist() if shape else None


def read_sheet(path: str | os.PathLike[str]) -> Sheet:
    """The sheet of a file.

    Raises:
        DataError, ArgumentError: when it is none.
    """
    held = from_file(path, where="exercise", whole=True)
    try:
        return msgspec.convert(held, Sheet)
    except msgspec.ValidationError as fault:
        mend = "Give the sheet.json that chainrule exercise has written first, then the answers."
        raise DataError(f"this is no sheet: {fault}", where=str(path), mend=mend) from None


class SheetPage(Explained):
    """A sheet as it is printed."""

    def __init__(self, sheet: Sheet, *, solved: bool) -> None:
        self.sheet, self.solved, self.right = sheet, solved, sheet.trace()

    @property
    def digits(self) -> int:
        """Significant ones that its numbers need: those given have one decimal."""
        return self.sheet.exercise.digits if self.solved else 1

    def data(self) -> dict[str, Any]:
        sheet = self.sheet
        told: dict[str, Any] = msgspec.to_builtins(sheet)
        return told | {"answers": sheet.solution()} if self.solved else told

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """A line for each number, so that a person can fill it in; written to `path` when one is given."""
        text = "{\n" + ",\n".join(_json_lines(self.data())) + "\n}\n"
        if path is not None:
            with files.atomic_write(path) as file:
                file.write(text.encode())
        return text

    def document(self, *, digits: int = 6) -> Document:
        del digits
        title = self.sheet.title + (": the answers" if self.solved else "")
        return Document(title, tuple(self._parts()))

    def _parts(self) -> Iterator[Part]:
        sheet, exercise = self.sheet, self.sheet.exercise
        widths = "-".join(map(str, (exercise.inputs, *exercise.hidden, exercise.outputs)))
        if not self.solved:
            yield Sentence("Name: ______________________________    Date: ______________")
        yield Sentence(
            f"A network {widths}: {exercise.activation} inside, {exercise.last()} at the end, the loss "
            f"{exercise.loss}, the mean over B = {exercise.rows} row{'' if exercise.rows == 1 else 's'}. "
            f"Do one step of gradient descent with rate {exercise.rate:g}. {exercise.digits} decimals each."
        )
        yield Heading("Given")
        yield Matrix("X", np.asarray(sheet.X), "", "inputs, a row each")
        yield Matrix("T", np.asarray(sheet.T), "", "targets")
        for name, values in sheet.weights.items():
            yield Matrix(name, np.asarray(values))
        before = ""
        for name in sheet.asked():
            heading = part_of(name)
            if heading != before:
                yield Heading(heading)
            before = heading
            yield from self._number(name)

    def _number(self, name: str) -> Iterator[Part]:
        formula = self.right.formula(name)
        values = np.asarray(self.right[name])
        if self.solved:
            yield Matrix(name, np.round(values, self.sheet.exercise.digits), formula)
            return
        if formula:
            yield Formula((f"{name.partition('.')[2] or name} = {formula}".replace(".new =", "_new ="),))
        yield blank(name, values.shape)


def _json_lines(told: dict[str, Any]) -> Iterator[str]:
    for name, value in told.items():
        if isinstance(value, dict) and name in {"weights", "answers"}:
            inside = ",\n".join(f"  {_json(key)}: {_json(entry)}" for key, entry in value.items())
            yield f"{_json(name)}: {{\n{inside}\n}}"
        else:
            yield f"{_json(name)}: {_json(value)}"


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def part_of(name: str) -> str:
    """What a number is a part of: forward or backward of a layer, the loss, the update."""
    layer, _, own = name.partition(".")
    if name == "loss":
        return "Loss"
    if name.endswith(".new"):
        return "Update"
    return f"{'Backward' if own.startswith('d') else 'Forward'}: {layer}"
