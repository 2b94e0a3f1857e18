"""Checks of single arguments and of the fields of records, so that every one is refused in the same words.

A checked number is Python's own: a NumPy scalar would promote float32 vectors and cannot be written as JSON.
"""

from __future__ import annotations

from math import inf, isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import force_setattr

from chainrule.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import numpy.typing as npt
    from msgspec import Struct

NO_ARRAY = (TypeError, ValueError, OverflowError, RuntimeError)
"""What `np.asarray` raises where it makes no array: of ragged lists, of a tensor that belongs to a graph, ..."""


def number(value: object, argument: str, *, where: str, expected: str, fits: Callable[[float], bool]) -> float:
    """The value as a `float`.

    Raises:
        ArgumentError: unless it is a finite real number that fits.

    >>> number(2, "rate", where="SGD", expected="a number above 0", fits=lambda rate: rate > 0)
    2.0
    """
    if not isinstance(value, bool) and isinstance(value, Real):
        try:
            plain = float(value)
        except OverflowError:  # a whole number beyond the range of floats
            plain = inf
        if isfinite(plain) and fits(plain):
            return plain
    raise ArgumentError(argument, where=where, expected=expected, got=value)


def whole(value: object, argument: str, *, where: str, least: int = 1, most: int | None = None) -> int:
    """The value as an `int`.

    Raises:
        ArgumentError: unless it is a whole number of at least `least`, and at most `most` where that is given.

    >>> whole(3, "units", where="Dense")
    3
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ArgumentError(argument, where=where, expected=f"a whole number >= {least}", got=value)
    plain = int(value)
    if most is not None and plain > most:
        raise ArgumentError(argument, where=where, expected=f"a whole number from {least} to {most:,}", got=value)
    return plain


def flag(value: object, argument: str, *, where: str) -> bool:
    """The value as a `bool`; raises ArgumentError unless it is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ArgumentError(argument, where=where, expected="True or False", got=value)
    return bool(value)


def numbers(values: object, argument: str, *, where: str, expected: str = "numbers") -> npt.NDArray[Any]:
    """The values as an array of real numbers or booleans, of the type they came in.

    Raises:
        ArgumentError: when they are anything else.

    >>> numbers([[1, 2]], "W", where="parameters").shape
    (1, 2)
    """
    try:
        array = np.asarray(values)
        if array.dtype == object:  # fractions, decimals, or nothing of the kind
            array = array.astype(np.float64)
    except NO_ARRAY as error:
        raise ArgumentError(argument, where=where, expected=expected, got=values) from error
    if array.dtype.kind not in "biuf":
        raise ArgumentError(argument, where=where, expected=expected, got=values)
    return array


def seed(value: object, argument: str = "seed", *, where: str) -> int:
    """The value as an `int` that every engine and every file can hold.

    Raises:
        ArgumentError: unless it is a whole number from 0 to 2^63 - 1.

    >>> seed(7, where="Network")
    7
    """
    plain = whole(value, argument, where=where, least=0)
    if plain >= 2**63:
        raise ArgumentError(argument, where=where, expected="a whole number below 2^63", got=value)
    return plain


def share(value: object, argument: str, *, where: str) -> float:
    """The value as a `float`; raises ArgumentError unless ``0 <= value < 1``."""
    return number(value, argument, where=where, expected="a number from 0 up to, not including, 1", fits=_is_share)


def at_least_zero(value: object, argument: str, *, where: str) -> float:
    """The value as a `float`; raises ArgumentError unless it is finite and not negative."""
    return number(value, argument, where=where, expected="a number >= 0", fits=lambda plain: plain >= 0)


def positive(value: object, argument: str, *, where: str) -> float:
    """The value as a `float`; raises ArgumentError unless it is finite and above 0."""
    return number(value, argument, where=where, expected="a number > 0", fits=lambda plain: plain > 0)


def settle(record: Struct, field: str, expected: str, fits: Callable[[float], bool]) -> None:
    """Check a number of a record and make it a plain `float`; see `number`."""
    where = type(record).__name__
    force_setattr(record, field, number(getattr(record, field), field, where=where, expected=expected, fits=fits))


def settle_whole(record: Struct, field: str, least: int) -> None:
    """Check a whole number of a record and make it a plain `int`; see `whole`."""
    force_setattr(record, field, whole(getattr(record, field), field, where=type(record).__name__, least=least))


def settle_flag(record: Struct, field: str) -> None:
    """Check that a field of a record is True or False, and make it a plain `bool`."""
    force_setattr(record, field, flag(getattr(record, field), field, where=type(record).__name__))


def _is_share(plain: float) -> bool:
    return 0 <= plain < 1
