"""A document as Markdown: formulas between dollar signs, matrices as blocks of text, tables as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.insight.rendering.document import Document, Figure, Formula, Heading, Matrix, Part, Sentence, Table
from chainrule.insight.rendering.notation import to_latex
from chainrule.insight.rendering.numbers import shape_text
from chainrule.insight.rendering.text import matrix_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>|$#"})
_WIDTH = 100  # of the rows of a matrix


def to_markdown(document: Document, *, digits: int = 6, whole: bool = False) -> str:
    """The document as Markdown."""
    blocks = [f"# {text(document.title)}"]
    for part in document.parts:
        blocks += _part(part, digits, whole=whole)
    return "\n\n".join(blocks) + "\n"


def text(words: str) -> str:
    r"""Words with nothing in them that Markdown would take for a sign of its own.

    >>> print(text("dense_1.W * 2"))
    dense\_1.W \* 2
    """
    return words.translate(_SPECIAL)


def _part(part: Part, digits: int, *, whole: bool) -> Iterator[str]:
    if isinstance(part, Heading):
        yield f"{'#' * (part.level + 1)} {text(part.text)}"
    elif isinstance(part, Sentence):
        yield f"> {text(part.text)}" if part.tone in {"warning", "alarm"} else text(part.text)
    elif isinstance(part, Formula):
        yield f"$$\n{to_latex_lines(part)}\n$$"
    elif isinstance(part, Matrix):
        yield from _matrix(part, digits, whole=whole)
    elif isinstance(part, Table):
        yield _table(part)
    elif isinstance(part, Figure):
        yield f"```text\n{part.words}\n```"


def to_latex_lines(formula: Formula) -> str:
    """Lines below each other at their first equals sign."""
    if len(formula.lines) == 1:
        return to_latex(formula.lines[0])
    aligned = (to_latex(line).replace("=", "&=", 1) for line in formula.lines)
    return "\\begin{aligned}\n" + " \\\\\n".join(aligned) + "\n\\end{aligned}"


def _matrix(part: Matrix, digits: int, *, whole: bool) -> Iterator[str]:
    values = np.asarray(part.values)
    words = f"**`{part.name}`** {text(shape_text(values.shape))}".rstrip()
    if part.formula:
        words += f" $= {to_latex(part.formula)}$"
    if values.ndim == 0:
        words += f" = `{matrix_rows(part, _WIDTH, digits, whole=whole)[0]}`"
    yield words + (f" {text(part.note)}" if part.note else "")
    if values.ndim and not part.told:
        rows = "\n".join(matrix_rows(part, _WIDTH, digits, whole=whole))
        yield f"```text\n{rows}\n```"


def _table(part: Table) -> str:
    head = part.head or ("",) * len(part.rows[0])
    rule = ("---:" if place in part.right else "---" for place in range(len(head)))
    rows = (
        [f"${to_latex(cell)}$" if place in part.formulas and cell else text(cell) for place, cell in enumerate(row)]
        for row in part.rows
    )
    return "\n".join(f"| {' | '.join(row)} |" for row in ([text(cell) for cell in head], list(rule), *rows))
