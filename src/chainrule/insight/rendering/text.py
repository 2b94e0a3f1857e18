"""A document as lines of text, laid out to a width; whoever prints them may colour each by its style."""

from __future__ import annotations

import re
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chainrule.insight.rendering.document import Document, Figure, Formula, Heading, Matrix, Part, Sentence, Table
from chainrule.insight.rendering.numbers import cells, shape_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_INDENT = "  "
_ADDRESS = re.compile(r"\w\[[^\]\s]+(?: [^\]\s]+)*\]")
_FIRM = "\xa0"  # a blank at which no line ends
_ROWS = 8  # of an abridged matrix
_STYLES = {"plain": "", "note": "dim", "good": "green", "warning": "yellow", "alarm": "red"}


class Line(NamedTuple):
    """A line, and the style that a terminal may give it (a word of the library rich; empty for none)."""

    text: str
    style: str = ""


def to_text(document: Document, *, width: int = 80, digits: int = 6, whole: bool = False) -> str:
    """The document as one text, without a colour."""
    return "\n".join(line.text for line in lines(document, width=width, digits=digits, whole=whole))


def lines(document: Document, *, width: int = 80, digits: int = 6, whole: bool = False) -> Iterator[Line]:
    """The document line by line; `whole` leaves nothing of a matrix out, and lets lines be as long as they are."""
    yield Line(document.title, "bold")
    before: Part | None = None
    for part in document.parts:
        if not _close(before, part):
            yield Line("")
        yield from _part(part, width, digits, whole=whole)
        before = part


def _close(before: Part | None, part: Part) -> bool:
    """Whether a part stands without an empty line below another."""
    if isinstance(part, Heading):
        return isinstance(before, Heading)
    return isinstance(part, Sentence | Matrix) and isinstance(before, Sentence | Matrix | Heading)


def _part(part: Part, width: int, digits: int, *, whole: bool) -> Iterator[Line]:
    if isinstance(part, Heading):
        yield from (Line(text, "bold cyan" if part.level == 1 else "bold") for text in _wrapped(part.text, width))
    elif isinstance(part, Sentence):
        yield from (Line(text, _STYLES[part.tone]) for text in _wrapped(part.text, width))
    elif isinstance(part, Formula):
        yield from (Line(_INDENT + text) for text in formula_lines(part, width - len(_INDENT)))
    elif isinstance(part, Matrix):
        yield from _matrix(part, width, digits, whole=whole)
    elif isinstance(part, Table):
        yield from _table(part, width)
    elif isinstance(part, Figure):
        yield from (Line(text) for text in part.words.splitlines())


def _wrapped(text: str, width: int, hang: str = "") -> list[str]:
    """Lines between words; none within a word or an address, so that it can be copied."""
    kept = _ADDRESS.sub(lambda match: match[0].replace(" ", _FIRM), text)
    lines = wrap(kept, width, break_long_words=False, break_on_hyphens=False, subsequent_indent=hang)
    return [line.replace(_FIRM, " ") for line in lines] or [""]


def formula_lines(formula: Formula, width: int) -> list[str]:
    """The lines of a formula with their first equals signs below each other.

    >>> formula_lines(Formula(("dL/dw = delta * x", "= 1.5")), 40)
    ['dL/dw = delta * x', '      = 1.5']
    """
    first, *rest = formula.lines
    column = max(first.find(" = ") + 1, 0) if rest else 0
    laid = _wrapped(first, width, " " * (column + 2))
    for line in rest:
        laid += [" " * column + text for text in _wrapped(line, width - column, "  ")]
    return laid


def _matrix(part: Matrix, width: int, digits: int, *, whole: bool) -> Iterator[Line]:
    """``name (shape) = formula``, and the numbers below; a single number beside it."""
    values = np.asarray(part.values)
    formula = f" = {part.formula}" if part.formula else ""
    head = f"{part.name} {shape_text(values.shape)}".rstrip() + formula
    if values.ndim == 0:
        head += f" = {cells(values, digits=digits, rows=None, columns=None)[0][0]}"
    if part.note:
        head += f"   {part.note}"
    yield from (Line(text) for text in _wrapped(head, width, _INDENT * 2))
    if values.ndim and not part.told:
        rows = matrix_rows(part, width - 4, digits, whole=whole)
        yield from (Line(f"    {row}", "cyan") for row in rows)


def matrix_rows(part: Matrix, width: int, digits: int, *, whole: bool) -> list[str]:
    """The numbers in columns; as many columns as the width holds."""
    columns, widths = None if whole else max(width // 3, 3), []
    while True:
        table = cells(part.values, digits=digits, rows=None if whole else _ROWS, columns=columns)
        widths = _natural(table)
        if columns is None or columns <= 3 or _laid(widths) <= width:
            break
        columns = max(min((width + 2) // (max(widths) + 2), len(widths) - 1), 3)
    return ["  ".join(f"{cell:>{w}}" for cell, w in zip(row, widths, strict=True)) for row in table]


def _natural(rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column that nobody limits."""
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _laid(widths: list[int]) -> int:
    """The width of columns side by side."""
    return sum(widths) + 2 * (len(widths) - 1)


def _table(part: Table, width: int) -> Iterator[Line]:
    """Columns side by side; words are wrapped where the width asks for it, numbers never.

    Where that is not enough, the last column stands below the others; the first one above them, where the last holds
    numbers.
    """
    rows = [part.head, *part.rows] if part.head else list(part.rows)
    if not rows:
        return
    right, last = set(part.right), len(rows[0]) - 1
    widths = _widths(rows, right, width)
    apart = None
    if _laid(widths) > width and last > 1:
        apart = 0 if last in right else last
        right = {i - (apart == 0) for i in right}
        widths = _widths([_without(row, apart) for row in rows], right, width - 2 * len(_INDENT))
    for place, row in enumerate(rows):
        style = "bold" if part.head and place == 0 else ""
        laid = list(_row(_without(row, apart), widths, right))
        if apart is not None:
            alone, margin = _wrapped(row[apart], width - 2 * len(_INDENT)), _INDENT * 2
            laid = (
                [*alone, *(margin + text for text in laid)]
                if apart == 0
                else [*laid, *(margin + text for text in alone)]
            )
        yield from (Line(text, style) for text in laid)


def _without(row: tuple[str, ...], column: int | None) -> tuple[str, ...]:
    return row if column is None else (*row[:column], *row[column + 1 :])


def _row(row: tuple[str, ...], widths: list[int], right: set[int]) -> Iterator[str]:
    columns = [[e] if i in right else _wrapped(e, max(widths[i], 1)) for i, e in enumerate(row)]
    for entries in zip_longest(*columns, fillvalue=""):
        padded = (
            f"{e:>{w}}" if i in right else f"{e:<{w}}" for i, (e, w) in enumerate(zip(entries, widths, strict=True))
        )
        yield "  ".join(padded).rstrip()


def _widths(rows: list[tuple[str, ...]], right: set[int], width: int) -> list[int]:
    """The width of each column: of words the last one gives way first, then the widest, no further than their words."""
    widths = _natural(rows)
    last = len(widths) - 1
    least = {
        i: min(max(12, *(len(word) for row in rows for word in _wrapped(row[i], 1))), widths[i])
        for i in range(len(widths))
        if i not in right
    }
    for i in sorted(least, key=lambda i: (i != last, -widths[i])):
        widths[i] = max(min(widths[i], width - _laid(widths) + widths[i]), least[i])
    return widths
