"""The arithmetic on vectors that optimisers share, in as little memory as may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.arrays import namespace

if TYPE_CHECKING:
    from chainrule.arrays import Array


def times(slot: Array, factor: float, reuse: bool) -> Array:
    """The slot times the factor, in the slot's own memory where that may be."""
    if reuse:
        slot *= factor  # for an array that cannot be written, Python makes a new one here
        return slot
    return slot * factor


def running_square(square: Array, gradient: Array, decay: float, reuse: bool) -> Array:
    """``decay * square + (1 - decay) gradient²``."""
    new = gradient * gradient
    new *= 1.0 - decay
    square = times(square, decay, reuse)
    square += new
    return square


def root(theta: Array, square: Array, epsilon: float) -> Array:
    """``√square + epsilon``, by the library of `theta`."""
    root = namespace(theta).sqrt(square)
    root += epsilon
    return root
