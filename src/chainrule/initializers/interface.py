"""What an initializer is: a record of settings that draws the first numbers of a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from msgspec import Struct

from chainrule.checks import settle
from chainrule.errors import ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers: TypeAlias = npt.NDArray[np.float64]
    Shape: TypeAlias = tuple[int, ...]
    Rng: TypeAlias = np.random.Generator


class Initializer(Struct, frozen=True, tag=True):
    """The contract; a record of settings, the randomness comes from outside."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Numbers:
        """The initial numbers of a parameter: float64, of this shape.

        Raises:
            ShapeError: when a parameter of this shape cannot be drawn.
        """
        if fan_in < 1 or fan_out < 1:
            fans = f"fan-in {fan_in}, fan-out {fan_out}"
            raise ShapeError("initial weights", where=type(self).__name__, expected="inputs and outputs >= 1", got=fans)
        return np.asarray(self._draw(rng, shape, fan_in, fan_out))

    def _draw(self, rng: Rng, shape: Shape, n_in: int, n_out: int, /) -> Numbers:
        raise NotImplementedError


def settle_finite(record: Initializer, *fields: str) -> None:
    """Check fields that are any finite number."""
    for field in fields:
        settle(record, field, "a finite number", lambda _: True)
