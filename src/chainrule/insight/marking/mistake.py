"""What a mistake is: words, and what it does at a point of the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

from msgspec import Struct

from chainrule.arrays import Array

Point: TypeAlias = Literal[
    "Z", "Y", "layer", "sum", "loss weights", "rows", "loss",
    "error weights", "error", "pair", "slope", "dZ", "dW", "db", "dX", "through", "into F", "skip",
    "penalty", "penalty slope", "gradient", "rate", "change", "new", "state", "steps",
]  # fmt: skip
"""Where in a step something can go wrong, in the order of the step; see `Variant`."""

Change: TypeAlias = Callable[[Any, Any, Any], Array]
"""What stands there instead, from the `Variant` so far, the node (None where there is none) and what is right."""

Where: TypeAlias = Literal["layers", "once", "batch_norm", "layer_norm", "dropout", "residual"]


class Mistake(Struct, frozen=True):
    """A mistake that people make.

    Attributes:
        name: a word or a few, by which it is asked for.
        says: what was done, as a sentence; begins in lower case.
        right: what would be right, in plain notation.
        changes: what it puts in place of the right numbers, by the point of the step.
        where: made in dense layers and activations, or in layers of a kind: in each on its own or in several; or once
            in a step.
    """

    name: str
    says: str
    right: str
    changes: dict[Point, Change]
    where: Where = "layers"


class Slip(NamedTuple):
    """A mistake as it was made: in these layers; None for one that belongs to none."""

    mistake: Mistake
    layers: frozenset[str] | None = None

    def touches(self, name: str | None) -> bool:
        """Whether it was made in the layer of this name."""
        return self.layers is None or name in self.layers


class InapplicableError(Exception):
    """Nobody can make this mistake here: the shapes do not fit, or the network has no such thing."""


def fitting(values: Array, shape: tuple[int, ...]) -> Array:
    """The values, if they have this shape.

    Raises:
        InapplicableError: when they do not: a program with this mistake would have stopped.
    """
    if values.shape != shape:
        raise InapplicableError
    return values
