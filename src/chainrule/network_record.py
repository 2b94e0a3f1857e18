"""`NetworkRecord`: what a model file says of a network, besides its numbers."""

from __future__ import annotations

import msgspec

from chainrule import checks
from chainrule.arrays import DType
from chainrule.errors import ArgumentError, ShapeError
from chainrule.layers import AnyLayer, Sequence
from chainrule.losses import AnyLoss
from chainrule.objective import Objective

Label = str | int | float | bool


class NetworkRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A network without its numbers: the part ``network`` of a model file."""

    layers: tuple[AnyLayer, ...]
    loss: AnyLoss
    input_shape: tuple[int, ...]
    dtype: DType
    l1: float = 0.0
    l2: float = 0.0
    seed: int = 0
    classes: tuple[Label, ...] | None = None

    def __post_init__(self) -> None:
        """Check what a file may say: nothing in it has been believed yet."""
        if len(self.input_shape) != 1:
            raise ShapeError("input_shape", where="network", expected="one number, of inputs", got=self.input_shape)
        checks.whole(self.input_shape[0], "input_shape", where="network")
        checks.seed(self.seed, where="network")
        objective = self.objective()
        _ = objective.layout  # the layers fit together, and are not nested deeper than Python can follow
        outputs = objective.output_shape[0]
        if self.classes is None:
            return
        kinds = {type(label) for label in self.classes}
        if len(self.classes) != max(outputs, 2) or len(kinds) != 1 or len(set(self.classes)) != len(self.classes):
            raise ArgumentError(
                "classes", where="network", expected=f"{max(outputs, 2)} labels of one kind", got=self.classes
            )

    def objective(self) -> Objective:
        """What a network of this record computes."""
        if not self.layers:
            raise ArgumentError("layers", where="network", expected="at least one layer", got=[])
        return Objective(Sequence(self.layers), self.loss, self.input_shape, self.l1, self.l2)
