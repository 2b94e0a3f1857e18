"""The limits of a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.arrays import namespace

if TYPE_CHECKING:
    from chainrule.arrays import Array
    from chainrule.optimizers.interface import Optimizer


def clip(gradient: Array, optimizer: Optimizer) -> Array:
    """The gradient within the limits of the optimiser: first each entry, then the norm.

    ::

        g = min(max(g, -clip_value), clip_value)
        g = g * clip_norm / max(|g|, clip_norm),   |g| the Euclidean norm of the whole vector

    In this order one wild entry does not shrink all the others, and both limits hold in the end. Source of the second
    line: Pascanu, Mikolov & Bengio 2013, algorithm 1. A gradient within the limits keeps its bits.

    >>> import numpy as np
    >>> from chainrule import SGD
    >>> clip(np.array([3.0, 4.0]), SGD(0.1, clip_norm=1.0))
    array([0.6, 0.8])
    """
    xp = namespace(gradient)
    if optimizer.clip_value is not None:
        gradient = xp.clip(gradient, -optimizer.clip_value, optimizer.clip_value)
    if optimizer.clip_norm is not None:
        # In units of the largest entry, so that no square overflows: exploding gradients are what this is for.
        largest = xp.maximum(xp.maximum(xp.max(gradient), -xp.min(gradient)), optimizer.clip_norm * 2.0**-60)
        squares = gradient * (1.0 / largest)
        squares *= squares
        norm = largest * xp.sqrt(xp.sum(squares))
        gradient = gradient * (optimizer.clip_norm / xp.maximum(norm, optimizer.clip_norm))
    return gradient
