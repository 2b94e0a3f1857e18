"""The largest eigenvalue of the Hessian, by power iteration on differences of gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.engines.interface import Data
from chainrule.insight.diagnosis.look import sample
from chainrule.layers import Mode

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.insight.diagnosis.setup import Setup

_ROWS = 2000
_ITERATIONS = 60
_TOLERANCE = 1e-3


def largest_eigenvalue(setup: Setup, theta: Floats, *, most: int = _ROWS) -> float:
    """The eigenvalue of largest size of ``H = d2L/dtheta2`` over the trained parameters.

    Power iteration ``v <- H v / |H v|`` with ``H v = (g(theta + r v) - g(theta - r v)) / 2r``, whose error is of
    the order r^2, in float64; the eigenvalue is v^T H v. LeCun, Simard, Pearlmutter, "Automatic Learning Rate
    Maximization by On-Line Estimation of the Hessian's Eigenvectors" (1993); Pearlmutter (1994) has the exact product.

    Args:
        setup: whose objective, penalties included, over whose rows.
        theta: where.
        most: rows to take; a sample where there are more.
    """
    rows = sample(len(setup.data.X), most)
    X, T, weights = (None if part is None else np.asarray(part[rows], dtype=np.float64) for part in setup.data)
    data, mode = Data(X, T, weights), Mode(training=True, seed=setup.settings.seed)  # type: ignore[arg-type] # X, T are there
    at, trained = theta.astype(np.float64), setup.objective.layout.trainable("float64")
    scale = len(setup.data.X) / len(data.X) if setup.objective.loss.reduction == "sum" else 1.0

    def gradient(point: Floats) -> Floats:
        return np.asarray(setup.objective.value_and_gradient(point, *data, mode)[1]) * scale

    radius = 1e-5 * max(1.0, float(np.linalg.norm(at)))
    v = np.random.default_rng(0).standard_normal(len(at)) * trained
    value = 0.0
    with np.errstate(all="ignore"):  # a diverged network has no curvature: 0 or nan
        for _ in range(_ITERATIONS):
            size = float(np.linalg.norm(v))
            if not size > 0 or not np.isfinite(size):
                return 0.0
            v = v / size
            Hv = (gradient(at + radius * v) - gradient(at - radius * v)) / (2 * radius) * trained
            new = float(v @ Hv)
            if abs(new - value) <= _TOLERANCE * abs(new):
                return new
            v, value = Hv, new
    return value
