"""When a training ends before its last epoch, and what decides which epoch was the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from chainrule import checks
from chainrule.errors import ArgumentError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainrule.metrics import Better
    from chainrule.objective import Objective


class EarlyStopping(msgspec.Struct, frozen=True):
    """Stop when the monitored quantity has not improved for some epochs; go back to the weights of the best one.

    Prechelt, "Early Stopping: But When?" (1998), criterion UP in its usual form.

    Attributes:
        patience: epochs without an improvement before the run ends.
        min_delta: an improvement is more than this.
        monitor: ``"validation_loss"``, ``"objective"`` (loss + penalty), ``"loss"`` or the name of a score; None: the
            first of these that there is. Without validation the loss alone may rise while the objective descends.

    Raises:
        ArgumentError: when one of them is out of range.

    >>> import chainrule as cr
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> stopping = cr.EarlyStopping(patience=2, min_delta=1e9)
    >>> cr.Network([cr.Dense(2, "softmax")]).fit(X, y, epochs=50, early_stopping=stopping).stopped
    'loss has not improved for 2 epochs'
    """

    patience: int = 10
    min_delta: float = 0.0
    monitor: str | None = None

    def __post_init__(self) -> None:
        checks.settle_whole(self, "patience", 1)
        checks.settle(self, "min_delta", "a number >= 0", lambda delta: delta >= 0)
        if not isinstance(self.monitor, str | None):
            raise ArgumentError("monitor", where="EarlyStopping", expected="a name, or None", got=self.monitor)


def monitored(
    stopping: EarlyStopping | None, better: Mapping[str, Better], objective: Objective
) -> tuple[str, Literal[1, -1]]:
    """The name of the quantity to watch, and the factor that turns it so that lower is better.

    Raises:
        ArgumentError: when it is not measured.
    """
    known: dict[str, Better] = {"loss": "lower", "objective": "lower", **better}
    name = stopping.monitor if stopping else None
    if name is None:
        descending = "objective" if objective.penalised else "loss"  # the same number, by the name that people see
        name = "validation_loss" if "validation_loss" in known else descending
    if name not in known:
        raise unknown_name("quantity", name, known, where="EarlyStopping: monitor")
    return name, 1 if known[name] == "lower" else -1
