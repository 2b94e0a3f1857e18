"""The rows whose answers are farthest from the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.report.page import Raw, Section, paragraph, table
from chainrule.report.pictures import as_image, picture
from chainrule.report.words import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.arrays import Floats
    from chainrule.report.importance import Importances
    from chainrule.report.subject import Subject

_WORST = 10  # rows
_CELLS = 6  # of a row
_NAME = 40  # letters of a cell


def worst_section(subject: Subject, important: Importances) -> Section:
    """The ten rows whose answers were farthest from the truth."""
    classes = subject.kind == "classes"
    badness = _badness(subject)
    rows = np.argsort(-badness, kind="stable")[:_WORST].tolist()
    places = {name: place for place, (name, _) in enumerate(subject.groups)}
    told = [each.name for each in important.each[: 0 if subject.image else _CELLS]]
    head = ["row", "true", "predicted", "p(true)" if classes else "residual", *told]
    lines = []
    for row in rows:
        cells = subject.cells(row)
        lines.append([str(subject.places[row]), *_answer(subject, row), *(cells[places[name]] for name in told)])
    if subject.image is not None:
        head.append("input")
        side, where = subject.image
        pixels = subject.pixels
        scale = float(np.abs(pixels).max())
        for line, row in zip(lines, rows, strict=True):
            words = f"the pixels of row {line[0]}"
            line.append(Raw(picture(as_image(pixels[row], side, where), words, scale=scale, css="pixels small")))
    css = "pictured" if subject.image is not None else "cells"
    right = [place for place in range(3 if classes else 1, len(head)) if all(_is_number(each[place]) for each in lines)]
    what = table(f"The {len(rows)} worst rows", head, lines, right=right, widest=_NAME, css=css)
    by = "least probability of the true class" if classes else "largest residual"
    counted = f"Those of the {by} among the {subject.part} rows, counted {_origin(subject)}" + (
        "; the columns that matter most are shown." if told else "."
    )
    return Section("worst", "The worst rows", paragraph(counted, "soft") + what)


def _is_number(text: str) -> bool:
    return text.replace(",", "").lstrip("-")[:1].isdigit()


def _origin(subject: Subject) -> str:
    """Where the count of rows begins."""
    table_of, part = subject.trained.table, subject.part
    if table_of is None:
        among = "those of the validation" if part == "validation" and subject.trained.places is None else "all"
        return f"from 0 among {among} that were given"
    if part in table_of.places:
        return f"from 1 in {table_of.name or 'the table'}, the head not counted"
    return f"from 1 in {getattr(table_of.settings, part)}, the head not counted"


def _badness(subject: Subject) -> Floats:
    """How far each answer is from the truth: -p of the true class, or the largest residual."""
    if subject.kind == "classes":
        sure: Floats = np.asarray(subject.probabilities, np.float64)[np.arange(len(subject.targets)), subject.targets]
        return -sure
    spread = subject.targets.std(axis=0)
    return np.asarray((np.abs(subject.values - subject.targets) / np.where(spread > 0, spread, 1)).max(axis=1))


def _answer(subject: Subject, row: int) -> tuple[str, str, str]:
    """True, predicted, and how far apart."""
    if subject.kind == "classes":
        P, t = subject.probabilities, subject.targets[row]
        return str(subject.classes[t]), str(subject.classes[int(P[row].argmax())]), f"{P[row, t]:.4f}"
    t, y = subject.targets[row], subject.values[row]
    return _joined(t), _joined(y), _joined(y - t)


def _joined(values: Iterable[float]) -> str:
    return ", ".join(map(number, values))
