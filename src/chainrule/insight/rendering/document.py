"""The parts of an explanation: few, and the same for every way to draw it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct

Tone: TypeAlias = Literal["plain", "note", "good", "warning", "alarm"]
"""How a sentence is meant; a drawing may colour it, and text loses nothing without the colour."""


class Heading(Struct, frozen=True):
    """The title of what follows; `level` 1 for the largest below the document's own."""

    text: str
    level: int = 1


class Sentence(Struct, frozen=True):
    """Words, wrapped to the width."""

    text: str
    tone: Tone = "plain"


class Formula(Struct, frozen=True):
    """A formula in plain notation (see `notation`); lines after the first begin with ``=`` and continue it.

    >>> Formula(("dL/dw = delta * x", "= 0.5 * 3", "= 1.5")).lines[2]
    '= 1.5'
    """

    lines: tuple[str, ...]


class Matrix(Struct, frozen=True, eq=False):
    """An array under its name: ``name (shape) = formula``, and the numbers.

    Attributes:
        name: by which it can be asked for: ``dense_1.Z``.
        values: of any number of axes; the first one runs down, all others together to the right.
        formula: what it is, in plain notation; may be empty.
        note: a remark behind the formula.
        told: whether its numbers stand elsewhere already, and only its name and formula are to be shown.
    """

    name: str
    values: Any
    formula: str = ""
    note: str = ""
    told: bool = False


class Table(Struct, frozen=True):
    """Cells in columns, under a head or without one.

    Attributes:
        head: the titles of the columns; empty for none.
        rows: as many cells in each.
        right: the columns that stand to the right, as numbers do.
        formulas: the columns that hold plain notation.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    formulas: tuple[int, ...] = ()


class Figure(Struct, frozen=True):
    """A drawing as SVG; where nothing can be drawn its words stand for it."""

    svg: str
    words: str


Part: TypeAlias = Heading | Sentence | Formula | Matrix | Table | Figure


class Document(Struct, frozen=True):
    """What is to be drawn."""

    title: str
    parts: tuple[Part, ...]
