"""The thread of a training: it does what it is told between two records, and never waits for a page."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from chainrule.errors import ChainruleError, DivergenceError
from chainrule.playground.course import Course, Standpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.playground.moment import Moment
    from chainrule.playground.setting import Setting
    from chainrule.playground.tables import Sources
    from chainrule.playground.timeline import Timeline

_TICKS = 60  # a second: how often the training is moved on where its speed is limited
_PATIENCE = 60.0  # seconds that a fork waits for the run that it is one of


class Worker:
    """Runs one experiment at a time.

    Args:
        sources: the tables that settings may name.
        told: called, in the thread, when a moment that was wanted is there, and with each fault.
    """

    def __init__(self, sources: Sources, told: Callable[[Exception | None], Any]) -> None:
        self._course, self._told = Course(sources), told
        self.moment: Moment | None = None
        self._version = 0
        self._speed: float | None = None
        self._due = 0.0
        self._wanted = False
        self._commands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="playground", daemon=True)
        self._thread.start()

    @property
    def timeline(self) -> Timeline:
        """The way back; to be read only."""
        return self._course.timeline

    # ---- what others ask, from any thread ---------------------------------------------------------------------------

    def configure(self, setting: Setting, *, fork: bool = False) -> None:
        """Take this setting: go on with it where that can be, or begin anew."""
        self._commands.put(lambda: self._course.configure(setting, fork=fork))

    def adjust(self, given: dict[str, Any]) -> None:
        """Take these fields of a setting; the others are as they are when it comes to that."""
        self._commands.put(lambda: self._course.adjust(given))

    def restart(self) -> None:
        """Begin anew with the same setting."""
        self._commands.put(self._course.restart)

    def play(self, speed: float | None) -> None:
        """Train on, so many steps a second; None: as fast as it goes."""
        self._commands.put(lambda: self._play(speed))

    def pause(self) -> None:
        """Stand still."""
        self._commands.put(self._course.pause)

    def step(self, unit: Literal["row", "batch", "epoch"], count: int = 1) -> None:
        """Show the next row of the batch, take so many steps, or go to the end of so many epochs; then stand still."""
        self._commands.put(lambda: self._course.step(unit, count))

    def seek(self, taken: int) -> None:
        """Go back, or forward again, to this step; then stand still."""
        self._commands.put(lambda: self._course.seek(taken))

    def change(self, name: str, index: tuple[int, ...], value: float) -> None:
        """Put this number in place of one of the parameters."""
        self._commands.put(lambda: self._course.change(name, index, value))

    def fork(self, other: Worker) -> None:
        """Let another worker stand where this one does, with the same way back; from there they go apart."""
        copy: Future[Standpoint] = Future()
        self._commands.put(lambda: self._fork(copy))
        other._commands.put(lambda: other._course.take_over(copy.result(_PATIENCE)))  # before all it is asked later

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
            if self._course.state == "playing":
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

    def _patience(self) -> float | None:
        """How long to wait for a command before training on: for ever where nothing plays."""
        if self._course.state != "playing":
            return None
        return 0.0 if self._speed is None else max(self._due - perf_counter(), 0.0)

    def _safely(self, work: Callable[[], None]) -> None:
        """Whatever goes wrong is told, and ends nothing but the work at hand."""
        try:
            work()
        except DivergenceError as fault:
            self._course.state, self._course.words = "diverged", str(fault)
        except ChainruleError as fault:
            self._told(fault)
        except Exception as fault:  # noqa: BLE001 -- this thread must live on: the next setting may be a good one
            self._course.state, self._course.words = "failed", f"{type(fault).__name__}: {fault}"
            self._told(fault)

    def _want(self) -> None:
        self._wanted = True

    def _publish(self) -> None:
        """Tell of a moment that was wanted.

        At full speed this stands before the next stretch, which begins with what the engine does without the
        interpreter's lock: whoever draws the moment then takes no time from the training.
        """
        moment = self._course.moment(self._version + 1) if self._wanted else None
        if moment is None:
            return
        self._wanted = False
        self._version += 1
        self.moment = moment
        self._told(None)

    def _play(self, speed: float | None) -> None:
        self._course.play()
        self._speed, self._due = speed, perf_counter()

    def _advance(self) -> None:
        """A stretch at the speed asked for."""
        if self._speed is None:
            self._course.stretch()
            return
        steps = max(1, round(self._speed / _TICKS))
        self._due = max(self._due, perf_counter() - 0.1) + steps / self._speed
        self._course.move(steps)

    def _fork(self, copy: Future[Standpoint]) -> None:
        try:
            copy.set_result(self._course.standpoint())
        except BaseException as fault:
            copy.set_exception(fault)
            raise
