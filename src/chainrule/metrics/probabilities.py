"""Metrics of probabilities and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import ShapeError
from chainrule.metrics.given import class_indices, class_scores, refuse, row_weights

if TYPE_CHECKING:
    import numpy.typing as npt

    from chainrule.arrays import Floats, Ints


def _targets_of(t: npt.ArrayLike, P: Floats, *, where: str) -> Ints:
    """True class indices, each with a row and a column in ``P``."""
    t = class_indices(t, name="t", where=where)
    if len(t) != len(P):
        raise ShapeError("P", where=where, expected=f"as many rows as t, {len(t)}", got=len(P))
    refuse(t >= P.shape[1], t, "t", where, f"a class index below {P.shape[1]}, the number of columns of P")
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
    refuse((scores < -eps) | (scores > 1 + eps), scores, "P", "log_loss", "probabilities from 0 to 1")
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
