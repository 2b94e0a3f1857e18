"""From targets and predictions to a report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from chainrule import metrics
from chainrule.errors import ArgumentError, ShapeError
from chainrule.scores.reports import AverageScore, ClassReport, ClassScore, Confusion, ValueReport, ValueScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from chainrule.arrays import Floats, Ints

_MISTAKES = 20  # kinds of confusion that a report keeps
_MATRIX = 200  # classes up to which a report keeps the confusion matrix


def score_classes(
    t: npt.ArrayLike,
    predicted: npt.ArrayLike,
    classes: Sequence[object] | None = None,
    *,
    sample_weight: npt.ArrayLike | None = None,
) -> ClassReport:
    """Score predicted classes.

    Args:
        t: true class indices ``(N,)``.
        predicted: class indices ``(N,)``, or probabilities ``(N, K)``, for two classes also ``(N, 1)``; these give
            log-loss and ROC AUC as well.
        classes: the K names, in the order of the indices; ``0 .. K-1`` if left out.
        sample_weight: ``(N,)``.

    >>> report = score_classes([0, 0, 1], [0, 1, 1], ["no", "yes"])
    >>> report.classes[1].precision, report.confusion
    (0.5, ((1, 1), (0, 1)))
    """
    where = "score_classes"
    y = metrics.predicted_classes(predicted, name="predicted", where=where)
    t = metrics.class_indices(t, name="t", where=where)
    P = _probabilities(predicted, where=where)
    names = _class_names(classes, t, y, None if P is None else P.shape[1], where=where)
    counts = metrics.class_counts(t, y, n_classes=len(names), sample_weight=sample_weight, where=where)
    w = metrics.row_weights(sample_weight, len(t), where=where)
    K = len(names)
    matrix = metrics.confusion_matrix(t, y, n_classes=K, sample_weight=w) if K <= _MATRIX else None
    return ClassReport(
        rows=_rows_that_count(t, w),
        support=counts.true.sum().item(),
        accuracy=metrics.accuracy(t, y, sample_weight=w),
        balanced_accuracy=metrics.balanced_accuracy(t, y, sample_weight=w),
        macro=_average(counts, "macro"),
        weighted=_average(counts, "weighted"),
        log_loss=None if P is None else _finite(metrics.log_loss(t, P, sample_weight=w)),
        roc_auc=None if P is None else _finite(metrics.roc_auc(t, P, sample_weight=w)),
        classes=_each_class(names, counts),
        confusion=None if matrix is None else tuple(map(tuple, matrix.tolist())),
        confusions=_most_frequent(names, counts, t, y, w),
    )


def score_values(
    t: npt.ArrayLike,
    y: npt.ArrayLike,
    outputs: Sequence[object] | None = None,
    *,
    sample_weight: npt.ArrayLike | None = None,
) -> ValueReport:
    """Score predicted values.

    Args:
        t: true values ``(N,)`` or ``(N, O)``.
        y: predicted values of the same shape.
        outputs: the O names; ``output_1 .. output_O`` if left out.
        sample_weight: ``(N,)``.

    >>> score_values([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]).worst
    1.0
    """
    where = "score_values"
    T, Y = metrics.value_pair(t, y, where=where)
    w = metrics.row_weights(sample_weight, len(T), where=where)
    names = [f"output_{o + 1}" for o in range(T.shape[1])] if outputs is None else [str(name) for name in outputs]
    if len(names) != T.shape[1]:
        raise ShapeError("outputs", where=where, expected=f"a name for each of {T.shape[1]} outputs", got=len(names))
    scores = tuple(_one_output(name, T[:, o], Y[:, o], w) for o, name in enumerate(names))
    farthest = max(scores, key=lambda score: math.inf if score.worst is None else abs(score.worst))
    return ValueReport(
        rows=_rows_that_count(T, w),
        r2=_finite(metrics.r2(T, Y, sample_weight=w)),
        mae=_finite(metrics.mae(T, Y, sample_weight=w)),
        rmse=_finite(metrics.rmse(T, Y, sample_weight=w)),
        worst=farthest.worst,
        worst_row=farthest.worst_row,
        outputs=scores,
    )


def _probabilities(predicted: npt.ArrayLike, *, where: str) -> Floats | None:
    """``P (N, K)`` if probabilities were given, None if classes were."""
    array = metrics.numbers(predicted, name="predicted", where=where)
    return metrics.class_scores(array, name="predicted", where=where) if array.ndim == 2 else None


def _class_names(classes: Sequence[object] | None, t: Ints, y: Ints, columns: int | None, *, where: str) -> list[str]:
    if classes is None:
        return [str(k) for k in range(columns or int(max(t.max(), y.max())) + 1)]
    names = [str(name) for name in classes]
    if not names:
        raise ArgumentError("classes", where=where, expected="at least one name", got=classes)
    if columns is not None and len(names) != columns:
        expected = f"a name for each of {columns} columns of probabilities"
        raise ShapeError("classes", where=where, expected=expected, got=len(names))
    return names


def _rows_that_count(t: npt.NDArray[np.generic], w: Floats | None) -> int:
    return len(t) if w is None else int(np.count_nonzero(w))


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _average(counts: metrics.ClassCounts, average: Literal["macro", "weighted"]) -> AverageScore:
    return AverageScore(
        precision=metrics.averaged(metrics.precision_of(counts), counts, average),
        recall=metrics.averaged(metrics.recall_of(counts), counts, average),
        f1=metrics.averaged(metrics.f1_of(counts), counts, average),
    )


def _each_class(names: list[str], counts: metrics.ClassCounts) -> tuple[ClassScore, ...]:
    columns = (metrics.precision_of(counts), metrics.recall_of(counts), metrics.f1_of(counts))
    numbers = (column.tolist() for column in (*columns, counts.true, counts.predicted))
    return tuple(
        ClassScore(name=name, precision=p, recall=r, f1=f, support=s, predicted=q)
        for name, p, r, f, s, q in zip(names, *numbers, strict=True)
    )


def _most_frequent(
    names: list[str], counts: metrics.ClassCounts, t: Ints, y: Ints, w: Floats | None
) -> tuple[Confusion, ...]:
    """The most frequent (true, predicted) pairs off the diagonal; of equal ones those of the lower indices first."""
    missed = t != y
    pairs, which = np.unique(t[missed] * len(names) + y[missed], return_inverse=True)
    sizes = np.bincount(which, None if w is None else w[missed], minlength=len(pairs))
    order = [k for k in np.argsort(-sizes, kind="stable")[:_MISTAKES].tolist() if sizes[k] > 0]
    return tuple(
        Confusion(true=names[i], predicted=names[j], count=sizes[k].item(), support=counts.true[i].item())
        for k in order
        for i, j in [divmod(int(pairs[k]), len(names))]
    )


def _one_output(name: str, t: Floats, y: Floats, w: Floats | None) -> ValueScore:
    with np.errstate(over="ignore"):
        residual = y - t
    distance = np.abs(residual) if w is None else np.where(w > 0, np.abs(residual), -1.0)
    row = int(distance.argmax())
    return ValueScore(
        name=name,
        r2=_finite(metrics.r2(t, y, sample_weight=w)),
        mae=_finite(metrics.mae(t, y, sample_weight=w)),
        rmse=_finite(metrics.rmse(t, y, sample_weight=w)),
        worst=_finite(float(residual[row])),
        worst_row=row,
    )
