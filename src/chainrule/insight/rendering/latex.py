r"""A document as LaTeX, to be put into one's own: a fragment that needs nothing but ``\usepackage{amsmath}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.insight.rendering.document import Document, Figure, Formula, Heading, Matrix, Part, Sentence, Table
from chainrule.insight.rendering.markdown import to_latex_lines
from chainrule.insight.rendering.notation import latex_text, to_latex
from chainrule.insight.rendering.numbers import ELLIPSIS, as_table, cells, shape_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROWS, _COLUMNS = 8, 8  # of an abridged matrix
_SECTIONS = {1: "subsection*", 2: "subsubsection*", 3: "paragraph*"}


def fragment(document: Document, *, digits: int = 6, whole: bool = False) -> str:
    r"""The document as LaTeX; it needs amsmath and, with matrices of more than ten columns, ``MaxMatrixCols``."""
    blocks = ["% needs \\usepackage{amsmath}", f"\\section*{{{latex_text(document.title)}}}"]
    matrices = (part for part in document.parts if isinstance(part, Matrix) and not part.told)
    widest = max((as_table(np.asarray(part.values)).shape[1] for part in matrices), default=0)
    if whole and widest > 10:
        blocks.append(f"\\setcounter{{MaxMatrixCols}}{{{widest}}}")
    for part in document.parts:
        blocks += _part(part, digits, whole=whole)
    return "\n\n".join(blocks) + "\n"


def _part(part: Part, digits: int, *, whole: bool) -> Iterator[str]:
    if isinstance(part, Heading):
        yield f"\\{_SECTIONS[min(part.level, 3)]}{{{latex_text(part.text)}}}"
    elif isinstance(part, Sentence):
        yield latex_text(part.text)
    elif isinstance(part, Formula):
        yield f"\\[\n{to_latex_lines(part)}\n\\]"
    elif isinstance(part, Matrix):
        yield _matrix(part, digits, whole=whole)
    elif isinstance(part, Table):
        yield _table(part)
    elif isinstance(part, Figure):
        yield f"\\begin{{verbatim}}\n{part.words}\n\\end{{verbatim}}"


def _matrix(part: Matrix, digits: int, *, whole: bool) -> str:
    values = np.asarray(part.values)
    if part.told:
        return f"\\noindent \\texttt{{{latex_text(part.name)}}} ${shape_text(values.shape)} = {to_latex(part.formula)}$"
    most = (None, None) if whole else (_ROWS, _COLUMNS)
    table = cells(values, digits=digits, rows=most[0], columns=most[1])
    rows = " \\\\\n".join(" & ".join(map(_cell, row)) for row in table)
    inside = f"\\begin{{bmatrix}}\n{rows}\n\\end{{bmatrix}}" if values.ndim else rows
    formula = f"{to_latex(part.formula)} = " if part.formula else ""
    words = f"\\texttt{{{latex_text(part.name)}}} ${shape_text(values.shape)}$".replace(" $$", "")
    return f"\\noindent {words} {latex_text(part.note)}\n\\[\n{formula}{inside}\n\\]".replace(" \n", "\n")


def _cell(cell: str) -> str:
    return r"\cdots" if cell == ELLIPSIS else to_latex(cell)


def _table(part: Table) -> str:
    width = len(part.head or part.rows[0])
    columns = "".join("r" if place in part.right else "l" for place in range(width))
    rows = [" & ".join(map(latex_text, part.head)) + r" \\ \hline"] if part.head else []
    for row in part.rows:
        entries = (f"${to_latex(c)}$" if place in part.formulas and c else latex_text(c) for place, c in enumerate(row))
        rows.append(" & ".join(entries) + r" \\")
    inside = "\n".join(rows)
    return f"\\noindent\\begin{{tabular}}{{{columns}}}\n{inside}\n\\end{{tabular}}"
