"""Checks of single arguments, so that every one is refused in the same words."""

from __future__ import annotations

from math import isfinite
from numbers import Integral, Real

from chainrule.errors import ArgumentError


def whole(value: object, argument: str, *, where: str, least: int = 1) -> int:
    """The value as an `int`.

    Raises:
        ArgumentError: unless it is a whole number of at least `least`.

    >>> whole(3, "units", where="Dense")
    3
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ArgumentError(argument, where=where, expected=f"a whole number >= {least}", got=value)
    return int(value)


def share(value: object, argument: str, *, where: str) -> float:
    """The value as a `float`.

    Raises:
        ArgumentError: unless ``0 <= value < 1``.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < 1:
        raise ArgumentError(argument, where=where, expected="a number from 0 up to, not including, 1", got=value)
    return float(value)


def at_least_zero(value: object, argument: str, *, where: str) -> float:
    """The value as a `float`.

    Raises:
        ArgumentError: unless it is finite and not negative.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value) or value < 0:
        raise ArgumentError(argument, where=where, expected="a number >= 0", got=value)
    return float(value)


def positive(value: object, argument: str, *, where: str) -> float:
    """The value as a `float`.

    Raises:
        ArgumentError: unless it is finite and above 0.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value) or value <= 0:
        raise ArgumentError(argument, where=where, expected="a number > 0", got=value)
    return float(value)
