"""How good the answers are: predicted against true values; those of classes are told in `classes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.report import charts
from chainrule.report.classes import classes_told, labels_told
from chainrule.report.page import Section, figure, grid, paragraph, table
from chainrule.report.words import number, scored
from chainrule.scores import ClassReport

if TYPE_CHECKING:
    from chainrule.report.subject import Subject
    from chainrule.scores import ValueReport

_LISTED = 30  # outputs listed
_NAME = 40  # letters of an output


def results_section(subject: Subject) -> Section:
    """What there is to say of the answers for the rows that are scored."""
    rows = f"On the {len(subject.inputs):,} {subject.part} rows"
    if subject.part == "training":
        rows += ", which it was trained on: rows that it has not seen would tell more"
    return Section("results", "How good it is", paragraph(f"{rows}.", "soft") + _told(subject))


def undefined_section(subject: Subject) -> Section:
    """What is said where the answers are no numbers."""
    rows = f"{subject.undefined:,} of the {len(subject.inputs):,} {subject.part} rows"
    told = paragraph(f"For {rows} the network gives numbers that are not finite: there is nothing to score.", "alarm")
    return Section("results", "How good it is", told)


def _told(subject: Subject) -> str:
    if subject.kind == "labels":
        return labels_told(subject)
    report = subject.report
    return classes_told(subject, report) if isinstance(report, ClassReport) else _values(subject, report)


def _values(subject: Subject, report: ValueReport) -> str:
    head = ("target", "R²", "mean error", "root of mean square", "farthest off")
    rows = [
        (each.name, scored(each.r2), *map(number, (each.mae, each.rmse, each.worst)))
        for each in report.outputs[:_LISTED]
    ]
    parts = [table("Scores", head, rows, right=(1, 2, 3, 4), widest=2 * _NAME)]
    place = int(np.argmin([2 if each.r2 is None else each.r2 for each in report.outputs]))
    if len(report.outputs) > 1:
        parts.append(paragraph(f"The drawings are of {report.outputs[place].name}, the weakest.", "soft"))
    t, y = subject.targets[:, place], subject.values[:, place]
    name, score = report.outputs[place].name, report.outputs[place]
    told = f"R² {scored(score.r2)}, mean absolute error {number(score.mae)}."
    parts.append(
        grid(
            figure("Predicted against true", charts.values_chart(t, y, name, told).html(), _of(len(t))),
            figure("Residuals", charts.residuals_chart(y, y - t, name, told).html(), "predicted less true"),
            figure("Spread of the residuals", charts.residual_spread_chart(y - t, told).html()),
        )
    )
    return "\n".join(parts)


def _of(rows: int) -> str:
    shown = len(charts.sample(rows))
    return f"{shown:,} of {rows:,} rows" if shown < rows else ""
