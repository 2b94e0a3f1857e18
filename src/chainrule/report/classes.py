"""How good the answers are where they are classes: scores, confusion, ROC, precision by recall, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.report import charts, curves
from chainrule.report.page import cut, facts, figure, folded, grid, paragraph, table
from chainrule.report.pictures import picture
from chainrule.report.words import scored, shortened
from chainrule.scores import ClassReport, score_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.arrays import Floats
    from chainrule.report.subject import Subject

_WIDEST = 20  # classes whose confusion matrix is a table; of more it is a picture
_CURVES = 10  # classes whose curves are drawn; of more, the weakest
_LISTED = 30  # classes listed; of more, the weakest
_NAME = 40  # letters of a class
_HEAD = 14  # letters of a class above a column
_NONE = paragraph("No row was taken for another class.", "soft")
_ACROSS = "true classes down, predicted classes across"


def classes_told(subject: Subject, report: ClassReport) -> str:
    """Scores, scores by class, confusion matrix and curves."""
    t, P = subject.targets, np.asarray(subject.probabilities, np.float64)
    numbers = facts(
        [
            ("accuracy", scored(report.accuracy)),
            ("balanced accuracy", scored(report.balanced_accuracy)),
            ("log loss", scored(report.log_loss)),
            ("area under ROC", scored(report.roc_auc)),
        ]
    )
    names, K = [shortened(str(label), _NAME) for label in subject.classes], P.shape[1]
    cases = [_Curve(names[k], t == k, P[:, k]) for k in ((1,) if K == 2 else range(K))]  # of two, those of the second
    return numbers + grid(_per_class(report), _confusion(report)) + _curves(cases, curves.calibration(t, P))


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
    head = ("class", "precision", "recall", "F1", "rows")
    return table(f"By class{some}", head, rows, right=(1, 2, 3, 4), widest=_NAME)


def _confusion(report: ClassReport) -> str:
    names = [each.name for each in report.classes]
    if report.confusion is not None and len(names) <= _WIDEST:
        return _matrix(names, np.array(report.confusion))
    told = [(each.true, each.predicted, f"{each.count:,g}", f"{each.support:,g}") for each in report.confusions]
    head = ("true", "predicted as", "rows", "of")
    often = table("Most frequent confusions", head, told, right=(2, 3), widest=_NAME) if told else _NONE
    if report.confusion is None:
        return often
    C = np.array(report.confusion, np.float64)
    shares = C / np.maximum(C.sum(axis=1, keepdims=True), 1)
    words = f"{len(names)} classes; the darker a cell, the larger its share of the rows of the true class"
    image = picture(shares, words, scale=1.0, css="pixels wide")
    return f"<div>{figure('Confusion matrix', image, _ACROSS)}{often}</div>"


def _matrix(names: list[str], C: Any) -> str:
    """A table whose cells are coloured by their share of the true class."""
    totals = np.maximum(C.sum(axis=1), 1)

    def cell(i: int, j: int) -> str:
        css = "zero" if not C[i, j] else "" if i == j else "off"
        return f'<td class="{css}" style="--s:{C[i, j] / totals[i]:.3f}">{C[i, j]:,g}</td>'

    def named(name: str, scope: str, most: int) -> str:
        text, title = cut(name, most)
        return f'<th scope="{scope}"{title}>{text}</th>'

    head = "".join(named(name, "col", _HEAD) for name in names)
    body = "\n".join(
        f"<tr>{named(name, 'row', 2 * _HEAD)}{''.join(cell(i, j) for j in range(len(names)))}</tr>"
        for i, name in enumerate(names)
    )
    matrix = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">'
        f'<table class="matrix" aria-label="Confusion matrix">'
        f"<thead><tr><td></td>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )
    return figure("Confusion matrix", matrix, _ACROSS)


class _Curve(NamedTuple):
    """One class or label against all else: its name, the rows it holds for ``(N,)``, and its probability ``(N,)``."""

    name: str
    inside: Any
    score: Floats


def _curves(cases: Sequence[_Curve], calibrated: curves.Calibration) -> str:
    """ROC, precision by recall, calibration; of many classes the weakest alone."""
    present = [case for case in cases if 0 < case.inside.sum() < len(case.inside)]
    precisions = {case.name: curves.precision_recall(case.inside, case.score) for case in present}
    weakest = sorted(present, key=lambda case: precisions[case.name].average)[:_CURVES]
    shown = [case for case in present if case in weakest]
    some = f"the {_CURVES} weakest of {len(present)}" if len(present) > _CURVES else ""
    some = some or (f"of {shown[0].name}" if len(shown) == 1 else "")
    drawn = []
    if shown:
        rocs = [(case.name, curves.roc(case.inside, case.score)) for case in shown]
        drawn.append(figure("ROC", charts.roc_chart(rocs, _areas(rocs)).html(), some))
        found = [(f"{case.name}: {precisions[case.name].average:.3f}", precisions[case.name]) for case in shown]
        told = "; ".join(f"{case.name}: average precision {precisions[case.name].average:.4f}" for case in shown)
        averages = f"average precision {found[0][1].average:.3f}" if len(shown) == 1 else "with the average precision"
        note = f"{some}, {averages}" if len(present) > _CURVES else averages
        drawn.append(figure("Precision by recall", charts.precision_chart(found, told).html(), note))
    error = f"expected calibration error {calibrated.error:.4f}"
    drawn.append(figure("Calibration", charts.calibration_chart(calibrated, f"The {error}.").html(), error))
    rows = [
        (f"{confidence:.3f}", f"{accuracy:.3f}", f"{count:,}")
        for confidence, accuracy, count in zip(calibrated.confidence, calibrated.accuracy, calibrated.rows, strict=True)
    ]
    numbers = table("Calibration by bins", ("mean confidence", "share that is right", "rows"), rows, right=(1, 2))
    return grid(*drawn) + folded("The calibration in numbers", numbers)


def _areas(rocs: Sequence[tuple[str, curves.Roc]]) -> str:
    """The area under each curve, in words."""
    each = (f"{name}: area {np.trapezoid(roc.true_positive, roc.false_positive):.4f}" for name, roc in rocs)
    return f"Each against all others. {'; '.join(each)}."


# ---- several at once ------------------------------------------------------------------------------------------------


def labels_told(subject: Subject) -> str:
    """Where several classes may hold at once: each label by itself."""
    T, P = subject.targets > 0.5, np.asarray(subject.values, np.float64)
    names = [shortened(name, _NAME) for name in subject.output_names]
    reports = [
        score_classes(t.astype(int), np.column_stack([1 - p, p]), ("no", "yes")) for t, p in zip(T.T, P.T, strict=True)
    ]
    rows = [
        (name, *map(scored, (told.accuracy, yes.precision, yes.recall, yes.f1, told.roc_auc)), f"{yes.support:,g}")
        for name, told in zip(names, reports, strict=True)
        for yes in [told.classes[1]]
    ]
    head = ("label", "accuracy", "precision", "recall", "F1", "area under ROC", "rows")
    listed = sorted(rows, key=lambda row: row[4])[:_LISTED] if len(rows) > _LISTED else rows
    some = f", the {_LISTED} weakest of {len(rows):,}" if len(rows) > _LISTED else ""
    whole = float(((P >= 0.5) == T).all(axis=1).mean())
    told = facts([("accuracy of the labels", scored(subject.label_accuracy)), ("rows with all right", scored(whole))])
    calibrated = curves.calibration(T.ravel().astype(int), np.column_stack([1 - P.ravel(), P.ravel()]))
    cases = [_Curve(name, t, p) for name, t, p in zip(names, T.T, P.T, strict=True)]
    return told + table(f"By label{some}", head, listed, right=range(1, 7)) + _curves(cases, calibrated)
