"""How far an exported network may be from ours: as far as rounding explains, and no farther."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import ExportError
from chainrule.exported import Check

if TYPE_CHECKING:
    import numpy.typing as npt

    from chainrule.arrays import Floats
    from chainrule.network import Network

_TIMES = 16
"""So many times our own error: sums in another order, and functions that are right to fewer last places."""


def rounding(network: Network, X: Floats) -> float:
    """How far two right computations of the outputs for these rows can lie apart.

    It is measured: the network in float32 beside the same one in float64. Their distance over float32's epsilon says
    how much rounding grows on its way through these layers; times the epsilon of the network's own type, and 16 for
    other orders of summation, it is the limit. It is never below that of one rounding of the largest output. Outputs
    too large for float32 say nothing.
    """
    exact = network.astype("float64").forward(X)
    near = network.astype("float32").forward(X)
    finite = np.isfinite(exact) & np.isfinite(near)
    growth = np.abs(near[finite] - exact[finite]).max(initial=0) / np.finfo(np.float32).eps
    scale = max(1.0, float(np.abs(exact[finite]).max(initial=0)))
    return float(_TIMES * max(growth, scale) * np.finfo(network.dtype).eps)


def compare(
    theirs: npt.ArrayLike,
    ours: Floats,
    *,
    limit: float,
    how: str,
    rows: int,
    random_rows: int,
    quantity: str = "outputs",
) -> Check:
    """The largest difference between two numbers.

    Args:
        theirs: what the exported network gives, of the shape of `ours`.
        ours: what the network gives.
        limit: how large it may be, see `rounding`.
        how: what ran the exported network.
        rows: how many of the rows were given.
        random_rows: how many were random.
        quantity: what is compared.

    Raises:
        ExportError: when it is larger, or theirs has another shape or is not finite where ours is, or the other way
            round.
    """
    other = np.asarray(theirs)
    if other.shape != ours.shape:
        raise ExportError(f"{how} gave {quantity} of shape {other.shape}, and not {ours.shape}; nothing was written")
    finite = np.isfinite(ours)
    difference = np.abs(other[finite].astype(np.float64) - ours[finite].astype(np.float64))
    largest = np.inf if np.isfinite(other[~finite]).any() else float(difference.max(initial=0))
    if not largest <= limit:  # NaN is not either
        raise ExportError(
            f"{how}: the {quantity} differ by {largest:.3g}, rounding explains {limit:.3g}; nothing was written"
        )
    return Check(how=how, quantity=quantity, rows=rows, random_rows=random_rows, max_difference=largest, limit=limit)
