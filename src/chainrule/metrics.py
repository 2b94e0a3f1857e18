"""Metrics: how good predictions are. Each is a NumPy function, and has a name for training to ask by (`get`).

Targets and predictions:

    ``t (N,)`` true class indices 0 .. K-1    ``y (N,)`` predicted class indices
    ``P (N, K)`` a probability per class; ``(N, 1)`` or ``(N,)`` is the probability of class 1 of two
    ``T, Y (N,)`` or ``(N, O)`` true and predicted values

``w (N,)`` is `sample_weight`, 1 for every row if left out; a row of weight 0 counts as if it were not there. Every sum
below is weighted by it. Metrics are computed in float64 and give Python floats. Where a metric is undefined, its
docstring says what comes instead; no warning is ever given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.errors import ArgumentError, ShapeError, unknown_name

if TYPE_CHECKING:
    from chainrule.arrays import Floats, Ints

Average: TypeAlias = Literal["macro", "micro", "weighted"]
Kind: TypeAlias = Literal["classes", "probabilities", "values"]
Better: TypeAlias = Literal["higher", "lower"]

_MOST_CLASSES = 1_000_000  # a larger class index is an identifier taken for a class: counting it would fill the memory
_WIDEST_MATRIX = 10_000  # K of a (K, K) matrix that still fits in 0.8 GB


class ClassCounts(NamedTuple):
    """Per class, all ``(K,)``: rows found (true and predicted), rows true, rows predicted; weighted."""

    hits: npt.NDArray[Any]
    true: npt.NDArray[Any]
    predicted: npt.NDArray[Any]


# What comes in ------------------------------------------------------------------------------------------------------


def numbers(values: npt.ArrayLike, *, name: str, where: str) -> npt.NDArray[Any]:
    """The values as an array of numbers or booleans, of the dtype they came in."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        raise ShapeError(name, where=where, expected="rows of one length", got=values) from None
    if array.dtype.kind not in "biuf":
        mend = "Class names become indices by: classes, t = numpy.unique(names, return_inverse=True)"
        got = array.flat[0] if array.size else array.dtype.name
        raise ArgumentError(name, where=where, expected="numbers", got=got, mend=mend)
    if array.ndim == 0 or array.size == 0:
        raise ShapeError(name, where=where, expected="at least one row", got=array.shape)
    return array


def class_indices(values: npt.ArrayLike, *, name: str, where: str) -> Ints:
    """Class indices ``(N,)``, checked."""
    array = numbers(values, name=name, where=where)
    if array.ndim != 1:
        mend = "One-hot rows become indices by: T.argmax(axis=1)"
        raise ShapeError(name, where=where, expected="class indices of shape (N,)", got=array.shape, mend=mend)
    if array.dtype.kind != "b":
        wrong = ~((array >= 0) & (array < _MOST_CLASSES) & (array == np.floor(array)))
        _refuse(wrong, array, name, where, f"a class index, a whole number from 0 to {_MOST_CLASSES - 1}")
    indices: Ints = array.astype(np.intp)
    return indices


def class_scores(values: npt.ArrayLike, *, name: str, where: str) -> Floats:
    """Scores or probabilities ``(N, K)``, K >= 2, finite; ``(N,)`` and ``(N, 1)`` are taken for those of class 1."""
    P = numbers(values, name=name, where=where)
    if P.ndim > 2:
        raise ShapeError(name, where=where, expected="probabilities of shape (N, K), (N, 1) or (N,)", got=P.shape)
    _refuse(~np.isfinite(P), P, name, where, "finite numbers")
    if P.dtype.kind != "f":
        P = P.astype(np.float64)
    column = P.reshape(len(P), -1)
    return np.hstack([1 - column, column]) if column.shape[1] == 1 else P


def predicted_classes(y: npt.ArrayLike, *, name: str = "y", where: str) -> Ints:
    """Class indices ``(N,)`` from indices ``y (N,)`` or from scores ``P (N, K)``: the first largest of a row."""
    array = numbers(y, name=name, where=where)
    if array.ndim == 1:
        return class_indices(array, name=name, where=where)
    if array.shape[1:] == (1,) and array.dtype.kind != "f":
        expected = "class indices of shape (N,) or probabilities of shape (N, K)"
        raise ShapeError(name, where=where, expected=expected, got=array.shape, mend="Drop the axis: y[:, 0]")
    indices: Ints = class_scores(array, name=name, where=where).argmax(axis=1)
    return indices


def row_weights(sample_weight: npt.ArrayLike | None, rows: int, *, where: str) -> Floats | None:
    """Weights ``w (N,)`` >= 0, not all 0; None where every row counts 1."""
    if sample_weight is None:
        return None
    w = numbers(sample_weight, name="sample_weight", where=where)
    if w.shape != (rows,):
        raise ShapeError("sample_weight", where=where, expected=f"one weight a row, shape ({rows},)", got=w.shape)
    _refuse(~((w >= 0) & np.isfinite(w)), w, "sample_weight", where, "a finite weight >= 0")
    if not w.any():
        raise ArgumentError("sample_weight", where=where, expected="a weight > 0 in at least one row", got="only 0")
    return w.astype(np.float64)


def value_pair(t: npt.ArrayLike, y: npt.ArrayLike, *, where: str) -> tuple[Floats, Floats]:
    """True and predicted values, both ``(N, O)`` in float64; ``(N,)`` against ``(N, 1)`` is an error."""
    pair = [numbers(values, name=name, where=where) for name, values in (("t", t), ("y", y))]
    T, Y = (array.astype(np.float64) for array in pair)
    if T.ndim > 2:
        raise ShapeError("t", where=where, expected="values of shape (N,) or (N, O)", got=T.shape)
    if T.shape != Y.shape:
        raise ShapeError(
            "y", where=where, expected=f"the shape of t, {T.shape}", got=Y.shape, mend="Reshape one of them"
        )
    for name, array in (("t", T), ("y", Y)):
        _refuse(~np.isfinite(array), array, name, where, "finite numbers")
    return T.reshape(len(T), -1), Y.reshape(len(Y), -1)


def _refuse(wrong: npt.NDArray[np.bool_], array: npt.NDArray[Any], name: str, where: str, expected: str) -> None:
    """Raise for the first row that is wrong."""
    if wrong.any():
        place = np.unravel_index(int(wrong.argmax()), wrong.shape)
        at = f"row {place[0]}" + (f", column {place[1]}" if len(place) > 1 else "")
        raise ArgumentError(f"{name}, {at}", where=where, expected=expected, got=array[place].item())


def _same_rows(t: npt.NDArray[Any], y: npt.NDArray[Any], *, where: str) -> None:
    if len(t) != len(y):
        raise ShapeError("y", where=where, expected=f"as many rows as t, {len(t)}", got=len(y))


def _number_of_classes(t: Ints, y: Ints, n_classes: int | None, *, where: str) -> int:
    """K: as given, if every index is below it, else one more than the largest index."""
    if n_classes is None:
        return int(max(t.max(), y.max())) + 1
    if not 1 <= n_classes <= _MOST_CLASSES:
        raise ArgumentError("n_classes", where=where, expected=f"1 to {_MOST_CLASSES}", got=n_classes)
    for name, indices in (("t", t), ("y", y)):
        _refuse(indices >= n_classes, indices, name, where, f"a class index below {n_classes}, the number of classes")
    return n_classes


# Classes ------------------------------------------------------------------------------------------------------------


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


# Probabilities ------------------------------------------------------------------------------------------------------


def _targets_of(t: npt.ArrayLike, P: Floats, *, where: str) -> Ints:
    """True class indices, each with a row and a column in ``P``."""
    t = class_indices(t, name="t", where=where)
    if len(t) != len(P):
        raise ShapeError("P", where=where, expected=f"as many rows as t, {len(t)}", got=len(P))
    _refuse(t >= P.shape[1], t, "t", where, f"a class index below {P.shape[1]}, the number of columns of P")
    return t


def log_loss(t: npt.ArrayLike, P: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean negative log-likelihood: ``sum w -log P[n, t_n] / sum w``.

    Args:
        t: true class indices ``(N,)``.
        P: probabilities ``(N, K)``; or ``(N, 1)``, ``(N,)``: those of class 1 of two.
        sample_weight: ``(N,)``.

    P is clipped to [eps, 1 - eps] of its own dtype, so the loss is finite where P is 0. Rows need not sum to one (K
    separate sigmoids); they are not rescaled. Bishop, "Pattern recognition and machine learning" (2006), eq. 4.108,
    divided by N.

    >>> round(log_loss([0, 1], [[0.9, 0.1], [0.5, 0.5]]), 4)
    0.3993
    """
    scores = class_scores(P, name="P", where="log_loss")
    t = _targets_of(t, scores, where="log_loss")
    eps = float(np.finfo(scores.dtype).eps)
    _refuse((scores < -eps) | (scores > 1 + eps), scores, "P", "log_loss", "probabilities from 0 to 1")
    p_true = np.clip(scores[np.arange(len(t)), t].astype(np.float64), eps, 1 - eps)
    return float(np.average(-np.log(p_true), weights=row_weights(sample_weight, len(t), where="log_loss")))


def roc_auc(t: npt.ArrayLike, P: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Area under the ROC curve: the chance that a row of the class scores above a row of another, a tie counting half.

    ``AUC_k = sum over i of class k, j not: w_i w_j ([s_i > s_j] + [s_i == s_j] / 2) / (W_k W_not_k)``, s = P[:, k]

    Args:
        t: true class indices ``(N,)``.
        P: probabilities or any finite scores ``(N, K)``; or ``(N, 1)``, ``(N,)``: those of class 1 of two.
        sample_weight: ``(N,)``.

    Two classes: the AUC of class 1. More: each class against the rest, unweighted mean over the K classes. Sources
    disagree: Provost and Domingos (2000) weight the classes by their rows. nan where a class has no rows, or all rows.
    Hanley and McNeil, "The meaning and use of the area under a ROC curve" (1982).

    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    scores = class_scores(P, name="P", where="roc_auc")
    t = _targets_of(t, scores, where="roc_auc")
    w = row_weights(sample_weight, len(t), where="roc_auc")
    w = np.ones(len(t)) if w is None else w
    if scores.shape[1] == 2:
        return _area(t == 1, scores[:, 1], w)
    return float(np.mean([_area(t == k, scores[:, k], w) for k in range(scores.shape[1])]))


def _area(inside: npt.NDArray[np.bool_], scores: Floats, w: Floats) -> float:
    """AUC of one class by ranks: rows with the same score share one place, so that ties count half."""
    _, place = np.unique(scores, return_inverse=True)
    positive = np.bincount(place, w * inside)
    negative = np.bincount(place, w * ~inside)
    if not (positive.any() and negative.any()):
        return float("nan")
    positive, negative = positive / positive.sum(), negative / negative.sum()
    below = np.cumsum(negative) - negative
    return float(positive @ (below + negative / 2))


# Values -------------------------------------------------------------------------------------------------------------


def r2(t: npt.ArrayLike, y: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Share of the variance explained: ``1 - sum w (T - Y)^2 / sum w (T - mean T)^2``, averaged over the outputs.

    Args:
        t: true values ``(N,)`` or ``(N, O)``.
        y: predicted values of the same shape.
        sample_weight: ``(N,)``.

    For a constant target 1.0 if every prediction is right, else 0.0; nan for one row. Kvalseth, "Cautionary note about
    R2" (1985), eq. 1.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    T, Y = value_pair(t, y, where="r2")
    w = row_weights(sample_weight, len(T), where="r2")
    if len(T) < 2:
        return float("nan")
    with np.errstate(over="ignore", invalid="ignore"):  # values beyond 1e154 square to inf, and R2 is -inf or nan
        error = np.average((T - Y) ** 2, axis=0, weights=w)
        variance = np.average((T - np.average(T, axis=0, weights=w)) ** 2, axis=0, weights=w)
        # The mean of equal numbers is not always that number: asked of the rows, not of the rounded variance.
        constant = np.ptp(T if w is None else T[w > 0], axis=0) == 0
        defined = ~constant & (variance > 0)
        share = np.divide(error, variance, out=np.ones(T.shape[1]), where=defined)
        return float(np.mean(1 - np.where(error == 0, 0.0, share)))


def mae(t: npt.ArrayLike, y: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean absolute error: ``sum w |T - Y| / sum w``, averaged over the outputs. Arguments as for `r2`.

    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    T, Y = value_pair(t, y, where="mae")
    w = row_weights(sample_weight, len(T), where="mae")
    with np.errstate(over="ignore"):
        return float(np.mean(np.average(np.abs(T - Y), axis=0, weights=w)))


def rmse(t: npt.ArrayLike, y: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Root mean squared error: ``sqrt(sum w (T - Y)^2 / sum w)`` of each output, averaged over the outputs.

    The root is taken before the average over outputs, as in scikit-learn. Arguments as for `r2`.

    >>> rmse([1.0, 2.0], [4.0, 2.0]) == (9 / 2) ** 0.5
    True
    """
    T, Y = value_pair(t, y, where="rmse")
    w = row_weights(sample_weight, len(T), where="rmse")
    with np.errstate(over="ignore"):
        return float(np.mean(np.sqrt(np.average((T - Y) ** 2, axis=0, weights=w))))


# Names --------------------------------------------------------------------------------------------------------------


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A metric that training can ask for by name.

    Attributes:
        name: what it is called.
        kind: what `function` takes beside the targets: predicted "classes" ``(N,)``, "probabilities" ``(N, K)`` or
            "values" ``(N,)``, ``(N, O)``.
        better: which of two results is better, the "higher" or the "lower".
        function: ``function(t, predicted, sample_weight=None) -> float``.

    >>> hits = Metric(name="hits", kind="classes", better="higher", function=accuracy)
    >>> hits([0, 1], [0, 1])
    1.0
    """

    name: str
    kind: Kind
    better: Better
    function: Callable[..., Any]

    def __post_init__(self) -> None:
        for field, value, options in (("kind", self.kind, get_args(Kind)), ("better", self.better, get_args(Better))):
            if value not in options:
                raise unknown_name(field, value, options, where=f"Metric {self.name}")
        if not callable(self.function):
            raise ArgumentError("function", where=f"Metric {self.name}", expected="a function", got=self.function)

    def __call__(
        self, t: npt.ArrayLike, predicted: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None
    ) -> float:
        """The metric of these predictions."""
        return float(self.function(t, predicted, sample_weight=sample_weight))


_KINDS: dict[Callable[..., Any], tuple[Kind, Better]] = {
    accuracy: ("classes", "higher"),
    balanced_accuracy: ("classes", "higher"),
    precision: ("classes", "higher"),
    recall: ("classes", "higher"),
    f1: ("classes", "higher"),
    roc_auc: ("probabilities", "higher"),
    log_loss: ("probabilities", "lower"),
    r2: ("values", "higher"),
    mae: ("values", "lower"),
    rmse: ("values", "lower"),
}
_METRICS = {
    function.__name__: Metric(name=function.__name__, kind=kind, better=better, function=function)
    for function, (kind, better) in _KINDS.items()
}


def names() -> list[str]:
    """The names that `get` knows."""
    return list(_METRICS)


def get(name: str | Metric) -> Metric:
    """The metric of this name; a `Metric` is handed back as it is.

    Raises:
        ArgumentError: for a name that is unknown; it says which was meant.

    >>> get("log_loss").better
    'lower'
    """
    if isinstance(name, Metric):
        return name
    metric = _METRICS.get(str(name))
    if metric is None:
        raise unknown_name("metric", name, names(), where="metrics")
    return metric
