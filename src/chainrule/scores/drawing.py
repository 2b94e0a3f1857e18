"""How reports are drawn: as text of at most 80 columns without colour, and as a table in a notebook."""

from __future__ import annotations

import html
import math
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from chainrule.scores.reports import AverageScore, ClassReport, ClassScore, ValueReport

_WIDTH = 80  # columns of a line of text
_ROWS = 30  # classes or outputs listed in full; of more only the weakest are
_WEAKEST = 20
_NAME = 39  # what the four numbers of a row leave of a line
_SIDE = 24  # columns of the names beside a confusion matrix
_CORNER = "true \\ predicted"
_CELL = 9  # columns of a number, as in scikit-learn's classification_report


class Table(NamedTuple):
    """What text and HTML both show: a head of four numbers, rows, a line that says what was left out, foot, notes."""

    head: list[str]
    rows: list[list[str]]
    left_out: str
    foot: list[list[str]]
    notes: list[str]


def class_table(report: ClassReport) -> Table:
    """Each class, or the weakest of many; accuracy and averages at the foot."""
    rows, left_out = report.classes, ""
    if len(rows) > _ROWS:
        appear = sorted((c for c in rows if c.support or c.predicted), key=lambda c: c.f1)
        rows, rest = tuple(appear[:_WEAKEST]), appear[_WEAKEST:]
        left_out = f"... the {len(rows)} classes of lowest F1, of {len(report.classes)}"
        left_out += f"; the others that appear: {rest[0].f1:.2f} to {rest[-1].f1:.2f}" if rest else ""
    support = _count(report.support)
    averages = [("macro avg", report.macro), ("weighted avg", report.weighted)]
    return Table(
        head=["precision", "recall", "f1-score", "support"],
        rows=[[_printable(c.name), *_shares(c), _count(c.support)] for c in rows],
        left_out=left_out,
        foot=[
            ["accuracy", "", "", f"{report.accuracy:.2f}", support],
            *([name, *_shares(average), support] for name, average in averages),
        ],
        notes=_class_notes(report),
    )


def _shares(score: ClassScore | AverageScore) -> list[str]:
    return [f"{share:.2f}" for share in (score.precision, score.recall, score.f1)]


def _class_notes(report: ClassReport) -> list[str]:
    line = f"accuracy {report.accuracy:.4f}, balanced accuracy {report.balanced_accuracy:.4f}"
    for name, number in (("log-loss", report.log_loss), ("ROC AUC", report.roc_auc)):
        line += f", {name} {number:.4f}" if number is not None else ""
    absent = sum(not (c.support or c.predicted) for c in report.classes)
    if not absent:
        return [line]
    return [line, f"{absent} of the classes neither occur nor were predicted; no average counts them"]


def value_table(report: ValueReport) -> Table:
    """Each output, or the weakest of many; their average at the foot."""
    rows, left_out = report.outputs, ""
    if len(rows) > _ROWS:
        rows = tuple(sorted(rows, key=lambda o: -math.inf if o.r2 is None else o.r2)[:_WEAKEST])
        left_out = f"... the {len(rows)} outputs of lowest R2, of {len(report.outputs)}"
    worst = "beyond the range of numbers" if report.worst is None else f"{report.worst:.5g}"
    return Table(
        head=["R2", "MAE", "RMSE", "worst"],
        rows=[[_printable(o.name), *map(_number, (o.r2, o.mae, o.rmse, o.worst))] for o in rows],
        left_out=left_out,
        foot=[["average", *map(_number, (report.r2, report.mae, report.rmse)), ""]] if len(report.outputs) > 1 else [],
        notes=[f"rows {report.rows}; worst residual y - t: {worst}, in row {report.worst_row} (from 0)"],
    )


def _number(number: float | None) -> str:
    """Five digits that count, or as many as fit a cell."""
    if number is None:
        return "-"
    return next(text for digits in (5, 4, 3, 2, 1) if len(text := f"{number:.{digits}g}") <= _CELL)


def _count(count: float) -> str:
    """A number of rows as it is; a sum of weights to five digits."""
    return str(count) if isinstance(count, int) and len(str(count)) <= _CELL else _number(count)


def text_lines(table: Table) -> list[str]:
    """Right-aligned columns as scikit-learn's classification_report has them, blocks parted by empty lines."""
    every = [*table.rows, *table.foot]
    names = [_shortened(name, _NAME) for name, *_ in every]
    width = max(len("weighted avg"), *map(_cells, names))
    lines = [_row(_padded(name, width), row[1:]) for name, row in zip(names, every, strict=True)]
    n = len(table.rows)
    lines[n:n] = [table.left_out] * bool(table.left_out) + [""] * bool(table.foot)
    return [_row(" " * width, table.head), "", *lines]


def _row(name: str, cells: list[str]) -> str:
    return " ".join([name, "", *(f"{cell:>{_CELL}}" for cell in cells)]).rstrip()


def html_table(table: Table) -> str:
    """The table for a notebook."""

    def row(cells: list[str], tag: str = "td") -> str:
        first, *numbers = map(html.escape, cells)
        right = "".join(f'<{tag} style="text-align:right">{number}</{tag}>' for number in numbers)
        return f'<tr><th style="text-align:left">{first}</th>{right}</tr>'

    left_out = f'<tr><td colspan="5">{html.escape(table.left_out)}</td></tr>' if table.left_out else ""
    body = "".join(map(row, table.rows)) + left_out
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in table.notes)
    head, foot = row(["", *table.head], "th"), "".join(map(row, table.foot))
    return f"<table><thead>{head}</thead><tbody>{body}</tbody><tfoot>{foot}</tfoot></table>{notes}"


def matrix_lines(report: ClassReport) -> list[str]:
    """The matrix under the names of its classes, or under #1, #2, ... where those are too long; nothing if too wide."""
    if report.confusion is None:
        return []
    counts = [[_count(count) for count in row] for row in report.confusion]
    widest = max(len(count) for row in counts for count in row)
    names = [_printable(c.name) for c in report.classes]
    attempts = (make(names, counts, widest, gap) for gap in (2, 1) for make in (_under_names, _under_numbers))
    return next(filter(None, attempts), [])


def _under_names(names: list[str], counts: list[list[str]], widest: int, gap: int) -> list[str]:
    """Names head the columns, whole, or shortened as long as they can be read and told apart."""
    longest = max(map(_cells, names))
    side = max(len(_CORNER), min(longest, _SIDE))
    room = (_WIDTH - side) // len(names) - gap
    heads = [_shortened(name, max(room, 1)) for name in names]
    readable = longest <= room or (room >= 8 and len(set(heads)) == len(heads))
    if room < widest or not readable:
        return []
    return _grid(heads, [_shortened(name, side) for name in names], counts, gap)


def _under_numbers(names: list[str], counts: list[list[str]], widest: int, gap: int) -> list[str]:
    """Numbers head the columns, and stand before the names of the rows."""
    heads = [f"#{k + 1}" for k in range(len(names))]
    digits = len(heads[-1])
    side = min(_SIDE, _WIDTH - (max(widest, digits) + gap) * len(names))
    if side < len(_CORNER):
        return []
    rows = [_shortened(f"{head:<{digits}} {name}", side) for head, name in zip(heads, names, strict=True)]
    return _grid(heads, rows, counts, gap)


def _grid(columns: list[str], rows: list[str], counts: list[list[str]], gap: int) -> list[str]:
    side = max(map(_cells, [_CORNER, *rows]))
    width = max(map(_cells, [*columns, *(count for row in counts for count in row)]))
    return [
        (" " * gap).join([_padded(name, side, left=True), *(_padded(cell, width) for cell in cells)])
        for name, cells in zip([_CORNER, *rows], [columns, *counts], strict=True)
    ]


def mistake_lines(report: ClassReport) -> list[str]:
    """The most frequent confusions, a line each."""
    if not report.confusions:
        return ["no class was taken for another"]
    head = ("true", "predicted", "rows", "of")
    mistakes = [
        (_shortened(c.true, 28), _shortened(c.predicted, 28), _count(c.count), _count(c.support))
        for c in report.confusions
    ]
    widths = [max(map(_cells, column)) for column in zip(head, *mistakes, strict=True)]
    lines = [
        "  ".join(_padded(cell, width, left=i < 2) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in [head, *mistakes]
    ]
    return [f"the most frequent confusions of {len(report.classes)} classes, of the rows of the true one:", *lines]


# Text in columns ----------------------------------------------------------------------------------------------------


def _printable(text: str) -> str:
    """The text on one line: what would move the cursor or set a colour as an escape, what cannot be seen in quotes."""
    text = text if text and text.strip() == text else f"'{text}'"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _cell(character: str) -> int:
    """Columns of a terminal that a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cells(text: str) -> int:
    return sum(map(_cell, text))


def _padded(text: str, width: int, *, left: bool = False) -> str:
    space = " " * (width - _cells(text))
    return text + space if left else space + text


def _shortened(text: str, width: int) -> str:
    """The text in at most `width` columns: beginning and end, which tell similar names apart, around an ellipsis."""
    text = _printable(text)
    if _cells(text) <= width:
        return text
    end = _taken(text[::-1], (width - 1) // 2)[::-1]
    return _taken(text, width - 1 - _cells(end)) + "…" + end


def _taken(text: str, width: int) -> str:
    """As much of the beginning as fits."""
    taken = ""
    for character in text:
        width -= _cell(character)
        if width < 0:
            break
        taken += character
    return taken
