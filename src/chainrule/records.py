"""What a training tells whoever listens, and where it stands.

A loss is without penalties, so that those of training and validation compare; the penalty stands beside it.
"""

from __future__ import annotations

import msgspec

from chainrule.schedules import PlateauState


class Steps(msgspec.Struct, frozen=True):
    """Some steps were taken, the epoch is not over.

    Attributes:
        epoch: the one under way, 1 for the first.
        step: steps finished of this epoch.
        steps_per_epoch: that it has.
        loss: mean over the steps since the last record, without penalties.
        penalty: likewise; 0 where there is none.
    """

    epoch: int
    step: int
    steps_per_epoch: int
    loss: float
    penalty: float

    @property
    def objective(self) -> float:
        """What is minimised: loss + penalty."""
        return self.loss + self.penalty


class Epoch(msgspec.Struct, frozen=True):
    """An epoch is over.

    Attributes:
        epoch: 1 for the first.
        taken: steps of gradient descent so far.
        loss: over the epoch, each batch before its update, without penalties: the mean over the rows, or their sum.
        penalty: ``l1 sum |w| + l2/2 sum w^2`` over the epoch, averaged or, where the loss is a sum, summed up as the
            loss is; 0 where there is none.
        rate: the learning rate of the last step.
        seconds: since the beginning of the run.
        scores: measured after the epoch, by name: ``validation_loss``, ``validation_accuracy``, ...
        best: whether the monitored quantity was never better.
    """

    epoch: int
    taken: int
    loss: float
    penalty: float
    rate: float
    seconds: float
    scores: dict[str, float]
    best: bool

    @property
    def objective(self) -> float:
        """What is minimised: loss + penalty."""
        return self.loss + self.penalty


class Standing(msgspec.Struct, kw_only=True):
    """Where a run stands: with theta, the slots and the best theta, all that there is to know to go on.

    Attributes:
        epoch: epochs finished.
        step: steps finished of the epoch under way.
        taken: steps of gradient descent so far.
        loss_sum: of the epoch under way.
        penalty_sum: likewise.
        seconds: spent before the run was last taken up.
        plateau: what a schedule that listens to the loss has heard.
        best_epoch: 0 before the first epoch is over.
        best_value: of the monitored quantity, turned so that lower is better.
        stopped: why the run ended before its last epoch; empty when it did not.
        epochs: the records so far.
    """

    epoch: int
    step: int
    taken: int
    loss_sum: float
    penalty_sum: float
    seconds: float
    plateau: PlateauState | None
    best_epoch: int
    best_value: float | None
    stopped: str
    epochs: list[Epoch]

    @classmethod
    def at_the_start(cls) -> Standing:
        """Where every run begins. There are no defaults, so that a file must tell everything."""
        return cls(
            epoch=0,
            step=0,
            taken=0,
            loss_sum=0.0,
            penalty_sum=0.0,
            seconds=0.0,
            plateau=None,
            best_epoch=0,
            best_value=None,
            stopped="",
            epochs=[],
        )
