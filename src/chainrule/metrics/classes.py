"""Metrics of predicted classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from chainrule.errors import ArgumentError, ShapeError, unknown_name
from chainrule.metrics.given import MOST_CLASSES, class_indices, predicted_classes, refuse, row_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.arrays import Floats, Ints

Average: TypeAlias = Literal["macro", "micro", "weighted"]

_WIDEST_MATRIX = 10_000  # K of a (K, K) matrix that still fits in 0.8 GB


class ClassCounts(NamedTuple):
    """Per class, all ``(K,)``: rows found (true and predicted), rows true, rows predicted; weighted."""

    hits: npt.NDArray[Any]
    true: npt.NDArray[Any]
    predicted: npt.NDArray[Any]


def class_counts(
    t: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    n_classes: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
    where: str = "class_counts",
) -> ClassCounts:
    """What precision, recall and F1 are made of, without the (K, K) matrix.

    >>> class_counts([0, 0, 1], [0, 1, 1]).hits
    array([1, 1])
    """
    t, y = class_indices(t, name="t", where=where), predicted_classes(y, where=where)
    _same_rows(t, y, where=where)
    K = _number_of_classes(t, y, n_classes, where=where)
    w = row_weights(sample_weight, len(t), where=where)
    found = t == y
    return ClassCounts(
        np.bincount(t[found], None if w is None else w[found], minlength=K),
        np.bincount(t, w, minlength=K),
        np.bincount(y, w, minlength=K),
    )


def accuracy(t: npt.ArrayLike, y: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Share of rows whose class was predicted: ``sum w [t == y] / sum w``.

    Args:
        t: true class indices ``(N,)``.
        y: predicted class indices ``(N,)`` or probabilities ``(N, K)``.
        sample_weight: ``(N,)``.

    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    counts = class_counts(t, y, sample_weight=sample_weight, where="accuracy")
    return float(counts.hits.sum() / counts.true.sum())


def balanced_accuracy(t: npt.ArrayLike, y: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean recall over the classes that have rows: ``mean_k hits_k / true_k``.

    A class without rows is left out, even where it was predicted: its recall is undefined. Brodersen et al., "The
    balanced accuracy and its posterior distribution" (2010), for two classes; for K as Guyon et al., "Design of the
    2015 ChaLearn AutoML challenge" (2015), without their adjustment for chance.

    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    counts = class_counts(t, y, sample_weight=sample_weight, where="balanced_accuracy")
    has_rows = counts.true > 0
    return float(np.mean(counts.hits[has_rows] / counts.true[has_rows]))


def precision(
    t: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    average: Average | None = "macro",
    n_classes: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
) -> float | Floats:
    """Of the rows predicted as class k, the share that is of class k: ``hits_k / predicted_k``.

    Args:
        t: true class indices ``(N,)``.
        y: predicted class indices ``(N,)`` or probabilities ``(N, K)``.
        average: "macro": the mean over the classes; "weighted": the mean weighted by the true rows of each; "micro": of
            the sums over all classes (with one class a row this is the accuracy); None: each class, ``(K,)``.
        n_classes: K, where more classes exist than appear; it is the length of the answer for ``average=None``.
        sample_weight: ``(N,)``.

    0.0 for a class that was never predicted. A class that appears neither in `t` nor in `y` is left out of "macro".
    Sokolova and Lapalme, "A systematic analysis of performance measures for classification tasks" (2009), table 3.

    >>> precision([0, 1, 1, 1], [0, 0, 1, 1], average=None)
    array([0.5, 1. ])
    """
    counts = class_counts(t, y, n_classes=n_classes, sample_weight=sample_weight, where="precision")
    return _averaged(precision_of, counts, average, where="precision")


def recall(
    t: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    average: Average | None = "macro",
    n_classes: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
) -> float | Floats:
    """Of the rows of class k, the share that was predicted as class k: ``hits_k / true_k``.

    Arguments, averages and source as for `precision`. 0.0 for a class without rows; such a class, if it was predicted,
    counts in "macro" (and does not in `balanced_accuracy`).

    >>> round(recall([0, 1, 1, 1], [0, 0, 1, 1]), 4)
    0.8333
    """
    counts = class_counts(t, y, n_classes=n_classes, sample_weight=sample_weight, where="recall")
    return _averaged(recall_of, counts, average, where="recall")


def f1(
    t: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    average: Average | None = "macro",
    n_classes: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
) -> float | Floats:
    """Harmonic mean of precision and recall: ``2 hits_k / (true_k + predicted_k)``.

    Arguments and averages as for `precision`. 0.0 for a class that has no hit. Sources disagree on "macro": here, as in
    scikit-learn, it is the mean of the F1 of each class, not (Sokolova and Lapalme) the F1 of mean precision and mean
    recall; see Opitz and Burst, "Macro F1 and macro F1" (2019). The measure: van Rijsbergen, "Information retrieval"
    (1979), chapter 7, with beta = 1.

    >>> round(f1([0, 1, 1, 1], [0, 0, 1, 1]), 4)
    0.7333
    """
    counts = class_counts(t, y, n_classes=n_classes, sample_weight=sample_weight, where="f1")
    return _averaged(f1_of, counts, average, where="f1")


def precision_of(counts: ClassCounts) -> Floats:
    """``hits / predicted (K,)``, 0.0 where nothing was predicted."""
    return _ratio(counts.hits, counts.predicted)


def recall_of(counts: ClassCounts) -> Floats:
    """``hits / true (K,)``, 0.0 where there are no rows."""
    return _ratio(counts.hits, counts.true)


def f1_of(counts: ClassCounts) -> Floats:
    """``2 hits / (true + predicted) (K,)``, 0.0 where the class does not appear."""
    return _ratio(2 * counts.hits, counts.true + counts.predicted)


def averaged(scores: Floats, counts: ClassCounts, average: Literal["macro", "weighted"]) -> float:
    """The mean of ``scores (K,)`` over the classes that appear in `t` or `y`; "weighted" by the true rows."""
    appears = (counts.true > 0) | (counts.predicted > 0)
    return float(np.average(scores[appears], weights=counts.true[appears] if average == "weighted" else None))


def _averaged(
    score: Callable[[ClassCounts], Floats], counts: ClassCounts, average: Average | None, *, where: str
) -> float | Floats:
    if average is None:
        return score(counts)
    if average == "micro":
        return float(score(ClassCounts(*(column.sum(keepdims=True) for column in counts)))[0])
    if average not in get_args(Average):
        raise unknown_name("average", average, get_args(Average), where=where)
    return averaged(score(counts), counts, average)


def _ratio(numerator: npt.NDArray[Any], denominator: npt.NDArray[Any]) -> Floats:
    ratio: Floats = np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0)
    return ratio


def confusion_matrix(
    t: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    n_classes: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """``C (K, K)``: ``C[i, j]`` rows of true class i were predicted as class j (their weight, if weights are given).

    K is `n_classes`, else one more than the largest index; classes that do not appear have rows and columns of 0.

    >>> confusion_matrix([0, 0, 1], [0, 1, 1])
    array([[1, 1],
           [0, 1]])
    """
    where = "confusion_matrix"
    t, y = class_indices(t, name="t", where=where), predicted_classes(y, where=where)
    _same_rows(t, y, where=where)
    K = _number_of_classes(t, y, n_classes, where=where)
    if K > _WIDEST_MATRIX:
        raise ArgumentError("n_classes", where=where, expected=f"at most {_WIDEST_MATRIX} classes in a matrix", got=K)
    w = row_weights(sample_weight, len(t), where=where)
    return np.bincount(t * K + y, w, minlength=K * K).reshape(K, K)


def _same_rows(t: npt.NDArray[Any], y: npt.NDArray[Any], *, where: str) -> None:
    if len(t) != len(y):
        raise ShapeError("y", where=where, expected=f"as many rows as t, {len(t)}", got=len(y))


def _number_of_classes(t: Ints, y: Ints, n_classes: int | None, *, where: str) -> int:
    """K: as given, if every index is below it, else one more than the largest index."""
    if n_classes is None:
        return int(max(t.max(), y.max())) + 1
    if not 1 <= n_classes <= MOST_CLASSES:
        raise ArgumentError("n_classes", where=where, expected=f"1 to {MOST_CLASSES}", got=n_classes)
    for name, indices in (("t", t), ("y", y)):
        refuse(indices >= n_classes, indices, name, where, f"a class index below {n_classes}, the number of classes")
    return n_classes
