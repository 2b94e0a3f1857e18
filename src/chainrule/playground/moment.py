"""Where a run stands, in copies that it no longer changes: what a page is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.playground.experiment import Experiment
    from chainrule.playground.finished import Finished
    from chainrule.playground.timeline import Entry

State: TypeAlias = Literal["empty", "paused", "playing", "finished", "diverged", "failed"]


class Moment(NamedTuple):
    """Where a run stands, in copies that it no longer changes.

    Attributes:
        version: grows with each moment.
        setup: grows with each experiment: what a page drew of another is of no use.
        state: of the run; `words`: what there is to say of it.
        taken: steps so far; `epoch`: epochs finished; `step`: steps finished of the one under way.
        furthest: the last step that there is a way to.
        theta: the parameters.
        experiment: that runs.
        finished: the epochs behind it, the last always, of many some; see `FinishedEpochs`.
        batch_row: the row of the batch that goes through: its number among the training rows, its place, of how many.
        entries: where the run stood before, and after where somebody went back, as the timeline has kept it.
    """

    version: int
    setup: int
    state: State
    words: str
    taken: int
    epoch: int
    step: int
    furthest: int
    theta: Floats
    experiment: Experiment
    finished: tuple[Finished, ...]
    batch_row: tuple[int, int, int] | None = None
    entries: tuple[Entry, ...] = ()

    @property
    def course(self) -> tuple[Entry, ...]:
        """What led here: the beginning, and each change on the way."""
        return tuple(entry for entry in self.entries if entry.pinned and entry.taken <= self.taken)
