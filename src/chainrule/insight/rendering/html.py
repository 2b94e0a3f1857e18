"""A document as HTML: one piece, with formulas in MathML and the style beside it; no scripts, nothing fetched."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from chainrule.insight.rendering.document import Document, Figure, Formula, Heading, Matrix, Part, Sentence, Table
from chainrule.insight.rendering.notation import mathml_row, to_mathml
from chainrule.insight.rendering.numbers import ELLIPSIS, cells, shape_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROWS, _COLUMNS = 10, 10  # of an abridged matrix

_STYLE = """
.chainrule {color-scheme: light dark; --ink: #1c2430; --soft: #5b6776; --line: #d5dbe3; --cell: #f4f6f9;
  --accent: #0b6bb8; --good: #1a7f37; --warning: #9a6700; --alarm: #c3272b;
  font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 60rem; overflow-wrap: break-word}
@media screen and (prefers-color-scheme: dark) {.chainrule {--ink: #e6eaf0; --soft: #9aa6b5; --line: #3a4452;
  --cell: #232b36; --accent: #6cb6ff; --good: #57ab5a; --warning: #daaa3f; --alarm: #f47067}}
.chainrule h1 {font-size: 1.4em; margin: 0 0 .6em} .chainrule h2 {font-size: 1.15em; margin: 1.6em 0 .5em;
  padding-bottom: .2em; border-bottom: 1px solid var(--line)} .chainrule h3 {font-size: 1em; margin: 1.2em 0 .4em}
.chainrule p {margin: .4em 0} .chainrule .note {color: var(--soft)} .chainrule .good {color: var(--good)}
.chainrule .warning {color: var(--warning)} .chainrule .alarm {color: var(--alarm)}
.chainrule math {font-size: 1.1em} .chainrule .formula {margin: .7em 0; padding: .2em 0; overflow-x: auto;
  overflow-y: hidden}
.chainrule .formula mtd {text-align: left; padding: .15em .2em} .chainrule .formula math {display: inline math}
.chainrule .name {font-family: ui-monospace, monospace; font-weight: 600; color: var(--accent)}
.chainrule .shape {color: var(--soft); font-family: ui-monospace, monospace; font-size: .85em}
.chainrule .array {margin: .8em 0} .chainrule .scroll {overflow-x: auto}
.chainrule table {border-collapse: collapse; font-size: .92em; margin: .4em 0; background: none; color: inherit}
.chainrule tr, .chainrule tbody tr:nth-child(odd) {background: none}
.chainrule td, .chainrule th {padding: .15em .7em .15em 0; text-align: left; border: 0; vertical-align: baseline}
.chainrule .right {text-align: right; font-variant-numeric: tabular-nums; font-family: ui-monospace, monospace}
.chainrule .matrix td {padding: .1em .6em; text-align: right; font-family: ui-monospace, monospace;
  font-variant-numeric: tabular-nums}
.chainrule .matrix {border-left: 2px solid var(--soft); border-right: 2px solid var(--soft); border-radius: .5em}
.chainrule .facts th {border-bottom: 1px solid var(--line); color: var(--soft); font-weight: 600}
.chainrule svg {max-width: 100%; height: auto}
@media print {:root, .chainrule {color-scheme: light} .chainrule h2, .chainrule h3 {break-after: avoid}
  .chainrule .formula, .chainrule .array, .chainrule .scroll {break-inside: avoid}}
"""


def page(document: Document, *, digits: int = 6, whole: bool = False) -> str:
    """A whole page, which needs nothing but itself."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n"
        "<style>:root {color-scheme: light dark} body {margin: 2rem auto; max-width: 60rem; padding: 0 1rem}</style>\n"
        f"</head>\n<body>\n{fragment(document, digits=digits, whole=whole)}\n</body>\n</html>\n"
    )


def fragment(document: Document, *, digits: int = 6, whole: bool = False) -> str:
    """A piece of a page, as a notebook shows it; its style reaches nothing else."""
    parts = [f"<style>{_STYLE}</style>", f"<h1>{escape(document.title)}</h1>"]
    for part in document.parts:
        parts += _part(part, digits, whole=whole)
    inside = "\n".join(parts)
    return f'<div class="chainrule">\n{inside}\n</div>'


def _part(part: Part, digits: int, *, whole: bool) -> Iterator[str]:
    if isinstance(part, Heading):
        tag = f"h{min(part.level + 1, 6)}"
        yield f"<{tag}>{escape(part.text)}</{tag}>"
    elif isinstance(part, Sentence):
        yield f'<p class="{part.tone}">{escape(part.text)}</p>'
    elif isinstance(part, Formula):
        yield f'<div class="formula">{_formula(part)}</div>'
    elif isinstance(part, Matrix):
        yield _matrix(part, digits, whole=whole)
    elif isinstance(part, Table):
        yield _table(part)
    elif isinstance(part, Figure):
        yield f'<div class="scroll">{part.svg}</div>'


def _formula(formula: Formula) -> str:
    """One line, or a table of lines with what stands left of the equals sign and what stands right of it."""
    if len(formula.lines) == 1:
        return to_mathml(formula.lines[0], block=True)
    rows = []
    for line in formula.lines:
        left, sign, right = line.partition("=")
        cells_of_row = (mathml_row(left), f"<mo>=</mo>{mathml_row(right)}" if sign else "")
        rows.append("<mtr>" + "".join(f"<mtd>{cell}</mtd>" for cell in cells_of_row) + "</mtr>")
    return f'<math display="block"><mtable>{"".join(rows)}</mtable></math>'


def _matrix(part: Matrix, digits: int, *, whole: bool) -> str:
    values = np.asarray(part.values)
    most = (None, None) if whole else (_ROWS, _COLUMNS)
    table = cells(values, digits=digits, rows=most[0], columns=most[1])
    head = f'<span class="name">{escape(part.name)}</span> <span class="shape">{shape_text(values.shape)}</span>'
    if part.formula:
        head += f" {to_mathml(f'= {part.formula}')}"
    if values.ndim == 0:
        head += f" {to_mathml(f'= {table[0][0]}')}"
    if part.note:
        head += f' <span class="note">{escape(part.note)}</span>'
    if values.ndim == 0 or part.told:
        return f'<div class="array">{head}</div>'
    rows = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in table)
    return f'<div class="array">{head}<div class="scroll"><table class="matrix">{rows}</table></div></div>'


def _cell(cell: str) -> str:
    return "⋯" if cell == ELLIPSIS else cell.replace("-", "−", 1) if "e" not in cell else cell


def _table(part: Table) -> str:
    def row(entries: tuple[str, ...], tag: str) -> str:
        def cell(place: int, text: str) -> str:
            side = ' class="right"' if place in part.right else ""
            inside = to_mathml(text) if place in part.formulas and text and tag == "td" else escape(text)
            return f"<{tag}{side}>{inside}</{tag}>"

        return "<tr>" + "".join(cell(place, text) for place, text in enumerate(entries)) + "</tr>"

    head = f"<thead>{row(part.head, 'th')}</thead>" if part.head else ""
    body = "".join(row(entries, "td") for entries in part.rows)
    return f'<div class="scroll"><table class="facts">{head}<tbody>{body}</tbody></table></div>'
