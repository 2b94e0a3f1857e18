"""How a training goes about it."""

from __future__ import annotations

import msgspec
from msgspec.structs import force_setattr

from chainrule import checks
from chainrule.errors import ArgumentError
from chainrule.optimizers import AnyOptimizer
from chainrule.stopping import EarlyStopping


class TrainingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to train, apart from what is trained.

    Attributes:
        epochs: passes over the data.
        batch_size: rows in a batch.
        optimizer: with its learning rate or schedule.
        shuffle: whether each epoch takes the rows in a new order. Where one batch holds all rows they stay as they are:
            a sum over them depends on their order by rounding alone.
        seed: of the order and of dropout.
        early_stopping: when to stop before the last epoch, if at all.
    """

    epochs: int
    batch_size: int
    optimizer: AnyOptimizer
    shuffle: bool = True
    seed: int = 0
    early_stopping: EarlyStopping | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            force_setattr(self, name, checks.whole(getattr(self, name), name, where="fit"))
        if not isinstance(self.shuffle, bool):
            raise ArgumentError("shuffle", where="fit", expected="True or False", got=self.shuffle)
        if not isinstance(self.early_stopping, EarlyStopping | None):
            expected = "an EarlyStopping, or its patience in epochs"
            raise ArgumentError("early_stopping", where="fit", expected=expected, got=self.early_stopping)
