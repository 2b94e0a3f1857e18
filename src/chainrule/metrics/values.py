"""Metrics of predicted values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.metrics.given import row_weights, value_pair

if TYPE_CHECKING:
    import numpy.typing as npt


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
