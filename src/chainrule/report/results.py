"""How good the answers are: scores, confusion, calibration, curves; predicted against true; the worst rows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.report import charts, curves
from chainrule.report.page import Section, facts, figure, folded, grid, paragraph, table
from chainrule.report.pictures import as_image, picture
from chainrule.scores import ClassReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.arrays import Floats, Ints
    from chainrule.report.importance import Importances
    from chainrule.report.subject import Subject
    from chainrule.scores import ValueReport

_WIDEST = 20  # classes whose confusion matrix is a table; of more it is a picture
_CURVES = 10  # classes whose curves are drawn; of more, the weakest
_LISTED = 30  # classes listed; of more, the weakest
_WORST = 10  # rows
_CELLS = 6  # of a row


def results_section(subject: Subject) -> Section:
    """What there is to say of the answers for the rows that are scored."""
    report = subject.report
    rows = f"On the {report.rows:,} {subject.part} rows"
    if subject.part == "training":
        rows += ", which it was trained on: rows that it has not seen would tell more"
    told = paragraph(f"{rows}.", "soft")
    body = _classes(subject, report) if isinstance(report, ClassReport) else _values(subject, report)
    return Section("results", "How good it is", told + body)


def scored(value: float | None, digits: int = 4) -> str:
    """A score as text; a dash where it is undefined."""
    return "–" if value is None or not np.isfinite(value) else f"{value:.{digits}f}"


# ---- classes --------------------------------------------------------------------------------------------------------


def _classes(subject: Subject, report: ClassReport) -> str:
    t, P = subject.targets, np.asarray(subject.probabilities, np.float64)
    numbers = facts(
        [
            ("accuracy", scored(report.accuracy)),
            ("balanced accuracy", scored(report.balanced_accuracy)),
            ("log loss", scored(report.log_loss)),
            ("area under ROC", scored(report.roc_auc)),
        ]
    )
    return numbers + grid(_per_class(report), _confusion(report)) + _class_curves(subject, t, P)


def _per_class(report: ClassReport) -> str:
    shown = (
        sorted(report.classes, key=lambda each: each.f1)[:_LISTED] if len(report.classes) > _LISTED else report.classes
    )
    rows = [
        (each.name, scored(each.precision), scored(each.recall), scored(each.f1), f"{each.support:,g}")
        for each in shown
    ]
    for name, each in (("mean of the classes", report.macro), ("weighted by rows", report.weighted)):
        rows.append((name, scored(each.precision), scored(each.recall), scored(each.f1), f"{report.support:,g}"))
    some = f", the {_LISTED} weakest of {len(report.classes)}" if len(report.classes) > _LISTED else ""
    return table(f"By class{some}", ("class", "precision", "recall", "F1", "rows"), rows, right=(1, 2, 3, 4))


def _confusion(report: ClassReport) -> str:
    names = [each.name for each in report.classes]
    caption = "Confusion matrix: true classes down, predicted classes across"
    if report.confusion is not None and len(names) <= _WIDEST:
        return _matrix(caption, names, np.array(report.confusion))
    told = [(each.true, each.predicted, f"{each.count:,g}", f"{each.support:,g}") for each in report.confusions]
    often = table("Most frequent confusions", ("true", "predicted as", "rows", "of"), told, right=(2, 3))
    if report.confusion is None:
        return often
    C = np.array(report.confusion, np.float64)
    shares = C / np.maximum(C.sum(axis=1, keepdims=True), 1)
    words = f"{len(names)} classes; the darker a cell, the larger its share of the rows of the true class"
    return f"<div>{figure(caption, picture(shares, words, scale=1.0, css='pixels wide'))}{often}</div>"


def _matrix(caption: str, names: list[str], C: Any) -> str:
    """A table whose cells are coloured by their share of the true class."""
    totals = np.maximum(C.sum(axis=1), 1)

    def cell(i: int, j: int) -> str:
        css = "zero" if not C[i, j] else "" if i == j else "off"
        return f'<td class="{css}" style="--s:{C[i, j] / totals[i]:.3f}">{C[i, j]:,g}</td>'

    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(cell(i, j) for j in range(len(names)))}</tr>'
        for i, name in enumerate(names)
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table class="matrix">'
        f"<caption>{escape(caption)}</caption>"
        f'<thead><tr><th scope="col">true \\ predicted</th>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'
    )


def _class_curves(subject: Subject, t: Ints, P: Floats) -> str:
    """ROC, precision by recall, calibration; for two classes the curves of the second."""
    names, K = [str(label) for label in subject.classes], P.shape[1]
    present = [k for k in ((1,) if K == 2 else range(K)) if 0 < (t == k).sum() < len(t)]
    found = {k: curves.precision_recall(t == k, P[:, k]) for k in present}
    shown = sorted(sorted(present, key=lambda k: found[k].average)[:_CURVES])
    calibrated = curves.calibration(t, P)
    some = f"the {_CURVES} weakest of {len(present)} classes" if len(present) > _CURVES else ""
    drawn = []
    if shown:
        told = "; ".join(f"{names[k]}: average precision {found[k].average:.4f}" for k in shown)
        rocs = {names[k]: curves.roc(t == k, P[:, k]) for k in shown}
        drawn.append(figure("ROC", charts.roc_chart(rocs, "Each class against the others.").svg(), some))
        pr = charts.precision_chart({f"{names[k]} {found[k].average:.3f}": found[k] for k in shown}, told)
        drawn.append(figure("Precision by recall", pr.svg(), some or "with the average precision"))
    error = f"expected calibration error {calibrated.error:.4f}"
    drawn.append(figure("Calibration", charts.calibration_chart(calibrated, f"The {error}.").svg(), error))
    rows = [
        (f"{confidence:.3f}", f"{accuracy:.3f}", f"{count:,}")
        for confidence, accuracy, count in zip(calibrated.confidence, calibrated.accuracy, calibrated.rows, strict=True)
    ]
    numbers = table("Calibration by bins", ("mean confidence", "share that is right", "rows"), rows, right=(1, 2))
    return grid(*drawn) + folded("The calibration in numbers", numbers)


# ---- values ---------------------------------------------------------------------------------------------------------


def _values(subject: Subject, report: ValueReport) -> str:
    head = ("target", "R²", "mean error", "root of mean square", "farthest off")
    rows = [
        (each.name, scored(each.r2), *(_number(value) for value in (each.mae, each.rmse, each.worst)))
        for each in report.outputs[:_LISTED]
    ]
    parts = [table("Scores", head, rows, right=(1, 2, 3, 4))]
    place = int(np.argmin([2 if each.r2 is None else each.r2 for each in report.outputs]))
    if len(report.outputs) > 1:
        parts.append(paragraph(f"The drawings are of {report.outputs[place].name}, the weakest.", "soft"))
    t, y = subject.targets[:, place], subject.values[:, place]
    name, score = report.outputs[place].name, report.outputs[place]
    told = f"R² {scored(score.r2)}, mean absolute error {_number(score.mae)}."
    parts.append(
        grid(
            figure("Predicted against true", charts.values_chart(t, y, name, told).svg(), _of(len(t))),
            figure("Residuals", charts.residuals_chart(y, y - t, name, told).svg(), "predicted less true"),
            figure("Spread of the residuals", charts.residual_spread_chart(y - t, told).svg()),
        )
    )
    return "\n".join(parts)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _of(rows: int) -> str:
    shown = len(charts.sample(rows))
    return f"{shown:,} of {rows:,} rows" if shown < rows else ""


# ---- the worst rows -------------------------------------------------------------------------------------------------


def worst_section(subject: Subject, important: Importances) -> Section:
    """The ten rows whose answers were farthest from the truth."""
    classes = subject.kind == "classes"
    badness = _badness(subject)
    rows = np.argsort(-badness, kind="stable")[:_WORST].tolist()
    places = {name: place for place, (name, _) in enumerate(subject.groups)}
    told = [each.name for each in important.each[: 0 if subject.image else _CELLS]]
    head = [f"{subject.part} row", "true", "predicted", "p(true)" if classes else "residual", *told]
    lines = []
    for row in rows:
        cells = subject.cells(row)
        lines.append([str(row + 1), *_answer(subject, row), *(cells[places[name]] for name in told)])
    if subject.image is not None:
        head.append("input")
        side, where = subject.image
        pixels = subject.pixels
        scale = float(np.abs(pixels).max())
        lines = [[escape(cell) for cell in line] for line in lines]
        for line, row in zip(lines, rows, strict=True):
            words = f"the pixels of row {row + 1}"
            line.append(picture(as_image(pixels[row], side, where), words, scale=scale, css="pixels small"))
    by = "by the probability of the true class" if classes else "by the size of the residual"
    what = table(f"The {len(rows)} worst rows, {by}", head, lines, right=(3,), raw=subject.image is not None)
    counted = f"Rows are counted from 1 within the {subject.part} rows" + (
        "; the columns that matter most are shown." if told else "."
    )
    return Section("worst", "The worst rows", paragraph(counted, "soft") + what)


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
    return ", ".join(f"{value:.4g}" for value in values)
