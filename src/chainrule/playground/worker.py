"""The thread of a training: it does what it is told between two records, and never waits for a page."""

from __future__ import annotations

import itertools
import queue
import threading
from concurrent.futures import Future
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from chainrule.errors import ArgumentError, ChainruleError, DivergenceError
from chainrule.playground import experiment as experiments
from chainrule.playground.moment import Moment, State
from chainrule.playground.setting import Setting
from chainrule.playground.timeline import Hand, Timeline, entry_of, put_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainrule.playground.experiment import Experiment
    from chainrule.playground.tables import Sources
    from chainrule.records import Epoch, Steps
    from chainrule.training import Training

_TICKS = 60  # a second: how often the training is moved on where its speed is limited
_SETUPS = itertools.count(1)  # of all workers: a page knows by it what a frame is of
_PATIENCE = 60.0  # seconds that a fork waits for the run that it is one of
_STRETCH = 1 / 36  # seconds at full speed, until somebody can see where it stands


class Standpoint(NamedTuple):
    """What a worker knows of its run, copied for another one."""

    timeline: Timeline
    taken: int
    furthest: int


class Worker:
    """Runs one experiment at a time.

    Args:
        sources: the tables that settings may name.
        told: called, in the thread, when a moment that was wanted is there, and with each fault.

    Attributes:
        timeline: the way back; to be read only.
    """

    def __init__(self, sources: Sources, told: Callable[[Exception | None], Any]) -> None:
        self.sources, self._told = sources, told
        self.timeline = Timeline()
        self.moment: Moment | None = None
        self._before = Setting()  # what the first setting changes
        self._experiment: Experiment | None = None
        self._records: Iterator[Steps | Epoch] | None = None
        self._state: State = "empty"
        self._words = ""
        self._offset = self._epochs = self._setup = self._version = self._furthest = 0
        self._row = -1  # of the batch, that was shown last
        self._speed: float | None = None
        self._due = 0.0
        self._wanted = False
        self._commands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="playground", daemon=True)
        self._thread.start()

    # ---- what others ask, from any thread ---------------------------------------------------------------------------

    def configure(self, setting: Setting, *, fork: bool = False) -> None:
        """Take this setting: go on with it where that can be, or begin anew."""
        self._commands.put(lambda: self._configure(setting, fork=fork))

    def adjust(self, given: dict[str, Any]) -> None:
        """Take these fields of a setting; the others are as they are when it comes to that."""
        self._commands.put(lambda: self._adjust(given))

    def restart(self) -> None:
        """Begin anew with the same setting."""
        self._commands.put(self._restart)

    def play(self, speed: float | None) -> None:
        """Train on, so many steps a second; None: as fast as it goes."""
        self._commands.put(lambda: self._play(speed))

    def pause(self) -> None:
        """Stand still."""
        self._commands.put(self._pause)

    def step(self, unit: Literal["row", "batch", "epoch"], count: int = 1) -> None:
        """Show the next row of the batch, take so many steps, or go to the end of so many epochs; then stand still."""
        self._commands.put(lambda: self._step(unit, count))

    def seek(self, taken: int) -> None:
        """Go back, or forward again, to this step; then stand still."""
        self._commands.put(lambda: self._seek(taken))

    def change(self, name: str, index: tuple[int, ...], value: float) -> None:
        """Put this number in place of one of the parameters."""
        self._commands.put(lambda: self._change(name, index, value))

    def fork(self, other: Worker) -> None:
        """Let another worker stand where this one does, with the same way back; from there they go apart."""
        copy: Future[Standpoint] = Future()
        self._commands.put(lambda: self._fork(copy))
        other._commands.put(lambda: other._take_over(copy.result(_PATIENCE)))  # before all that it is asked later

    def want(self) -> None:
        """Ask for a moment after what was asked before: `told` is called when it is there."""
        self._commands.put(self._want)

    def close(self) -> None:
        """End the thread; a training under way ends at its next record."""
        self._commands.put(None)

    # ---- the thread -------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        while self._obey():
            self._publish()  # before the next stretch: who asked in the last one need not wait for two
            if self._state == "playing":
                self._safely(self._advance)

    def _obey(self) -> bool:
        """Do all that was asked, and wait for it where nothing plays; False at the end."""
        patience = self._patience()
        while patience != 0.0 or not self._commands.empty():
            try:
                command = self._commands.get(timeout=patience)
            except queue.Empty:
                return True
            if command is None:
                return False
            self._safely(command)
            patience = 0.0
        return True

    def _want(self) -> None:
        self._wanted = True

    def _patience(self) -> float | None:
        """How long to wait for a command before training on: for ever where nothing plays."""
        if self._state != "playing":
            return None
        return 0.0 if self._speed is None else max(self._due - perf_counter(), 0.0)

    def _safely(self, work: Callable[[], None]) -> None:
        """Whatever goes wrong is told, and ends nothing but the work at hand."""
        try:
            work()
        except DivergenceError as fault:
            self._state, self._words = "diverged", str(fault)
        except ChainruleError as fault:
            self._told(fault)
        except Exception as fault:  # noqa: BLE001 -- this thread must live on: the next setting may be a good one
            self._state, self._words = "failed", f"{type(fault).__name__}: {fault}"
            self._told(fault)

    def _publish(self) -> None:
        experiment = self._experiment
        if experiment is None or not self._wanted:
            return
        self._wanted = False
        now = experiment.training.standing
        self._version += 1
        self.moment = Moment(
            self._version,
            self._setup,
            self._state,
            self._words,
            self._offset + now.taken,
            self._epochs + now.epoch,
            now.step,
            self._furthest,
            experiment.training.run.theta.copy(),
            experiment,
            self.timeline.records,
            min(self._epochs + now.epoch, len(self.timeline.records)),
            self._batch_row(),
            tuple(self.timeline.entries),
        )
        self._told(None)

    # ---- commands ---------------------------------------------------------------------------------------------------

    def _configure(self, setting: Setting, *, fork: bool) -> None:
        current = self._experiment
        if current is None or setting.needs_restart(current.setting):
            self._begin(experiments.make(setting, self.sources))
        elif fork or setting != current.setting:
            self._settle()
            self._branch(experiments.changed(current, setting))

    def _adjust(self, given: dict[str, Any]) -> None:
        before = self._before if self._experiment is None else self._experiment.setting
        self._configure(self.sources.adjusted(before, given), fork=False)

    def _restart(self) -> None:
        if self._experiment is not None:
            self._begin(experiments.make(self._experiment.setting, self.sources))

    def _begin(self, experiment: Experiment) -> None:
        self._experiment, self.timeline = experiment, Timeline()
        self._offset = self._epochs = self._furthest = 0
        self._setup = next(_SETUPS)
        self._state, self._words = "paused", ""
        self._renew()
        self.timeline.add(entry_of(experiment, 0, 0, pinned=True))

    def _branch(self, experiment: Experiment, hand: Hand | None = None) -> None:
        """Go on from here with another training; what came after this step is another course now."""
        old = self._running()
        now = old.training.standing
        self._offset, self._epochs = self._offset + now.taken, self._epochs + now.epoch
        self._furthest = self._offset
        self.timeline.records = self.timeline.records[: self._epochs]  # a new list: moments keep the old one
        self.timeline.forget_after(self._offset)
        self._experiment = experiment
        self._setup = next(_SETUPS)
        if self._state in {"finished", "diverged", "failed"}:
            self._state, self._words = "paused", ""
        self._renew()
        hands = (*self.timeline.take_back(self._offset), *([] if hand is None else [hand]))
        self.timeline.add(entry_of(experiment, self._offset, self._epochs, pinned=True, hands=hands))

    def _fork(self, copy: Future[Standpoint]) -> None:
        try:
            experiment = self._running()
            self._settle()
            here = entry_of(experiment, self._offset, self._epochs)
            copy.set_result(Standpoint(self.timeline.copy(here), here.taken, self._furthest))
        except BaseException as fault:
            copy.set_exception(fault)
            raise

    def _take_over(self, standpoint: Standpoint) -> None:
        """Go on where another worker stands, with experiments of its own."""
        timeline, taken, self._furthest = standpoint
        twins = {id(entry.experiment): experiments.twin(entry.experiment) for entry in timeline.entries}
        timeline.entries = [entry._replace(experiment=twins[id(entry.experiment)]) for entry in timeline.entries]
        first = timeline.before(taken)
        self.timeline, self._experiment = timeline, first.experiment
        self._offset, self._epochs, self._setup = first.offset, first.epochs, next(_SETUPS)
        self._seek(taken)

    def _play(self, speed: float | None) -> None:
        experiment = self._running()
        if self._state == "finished":  # as many epochs again
            self._branch(experiments.changed(experiment, experiment.setting))
        if self._state in {"paused", "playing"}:
            self._speed, self._due = speed, perf_counter()
            self._state = "playing"

    def _pause(self) -> None:
        if self._state == "playing":
            self._settle()
            self._state = "paused"

    def _step(self, unit: Literal["row", "batch", "epoch"], count: int) -> None:
        training = self._running().training
        self._pause()
        if self._state != "paused":
            return
        if unit == "row" and self._row + 1 < self._rows_of_batch():
            self._row += 1
            return
        training.may_run_ahead = False
        now, ends = training.standing, training.standing.epoch + count
        goal = ends * training.steps_per_epoch if unit == "epoch" else now.taken + count
        self._go_to(goal)

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

    def _seek(self, taken: int) -> None:
        self._running()
        self._settle()
        goal = min(max(taken, 0), self._furthest)
        entry = self.timeline.before(goal)
        own = self.timeline.records[entry.epochs : entry.epochs + entry.standing.epoch]
        if entry.experiment is not self._experiment:
            self._experiment, self._offset, self._epochs = entry.experiment, entry.offset, entry.epochs
            self._setup = next(_SETUPS)
        put_back(entry, own)
        self._renew()
        self._state, self._words = "paused", ""
        self._go_to(goal - self._offset)

    def _change(self, name: str, index: tuple[int, ...], value: float) -> None:
        experiment = self._running()
        self._settle()
        part = experiment.network.parameters[name]
        if len(index) != part.ndim or not all(0 <= i < n for i, n in zip(index, part.shape, strict=True)):
            raise ArgumentError(name, where="change", expected=f"places within its shape {part.shape}", got=index)
        changed = experiments.changed(experiment, experiment.setting)
        changed.network.parameters[name][index] = value
        self._branch(changed, Hand(name, index, value))

    # ---- training on ------------------------------------------------------------------------------------------------

    def _running(self) -> Experiment:
        if self._experiment is None:
            raise ArgumentError("setting", where="playground", expected="one, before anything can run")
        return self._experiment

    def _renew(self) -> None:
        """Iterate afresh from where the training stands."""
        self._row = -1
        self._records = iter(self._running().training)

    def _advance(self) -> None:
        """A stretch at the speed asked for."""
        training = self._running().training
        if self._speed is None:
            self._stretch(training)
            return
        steps = max(1, round(self._speed / _TICKS))
        now = perf_counter()
        self._due = max(self._due, now - 0.1) + steps / self._speed
        training.may_run_ahead = False
        left = training.standing.taken + steps
        self._go_to(left)

    def _stretch(self, training: Training) -> None:
        """What the engine takes at once, and all its records: in about the time from one frame to the next.

        The records (scores are measured for each epoch) may take longer than the steps: so the steps get less time.
        """
        training.may_run_ahead, training.pace.steps_at_once = True, None
        start = perf_counter()
        self._next()
        self._settle()
        share = _STRETCH / max(perf_counter() - start, 1e-6)
        training.pace.seconds_at_once = min(max(training.pace.seconds_at_once * share, _STRETCH / 50), _STRETCH)

    def _go_to(self, goal: int) -> None:
        """Train on to this step of the experiment, none beyond it."""
        training = self._running().training
        training.may_run_ahead = False
        while training.standing.taken < goal and self._state not in {"finished", "diverged"}:
            training.pace.steps_at_once = goal - training.standing.taken
            self._next()
        training.pace.steps_at_once = None

    def _settle(self) -> None:
        """Be told of what the engine has taken already: slots and theta are then of one step."""
        training = self._running().training
        while training.ahead and self._next():
            pass

    def _next(self) -> bool:
        """One record; what there is to keep of it is kept. False where there is none: at the end, after a failure."""
        self._row = -1
        experiment = self._running()
        training = experiment.training
        assert self._records is not None  # noqa: S101 -- whoever sets the experiment sets them
        record = next(self._records, None)
        if record is None:
            self._state, self._words = "finished", training.standing.stopped
            return False
        known = self._epochs + training.standing.epoch
        if len(self.timeline.records) < known:
            self.timeline.records.append(training.standing.epochs[-1])
        taken = self._offset + training.standing.taken
        self._furthest = max(self._furthest, taken)
        if not training.ahead and self.timeline.is_due(taken):
            self.timeline.add(entry_of(experiment, self._offset, self._epochs))
        return True
