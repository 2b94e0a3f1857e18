"""The curves behind the scores: ROC, precision and recall, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from chainrule.arrays import Floats, Ints

_BINS = 10


class Roc(NamedTuple):
    """Share of others taken for the class, share of the class found, each ``(points,)``; from (0, 0) to (1, 1)."""

    false_positive: Floats
    true_positive: Floats


class PrecisionRecall(NamedTuple):
    """Recall and precision, each ``(points,)``, by falling threshold; and the average precision."""

    recall: Floats
    precision: Floats
    average: float


class Calibration(NamedTuple):
    """By bins of the probability that was given to the predicted class.

    Attributes:
        confidence: its mean in each bin that has rows.
        accuracy: the share of those rows whose class was predicted.
        rows: in each of them.
        error: the expected calibration error, ``sum rows |accuracy - confidence| / N``.
    """

    confidence: Floats
    accuracy: Floats
    rows: Ints
    error: float


def roc(inside: npt.NDArray[np.bool_], scores: Floats) -> Roc:
    """The ROC curve of one class: for every threshold, rows at or above it; Fawcett, "An introduction to ROC analysis".

    >>> [point.tolist() for point in roc(np.array([True, False]), np.array([0.9, 0.1]))]
    [[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    """
    hits, others = _counted(inside, scores)
    return Roc(np.r_[0.0, others / max(others[-1], 1)], np.r_[0.0, hits / max(hits[-1], 1)])


def precision_recall(inside: npt.NDArray[np.bool_], scores: Floats) -> PrecisionRecall:
    """Precision by recall, and ``AP = sum (R_k - R_(k-1)) P_k`` without interpolation.

    >>> precision_recall(np.array([True, False, True]), np.array([0.9, 0.5, 0.1])).average
    0.8333333333333333
    """
    hits, others = _counted(inside, scores)
    recall, precision = hits / max(hits[-1], 1), hits / (hits + others)
    average = float(np.sum(np.diff(np.r_[0.0, recall]) * precision))
    return PrecisionRecall(recall, precision, average)


def calibration(t: Ints, P: Floats) -> Calibration:
    """How often the predicted class is right, by how sure the network was; ten bins of one width.

    Guo et al., "On calibration of modern neural networks" (2017), equation 3.
    """
    sure, right = P.max(axis=1).astype(np.float64), P.argmax(axis=1) == t
    bins = np.clip(np.ceil(sure * _BINS).astype(int) - 1, 0, _BINS - 1)
    rows = np.bincount(bins, minlength=_BINS)
    filled = rows > 0
    confidence = np.bincount(bins, sure, minlength=_BINS)[filled] / rows[filled]
    accuracy = np.bincount(bins, right, minlength=_BINS)[filled] / rows[filled]
    error = float((rows[filled] * np.abs(accuracy - confidence)).sum() / len(t))
    return Calibration(confidence, accuracy, rows[filled], error)


def _counted(inside: npt.NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """Rows of the class, and others, at or above each different score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    last = np.r_[np.flatnonzero(np.diff(falling)), len(falling) - 1]  # of the rows of one score
    hits = np.cumsum(inside[order])[last].astype(np.float64)
    return hits, (last + 1) - hits
