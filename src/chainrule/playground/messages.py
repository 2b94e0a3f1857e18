"""What a page is told: the records of the protocol, each tagged with its name.

They are JSON texts, as what it asks (`asks`); frames (`frames`) alone are bytes.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from chainrule.errors import ChainruleError, shown
from chainrule.insight.rendering.document import Document, Figure, Formula, Heading, Matrix, Sentence, Table
from chainrule.insight.rendering.numbers import cells
from chainrule.playground.records import Field
from chainrule.playground.setting import Choices, Setting
from chainrule.playground.tables import Axis


class Told(Struct, frozen=True, tag=str.lower, tag_field="kind"):
    """What a page is told."""


class Source(Struct, frozen=True):
    """A table that can be named."""

    name: str
    about: str
    handed: bool


class Away(Struct, frozen=True):
    """What can be taken away: the kind that is asked for, its title, a line about it."""

    kind: str
    title: str
    about: str


class Welcome(Told, frozen=True):
    """What there is, once a page has come."""

    session: str
    version: str
    choices: Choices
    sources: tuple[Source, ...]
    away: tuple[Away, ...]
    exercise: tuple[Field, ...]
    idle_minutes: float
    is_new: bool
    """Whether no page has seen this session before: one that lost its own asks for its setting again."""


class Layer(Struct, frozen=True):
    """A dense layer."""

    name: str
    inputs: int
    units: int
    activation: str
    bias: bool


class Points(Struct, frozen=True):
    """Some rows in the plane of two inputs, as the network sees them."""

    rows: tuple[int, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    target: tuple[float, ...]
    """The class, or the value between the least (0) and the largest (1)."""
    held: tuple[bool, ...]


class Setup(Told, frozen=True):
    """What is trained on what."""

    number: int
    setting: Setting
    link: str
    layers: tuple[Layer, ...]
    parameters: int
    loss: str
    axes: tuple[Axis, ...]
    first_axes: tuple[int, int]
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    aside: dict[str, str]
    """The columns that are not used though nobody left them out, each with the reason."""
    target: str
    targets: tuple[str, ...]
    sheet: bool
    """Whether the rows are those of an exercise, of which nothing can be held out or left out."""
    training_rows: int
    held_rows: int
    steps_per_epoch: int
    picture_side: int
    target_range: tuple[float, float] | None
    engine: str


class Plane(Told, frozen=True):
    """The points for a view."""

    number: int
    x: int
    y: int
    points: Points


class Curve(Struct, frozen=True):
    """A run: its series over the epochs, thinned where there are many."""

    name: str
    epochs: tuple[float, ...]
    series: dict[str, tuple[float | None, ...]]


class Curves(Told, frozen=True):
    """The run, and those that were kept."""

    runs: tuple[Curve, ...]


class Results(Told, frozen=True):
    """How good the answers are on some rows."""

    part: Literal["training", "held-out"]
    rows: int
    scores: tuple[tuple[str, str], ...]
    classes: tuple[str, ...] = ()
    confusion: tuple[tuple[float, ...], ...] = ()
    actual: tuple[float, ...] = ()
    predicted: tuple[float, ...] = ()
    places: tuple[int, ...] = ()


class Beside(Told, frozen=True):
    """The run beside the one that is shown: where it stands, what is set otherwise in it, how good both are."""

    title: str
    state: str
    taken: int
    differs: tuple[tuple[str, str, str], ...]
    """A setting, as it is in the run that is shown, as it is in the other."""
    scores: tuple[tuple[str, str, str], ...]
    results: Results


class Alone(Told, frozen=True):
    """There is no run beside."""


class Page(Told, frozen=True):
    """Rows of the table: each with its number among the training rows and those held out, or -1."""

    first: int
    total: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    held: tuple[bool, ...]


class Part(Struct, frozen=True):
    """A part of an explanation: its kind, its words, its cells."""

    kind: Literal["heading", "sentence", "formula", "matrix", "table"]
    text: str = ""
    tone: str = "plain"
    level: int = 1
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    right: tuple[int, ...] = ()


class Explained(Told, frozen=True):
    """An explanation of a number, and its history."""

    name: str
    title: str
    parts: tuple[Part, ...]
    value: float
    gradient: float
    difference: float
    row: int | None
    steps: tuple[int, ...]
    values: tuple[float, ...]


class Cure(Struct, frozen=True):
    """A remedy; `ready`: whether a program can try it."""

    words: str
    argument: str
    ready: bool


class FindingTold(Struct, frozen=True):
    """A finding of a diagnosis."""

    rule: str
    severity: str
    where: str
    says: str
    why: str
    figures: tuple[str, ...]
    remedies: tuple[Cure, ...]


class Diagnosed(Told, frozen=True):
    """What a diagnosis found."""

    taken: int
    findings: tuple[FindingTold, ...]


class Tried(Told, frozen=True):
    """A training as it was and with a remedy."""

    finding: int
    remedy: int
    title: str
    helped: bool
    words: str
    before: Curve
    after: Curve


class Blank(Struct, frozen=True):
    """A place to fill in: an array of the step, its shape, how it is worked out, and what it is a part of."""

    name: str
    shape: tuple[int, ...]
    formula: str
    part: str


class Sheet(Told, frozen=True):
    """An exercise: what is given, and what is asked for."""

    name: str
    title: str
    given: tuple[Part, ...]
    blanks: tuple[Blank, ...]
    digits: int


class Judged(Struct, frozen=True):
    """An answer that was marked, and the places of its wrong numbers."""

    name: str
    right: bool
    wrong_at: tuple[tuple[int, ...], ...]


class Marked(Told, frozen=True):
    """An exercise that was marked: each answer, and in words what is wrong and why."""

    sheet: str
    ok: bool
    title: str
    answers: tuple[Judged, ...]
    parts: tuple[Part, ...]


class Fault(Told, frozen=True):
    """What was wrong; the session lives on."""

    words: str
    about: str = ""


def fault_of(fault: Exception) -> Fault:
    """What went wrong, in words; what nobody foresaw with its kind."""
    return Fault(str(fault) if isinstance(fault, ChainruleError) else f"{type(fault).__name__}: {fault}")


AnyTold: TypeAlias = (
    Welcome | Setup | Plane | Curves | Results | Page | Explained | Diagnosed | Tried | Sheet | Marked
    | Beside | Alone | Fault
)  # fmt: skip
_ENCODER = msgspec.json.Encoder()


def encode(told: AnyTold) -> str:
    """As it is sent."""
    return _ENCODER.encode(told).decode()


def parts_of(document: Document, *, digits: int = 5) -> tuple[Part, ...]:
    """The parts of an explanation as a page is told them: words and cells, no markup; matrices in so many digits."""
    return tuple(part for each in document.parts if (part := _part(each, digits)) is not None)


def _part(part: Any, digits: int) -> Part | None:
    match part:
        case Heading(text, level):
            return Part("heading", text, level=level)
        case Sentence(text, tone):
            return Part("sentence", text, tone=tone) if text else None
        case Formula(lines):
            return Part("formula", lines=lines)
        case Table(head, rows, right):
            return Part("table", head=head, rows=rows, right=right)
        case Matrix():
            rows = () if part.told else tuple(map(tuple, cells(part.values, digits=digits, rows=8, columns=8)))
            return Part("matrix", f"{part.name} = {part.formula}" if part.formula else part.name, rows=rows)
        case Figure(words=words):
            return Part("sentence", words) if words else None
    raise AssertionError(shown(part))
