"""What a page is told of the runs that it shows: no faster than it draws, and nothing that it knows already."""

from __future__ import annotations

import asyncio
import functools
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from chainrule.playground import answers, asks, messages
from chainrule.playground.frames import Stage, draw

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from chainrule.playground.moment import Moment
    from chainrule.playground.runs import Runs

_CURVES_EVERY, _RESULTS_EVERY = 0.2, 0.4  # seconds
_FRAMES_EVERY = 1 / 36  # seconds, at least; at full speed the worker's stretches are longer, and it is they that pace
_KEPT = 3  # curves beside the one that runs


class Line(NamedTuple):
    """The line to a page.

    Attributes:
        send: texts, and frames as bytes.
        receive: what the page asks next; raises when the page has gone.
        leave: end the line, and say that the page was opened elsewhere.
    """

    send: Callable[[str | bytes], Awaitable[Any]]
    receive: Callable[[], Awaitable[str | bytes]]
    leave: Callable[[], Awaitable[Any]]


class Telling:
    """Tells a page of the runs; all in the thread of the session's loop.

    Args:
        runs: that are shown.

    Attributes:
        line: to the page; None where no page is there.
        view: what the page looks at.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.line: Line | None = None
        self.view = asks.View()
        self._fresh, self._drawn = asyncio.Event(), asyncio.Event()
        self._faults: list[messages.Fault] = []
        self._kept: list[messages.Curve] = []
        self._stage: Stage | None = None
        self._curves_told = self._results_told = 0.0
        self._was_beside = False
        self._know_nothing()

    def _know_nothing(self) -> None:
        self._told_frame: tuple[Any, ...] = ()
        self._told_setup: tuple[int, ...] = ()
        self._told_plane: tuple[int, ...] = ()
        self._last_curve: tuple[Any, ...] | None = None
        self._last_results: tuple[Any, ...] | None = None

    def begin(self, line: Line) -> None:
        """A page is there that knows nothing yet."""
        self.line = line
        self._know_nothing()
        self._drawn.set()

    def hear(self, fault: Exception | None) -> None:
        """There is a moment that was wanted, or a fault."""
        if fault is not None:
            self._faults.append(messages.fault_of(fault))
        self._fresh.set()

    def drawn(self) -> None:
        """The page has drawn the last frame: the next may come."""
        self._drawn.set()

    def look(self, view: asks.View) -> None:
        """See other things."""
        self.view, self._last_results = view, None

    def keep(self, moment: Moment) -> None:
        """Keep the curve of the run so far."""
        curve = answers.curve_of(answers.title_of(moment), moment.finished)
        self._kept = [*self._kept, curve][-_KEPT:]
        self._last_curve = None

    def forget(self) -> None:
        """Forget the curves that were kept."""
        self._kept, self._last_curve = [], None

    async def go_on(self) -> None:
        """Frames as fast as the page draws them; what comes in between is dropped."""
        due = 0.0
        while True:
            if self.runs.are_moving:
                self.runs.want()  # it comes while the page draws the last one
            await asyncio.sleep(due - monotonic())  # not at all where that is past
            await self._drawn.wait()
            await self._fresh.wait()
            self._fresh.clear()
            due = max(due, monotonic() - _FRAMES_EVERY) + _FRAMES_EVERY
            await self._tell_faults()
            if self.runs.shown.moment is None:
                continue
            try:
                await self._tell_of(self.runs.shown.moment)
            except ConnectionError:
                raise
            except Exception as fault:  # noqa: BLE001 -- what cannot be drawn now is told; the next moment may be another
                await self.say(messages.fault_of(fault))

    async def _tell_of(self, moment: Moment) -> None:
        """What the page does not know yet of a moment."""
        await self._tell_setup(moment)
        here = (moment.setup, moment.taken, moment.state, moment.words, moment.batch_row, self.view)
        if here != self._told_frame:
            self._told_frame = here
            self._drawn.clear()
            try:
                await self._send_frame(moment)
            except BaseException:
                self._drawn.set()  # no frame came that a page could have drawn
                raise
        await self._tell_more(moment)

    async def _send_frame(self, moment: Moment) -> None:
        frame = await asyncio.to_thread(draw, moment, self._stage_of(moment))
        if self.line is not None:
            await self.line.send(frame)

    async def say(self, told: messages.AnyTold) -> None:
        """Tell the page this, if one is there."""
        if self.line is not None:
            await self.line.send(messages.encode(told))

    async def _tell_faults(self) -> None:
        while self._faults:
            await self.say(self._faults.pop(0))

    async def _tell_setup(self, moment: Moment) -> None:
        here = (moment.setup,)
        if self._told_setup != here:
            self._told_setup = here
            await self.say(await asyncio.to_thread(answers.setup_of, moment.experiment, moment.setup))
        plane = (moment.setup, self.view.x, self.view.y)
        if self._told_plane != plane:
            self._told_plane = plane
            await self.say(await asyncio.to_thread(answers.plane_of, moment.experiment, *plane))

    async def _tell_more(self, moment: Moment) -> None:
        """Curves and scores: slower than frames, and only where they are others."""
        now = monotonic()
        moving = self.runs.are_moving
        other = None if self.runs.beside is None else self.runs.beside.moment
        both = (moment,) if other is None else (moment, other)
        curve = tuple((each.setup, each.epoch) for each in both)
        if curve != self._last_curve and (not moving or now - self._curves_told > _CURVES_EVERY):
            self._last_curve, self._curves_told = curve, now
            runs = (answers.curve_of(answers.title_of(each), each.finished) for each in both)
            await self.say(messages.Curves((*runs, *self._kept)))
        standing = tuple((each.setup, each.taken, 0 if moving else each.version) for each in both)
        results = (standing, self.view.held)
        wanted = self.view.results or other is not None or self._was_beside
        if wanted and results != self._last_results and (not moving or now - self._results_told > _RESULTS_EVERY):
            self._last_results, self._results_told = results, now
            await self._tell_results(moment, other)

    async def _tell_results(self, moment: Moment, other: Moment | None) -> None:
        held = self.view.held
        await self.say(await asyncio.to_thread(functools.partial(answers.results_of, moment, held=held)))
        if other is not None:
            await self.say(await asyncio.to_thread(functools.partial(answers.beside_of, moment, other, held=held)))
        elif self._was_beside:
            await self.say(messages.Alone())
        self._was_beside = other is not None

    def _stage_of(self, moment: Moment) -> Stage:
        """With the row of the batch that goes through, or else the one that was chosen."""
        view = self.view
        if moment.batch_row is not None:
            view = msgspec.structs.replace(view, row=moment.batch_row[0])
        stage = self._stage
        if stage is None or stage.experiment is not moment.experiment or stage.view != view:
            stage = self._stage = Stage(moment.experiment, view)
        return stage
