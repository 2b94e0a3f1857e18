"""On which side of every kink a point lies: two points on the same sides have a smooth function between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.layers import Activation, Dense
from chainrule.layers.composite import Composite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainrule.arrays import Floats
    from chainrule.layers import Shape
    from chainrule.losses import Loss


class Sides(NamedTuple):
    """Which entries lie above a kink.

    Attributes:
        place: the layer, loss or parameter.
        above: ``(B, O)`` for units, any shape for parameters.
        rows: the row of the data that each row of `above` is; None where `above` has no rows.
    """

    place: str
    above: np.ndarray[Any, Any]
    rows: Sequence[int] | None


def sides_of_layers(
    layers: Composite, shape: Shape, saved: tuple[Any, ...], rows: Sequence[int], prefix: str = ""
) -> Iterator[Sides]:
    """The sides on which the net inputs of all activations with kinks lie."""
    for (name, layer, inside), record in zip(layers.named(shape), saved, strict=True):
        if isinstance(layer, Composite):
            yield from sides_of_layers(layer, inside, record, rows, f"{prefix}{name}.")
        elif isinstance(layer, Dense | Activation):
            yield from (Sides(f"{prefix}{name}", kink < record.Z, rows) for kink in layer.f.kinks)


def sides_of_loss(loss: Loss, Y: Floats, T: Floats, rows: Sequence[int]) -> Iterator[Sides]:
    """The sides on which the errors ``Y - T`` lie."""
    yield from (Sides(loss.name, kink < Y - T, rows) for kink in loss.kinks)


def crossed(one: Sequence[Sides], other: Sequence[Sides]) -> tuple[str, ...]:
    """What lies on different sides at two points, by name.

    >>> here = [Sides("dense_1", np.array([[True, False]]), [7])]
    >>> there = [Sides("dense_1", np.array([[True, True]]), [7])]
    >>> crossed(here, there)
    ('dense_1 unit 1, row 7',)
    """
    return tuple(
        f"{a.place} unit {index[-1]}, row {a.rows[index[0]]}" if a.rows is not None else f"{a.place}{index} at 0"
        for a, b in zip(one, other, strict=True)
        for index in np.argwhere(a.above != b.above).tolist()
    )
