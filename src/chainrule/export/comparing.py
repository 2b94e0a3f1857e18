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


def rounding(network: Network, X: Floats) -> Floats:
    """How far two right computations of each output for these rows can lie apart, ``(N, O)``.

    It is measured: the network in float32, for these rows and for rows one rounding away, beside the same one in
    float64. Their distance over float32's epsilon says how much rounding grows on its way through these layers; times
    the epsilon of the network's own type, and 16 for other orders of summation, it is the limit. It grows with the size
    of an output, for one that is larger than 1, but not beyond the largest distance of all; only outputs too large for
    float32 have none to be held to. It is never below one rounding of the output, or of 1.
    """
    eps = np.finfo(np.float32).eps
    single, exact = network.astype("float32"), network.astype("float64").forward(X)
    near = np.stack([single.forward(X * (1 + rounded * eps)) for rounded in (-1.0, 0.0, 1.0)])
    finite = np.isfinite(exact) & np.isfinite(near).all(axis=0)
    with np.errstate(over="ignore"):  # a limit may be infinite
        size = np.maximum(np.abs(exact), 1)
        error = np.abs(near[:, finite] - exact[finite]).max(axis=0, initial=0) / eps
        relative = size * max(1.0, float((error / size[finite]).max(initial=0)))
        largest = np.where(finite, max(error.max(initial=0), size[finite].max(initial=1)), np.inf)
        limit: Floats = np.minimum(relative, largest) * (_TIMES * np.finfo(network.dtype).eps)
    return limit


def compare(
    theirs: npt.ArrayLike,
    ours: Floats,
    *,
    limit: Floats,
    how: str,
    rows: int,
    random_rows: int,
    quantity: str = "outputs",
) -> Check:
    """The largest difference between two numbers.

    Args:
        theirs: what the exported network gives, of the shape of `ours`.
        ours: what the network gives.
        limit: how far each may be from ours, see `rounding`.
        how: what ran the exported network.
        rows: how many of the rows were given.
        random_rows: how many were random.
        quantity: what is compared.

    Raises:
        ExportError: when one is farther, or theirs has another shape or is not finite where ours is, or the other way
            round.
    """
    other = np.asarray(theirs)
    if other.shape != ours.shape:
        raise ExportError(f"{how} gave {quantity} of shape {other.shape}, and not {ours.shape}; nothing was written")
    finite = np.isfinite(ours)
    differences = np.full(ours.shape, 0.0)
    differences[finite] = np.abs(other[finite].astype(np.float64) - ours[finite].astype(np.float64))
    differences[~finite & np.isfinite(other)] = np.inf
    limits = np.broadcast_to(limit, ours.shape)
    wrong = ~(differences <= limits)  # NaN is not either
    if wrong.any():
        worst = np.unravel_index(wrong.argmax(), wrong.shape)
        raise ExportError(
            f"{how}: the {quantity} differ by {differences[worst]:.3g} in row {worst[0] + 1}, rounding explains "
            f"{limits[worst]:.3g}; nothing was written"
        )
    return Check(
        how=how,
        quantity=quantity,
        rows=rows,
        random_rows=random_rows,
        max_difference=float(differences.max(initial=0)),
        limit=float(limits[finite & np.isfinite(limits)].max(initial=0)),
    )
