"""The course of a run: an experiment that is trained on, changed, and put back to where it stood before."""

from __future__ import annotations

import itertools
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from chainrule.errors import ArgumentError
from chainrule.playground import experiment as experiments
from chainrule.playground.finished import Finished
from chainrule.playground.moment import Moment, State
from chainrule.playground.setting import Setting
from chainrule.playground.timeline import Hand, Timeline, entry_of, put_back
from chainrule.records import Epoch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.playground.experiment import Experiment
    from chainrule.playground.tables import Sources
    from chainrule.records import Steps

_SETUPS = itertools.count(1)  # of all courses: a page knows by it what a frame is of
_STRETCH = 1 / 31  # seconds at full speed, until somebody can see where it stands: as many frames a second


class Standpoint(NamedTuple):
    """What a course knows of its run, copied for another one."""

    timeline: Timeline
    taken: int
    furthest: int


class Course:
    """One experiment at a time, in one thread.

    Args:
        sources: the tables that settings may name.

    Attributes:
        timeline: the way back.
        state: of the run; `words`: what there is to say of it.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.timeline = Timeline()
        self.state: State = "empty"
        self.words = ""
        self._before = Setting()  # what the first setting changes
        self._experiment: Experiment | None = None
        self._records: Iterator[Steps | Epoch] | None = None
        self._offset = self._epochs = self._setup = self._furthest = 0
        self._last: Finished | None = None
        self._row = -1  # of the batch, that was shown last

    # ---- what is trained --------------------------------------------------------------------------------------------

    def configure(self, setting: Setting, *, fork: bool = False) -> None:
        """Take this setting: go on with it where that can be, or begin anew."""
        current = self._experiment
        if current is None or setting.needs_restart(current.setting):
            self._begin(experiments.make(setting, self.sources))
        elif fork or setting != current.setting:
            self._settle()
            self._branch(experiments.changed(current, setting))

    def adjust(self, given: dict[str, Any]) -> None:
        """Take these fields of a setting; the others are as they are."""
        before = self._before if self._experiment is None else self._experiment.setting
        self.configure(self.sources.adjusted(before, given))

    def restart(self) -> None:
        """Begin anew with the same setting."""
        if self._experiment is not None:
            self._begin(experiments.make(self._experiment.setting, self.sources))

    def _begin(self, experiment: Experiment) -> None:
        self._experiment, self.timeline = experiment, Timeline()
        self._offset = self._epochs = self._furthest = 0
        self._last = None
        self._setup = next(_SETUPS)
        self.state, self.words = "paused", ""
        self._renew()
        self.timeline.add(entry_of(experiment, 0, 0, pinned=True))

    def _branch(self, experiment: Experiment, hand: Hand | None = None) -> None:
        """Go on from here with another training; what came after this step is another course now."""
        old = self._running()
        now = old.training.standing
        self._offset, self._epochs = self._offset + now.taken, self._epochs + now.epoch
        self._furthest = self._offset
        self.timeline.finished.turn(self._last)
        self.timeline.forget_after(self._offset)
        self._experiment = experiment
        self._setup = next(_SETUPS)
        if self.state in {"finished", "diverged", "failed"}:
            self.state, self.words = "paused", ""
        self._renew()
        hands = (*self.timeline.take_back(self._offset), *([] if hand is None else [hand]))
        here = entry_of(experiment, self._offset, self._epochs, pinned=True, last=self._last, hands=hands)
        self.timeline.add(here)

    def change(self, name: str, index: tuple[int, ...], value: float) -> None:
        """Put this number in place of one of the parameters."""
        experiment = self._running()
        self._settle()
        part = experiment.network.parameters[name]
        if len(index) != part.ndim or not all(0 <= i < n for i, n in zip(index, part.shape, strict=True)):
            raise ArgumentError(name, where="change", expected=f"places within its shape {part.shape}", got=index)
        changed = experiments.changed(experiment, experiment.setting)
        changed.network.parameters[name][index] = value
        self._branch(changed, Hand(name, index, value))

    def standpoint(self) -> Standpoint:
        """Where it stands, for another one to go on from."""
        experiment = self._running()
        self._settle()
        here = entry_of(experiment, self._offset, self._epochs, last=self._last)
        return Standpoint(self.timeline.copy(here), here.taken, self._furthest)

    def take_over(self, standpoint: Standpoint) -> None:
        """Go on where another one stands, with experiments of its own."""
        timeline, taken, self._furthest = standpoint
        twins = {id(entry.experiment): experiments.twin(entry.experiment) for entry in timeline.entries}
        timeline.entries = [entry._replace(experiment=twins[id(entry.experiment)]) for entry in timeline.entries]
        first = timeline.before(taken)
        self.timeline, self._experiment = timeline, first.experiment
        self._offset, self._epochs, self._setup = first.offset, first.epochs, next(_SETUPS)
        self.seek(taken)

    # ---- where it stands --------------------------------------------------------------------------------------------

    def moment(self, version: int) -> Moment | None:
        """Where the run stands now; None where there is none."""
        experiment = self._experiment
        if experiment is None:
            return None
        now = experiment.training.standing
        return Moment(
            version,
            self._setup,
            self.state,
            self.words,
            self._offset + now.taken,
            self._epochs + now.epoch,
            now.step,
            self._furthest,
            experiment.training.run.theta.copy(),
            experiment,
            self.timeline.finished.until(self._last),
            self._batch_row(),
            tuple(self.timeline.entries),
        )

    def _rows_of_batch(self) -> int:
        """How many rows the batch has that is next."""
        training = self._running().training
        B = training.settings.batch_size
        return min(B, len(training.data.X) - training.standing.step * B)

    def _batch_row(self) -> tuple[int, int, int] | None:
        """See `Moment`."""
        if self._row < 0:
            return None
        training = self._running().training
        order, place = training.order(training.standing.epoch), self._row
        place += training.standing.step * training.settings.batch_size
        return place if order is None else int(order[place]), self._row, self._rows_of_batch()

    def _running(self) -> Experiment:
        if self._experiment is None:
            raise ArgumentError("setting", where="playground", expected="one, before anything can run")
        return self._experiment

    # ---- training on, and back --------------------------------------------------------------------------------------

    def play(self) -> None:
        """From now on it is to be moved on."""
        experiment = self._running()
        if self.state == "finished":  # as many epochs again
            self._branch(experiments.changed(experiment, experiment.setting))
        if self.state == "paused":
            self.state = "playing"

    def pause(self) -> None:
        """Stand still."""
        if self.state == "playing":
            self._settle()
            self.state = "paused"

    def step(self, unit: Literal["row", "batch", "epoch"], count: int = 1) -> None:
        """Show the next row of the batch, take so many steps, or go to the end of so many epochs; then stand still."""
        training = self._running().training
        self.pause()
        if self.state != "paused":
            return
        if unit == "row" and self._row + 1 < self._rows_of_batch():
            self._row += 1
            return
        now, ends = training.standing, training.standing.epoch + count
        self._go_to(ends * training.steps_per_epoch if unit == "epoch" else now.taken + count)

    def seek(self, taken: int) -> None:
        """Go back, or forward again, to this step; then stand still."""
        self._running()
        self._settle()
        goal = min(max(taken, 0), self._furthest)
        entry = self.timeline.before(goal)
        if entry.experiment is not self._experiment:
            self._experiment, self._offset, self._epochs = entry.experiment, entry.offset, entry.epochs
            self._setup = next(_SETUPS)
        put_back(entry)
        self._last = entry.last
        self._renew()
        self.state, self.words = "paused", ""
        self._go_to(goal - self._offset)

    def move(self, steps: int) -> None:
        """Take so many steps."""
        self._go_to(self._running().training.standing.taken + steps)

    def stretch(self) -> None:
        """What the engine takes at once, and all its records: in about the time from one frame to the next.

        The records (scores are measured for each epoch) may take longer than the steps: so the steps get less time.
        """
        training = self._running().training
        training.may_run_ahead, training.pace.steps_at_once = True, None
        start = perf_counter()
        self._next()
        self._settle()
        share = _STRETCH / max(perf_counter() - start, 1e-6)
        training.pace.seconds_at_once = min(max(training.pace.seconds_at_once * share, _STRETCH / 50), _STRETCH)

    def _renew(self) -> None:
        """Iterate afresh from where the training stands."""
        self._row = -1
        self._records = iter(self._running().training)

    def _go_to(self, goal: int) -> None:
        """Train on to this step of the experiment, none beyond it."""
        training = self._running().training
        training.may_run_ahead = False
        while training.standing.taken < goal and self.state not in {"finished", "diverged"}:
            training.pace.steps_at_once = goal - training.standing.taken
            self._next()
        training.pace.steps_at_once = None

    def _settle(self) -> None:
        """Be told of what the engine has taken already: slots and theta are then of one step."""
        training = self._running().training
        while training.ahead and self._next():
            pass

    def _next(self) -> bool:
        """One record; what there is to keep of it is kept. False where there is none: at the end, after a failure.

        There are thousands a second: what can wait until the engine is not ahead is left until then.
        """
        training = self._running().training
        assert self._records is not None  # noqa: S101 -- whoever sets the experiment sets them
        record = next(self._records, None)
        if record is None:
            self.state, self.words = "finished", training.standing.stopped
            return False
        if isinstance(record, Epoch):
            self._last = Finished(self._epochs + record.epoch, record)
            self.timeline.finished.add(self._last)
        if not training.ahead:
            self._note()
        return True

    def _note(self) -> None:
        """Keep where the training stands now, if that is due."""
        experiment = self._running()
        self._row = -1
        experiment.training.forget_epochs()  # what is needed of them is kept here
        taken = self._offset + experiment.training.standing.taken
        self._furthest = max(self._furthest, taken)
        if self.timeline.is_due(taken):
            self.timeline.add(entry_of(experiment, self._offset, self._epochs, last=self._last))
