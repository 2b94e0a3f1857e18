"""A session: one person's experiment, its worker, and what it tells the page."""

from __future__ import annotations

import asyncio
import contextlib
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from chainrule._version import __version__
from chainrule.errors import ArgumentError
from chainrule.playground import answers, asks, diagnosing, exercises, messages, sheets
from chainrule.playground.runs import Runs
from chainrule.playground.setting import Setting, choices, from_link
from chainrule.playground.takeaway import ways
from chainrule.playground.telling import Line, Telling

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from chainrule.playground.moment import Moment
    from chainrule.playground.tables import Sources
    from chainrule.playground.worker import Worker

_FASTEST = 1e6  # steps a second


class Session:
    """What a page talks to; it outlives the page's connection.

    Args:
        name: by which a page that comes again finds it.
        sources: its tables.
        setting: to begin with.
    """

    def __init__(self, name: str, sources: Sources, setting: Setting, *, idle_minutes: float = 30.0) -> None:
        self.name, self.sources, self.idle_minutes = name, sources, idle_minutes
        self.seen = monotonic()
        self._loop = asyncio.get_running_loop()
        self._is_new = True
        self._page: asyncio.Task[None] | None = None
        self._diagnosis: diagnosing.Diagnosed | None = None
        self.runs = Runs(sources, self._told)
        self._telling = Telling(self.runs)
        self.worker.configure(setting)

    @property
    def worker(self) -> Worker:
        """Of the run that the page shows."""
        return self.runs.shown

    def _told(self, fault: Exception | None) -> None:
        """Called in the worker's thread, which touches nothing of a session: that is for the thread of its loop."""
        with contextlib.suppress(RuntimeError):  # the server has stopped
            self._loop.call_soon_threadsafe(self._telling.hear, fault)

    def close(self) -> None:
        """End what runs."""
        self.runs.close()
        if self._page is not None:
            self._page.cancel()

    # ---- a page comes and goes --------------------------------------------------------------------------------------

    async def attend(self, line: Line) -> None:
        """Serve a page until it goes; one that was there before is let go."""
        await self._let_go()
        self.seen = monotonic()
        self._telling.begin(line)
        await line.send(messages.encode(self._welcome()))
        self._is_new = False
        page = self._page = asyncio.create_task(self._telling.go_on())
        page.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # the line broke: we know
        self.worker.want()
        try:
            while True:
                text = await line.receive()
                self.seen = monotonic()
                if self._telling.line is line:
                    await self._answer(text)
        finally:
            page.cancel()
            if self._page is page:
                self._page = self._telling.line = None
            self.seen = monotonic()

    async def _let_go(self) -> None:
        """Of the page that is there, if one is."""
        page, line, self._page, self._telling.line = self._page, self._telling.line, None, None
        if page is not None:
            page.cancel()
        if line is not None:
            with contextlib.suppress(Exception):  # it may have gone by itself
                await line.leave()

    @property
    def attended(self) -> bool:
        """Whether a page is there."""
        return self._page is not None

    def _welcome(self) -> messages.Welcome:
        known = choices(), answers.sources_of(self.sources), ways(), sheets.form()
        return messages.Welcome(self.name, __version__, *known, self.idle_minutes, self._is_new)

    async def welcome_again(self) -> None:
        """Tell the page of tables that it has now."""
        await self._telling.say(self._welcome())

    # ---- what the page asks -----------------------------------------------------------------------------------------

    async def _answer(self, text: str | bytes) -> None:
        try:
            ask = asks.read_ask(text)
            told = await self._do(ask)
        except Exception as fault:  # noqa: BLE001 -- one question that fails ends no session
            told = messages.fault_of(fault)
        if told is not None:
            await self._telling.say(told)

    async def _do(self, ask: asks.AnyAsk) -> messages.AnyTold | None:
        """A question is answered; anything else is handed on, and shows in the next frame."""
        if isinstance(ask, asks.Drawn):
            self._telling.drawn()
            return None
        question = _QUESTIONS.get(type(ask))
        if question is None:
            _ORDERS[type(ask)](self, ask)
        told = None if question is None else await question(self, ask)
        self.runs.want()
        return told

    def look(self, view: asks.View) -> None:
        """See other things."""
        self._telling.look(view)

    def forget(self) -> None:
        """Forget the curves that were kept."""
        self._telling.forget()

    def open(self, ask: asks.Open) -> None:
        """Take the setting of a link."""
        self.worker.configure(from_link(ask.link))

    def play(self, ask: asks.Play) -> None:
        """Train on."""
        if ask.speed is not None and not 0 < ask.speed <= _FASTEST:
            raise ArgumentError("speed", where="playground", expected="steps a second, > 0", got=ask.speed)
        self.runs.play(ask.speed)

    async def rows(self, first: int) -> messages.Page:
        """Some rows of the table."""
        return await asyncio.to_thread(answers.page_of, (await self.moment()).experiment, first)

    async def diagnose(self) -> messages.Diagnosed:
        """What is wrong."""
        self._diagnosis = await asyncio.to_thread(diagnosing.diagnose, await self.moment())
        return self._diagnosis.told

    async def moment(self) -> Moment:
        """Where the run stands now.

        Raises:
            ArgumentError: when there is none.
        """
        version = 0 if self.worker.moment is None else self.worker.moment.version
        self.worker.want()
        for _ in range(200):
            moment = self.worker.moment
            if moment is not None and moment.version > version:
                return moment
            await asyncio.sleep(0.01)
        if self.worker.moment is None:
            raise ArgumentError("setting", where="playground", expected="one that can be trained")
        return self.worker.moment

    async def why(self, name: str, row: int | None) -> messages.Explained:
        """Where a gradient comes from, and the history of its parameter."""
        moment = await self.moment()
        _, _, place = answers.place_of(moment.experiment, name)
        told = await asyncio.to_thread(answers.why, moment, name, row)
        steps, values = self.worker.timeline.history(place)
        return msgspec.structs.replace(told, steps=steps, values=values)

    async def change(self, name: str, value: float) -> None:
        """Put a number in place of a parameter."""
        if not np.isfinite(value):
            raise ArgumentError("value", where="change", expected="a number", got=value)
        own, index, _ = answers.place_of((await self.moment()).experiment, name)
        self.worker.change(own, index, value)

    async def keep(self) -> None:
        """Keep the curve of the run so far."""
        self._telling.keep(await self.moment())

    async def attempt(self, finding: int, remedy: int) -> messages.Tried:
        """Try a remedy of the last diagnosis."""
        if self._diagnosis is None:
            raise ArgumentError("remedy", where="playground", expected="a diagnosis before it")
        return await asyncio.to_thread(self._diagnosis.tried, finding, remedy)

    async def draw(self, ask: asks.Draw) -> messages.Sheet:
        """An exercise for a student."""
        sheet = await asyncio.to_thread(sheets.drawn, ask.options, ask.seed, ask.student)
        return await asyncio.to_thread(exercises.sheet_told, sheet, self.sources.keep(sheet))

    async def load(self, name: str) -> None:
        """Make the network of an exercise that of the page."""
        self.worker.configure(sheets.setting_of(self.sources.sheet(name), name))
        self.worker.restart()
        await self.welcome_again()

    async def mark(self, ask: asks.Mark) -> messages.Marked:
        """What somebody has filled in."""
        return await asyncio.to_thread(exercises.marked, self.sources.sheet(ask.sheet), ask.sheet, ask.answers)


# What each kind of ask does; those of the second table are answered.
_ORDERS: dict[type[asks.AnyAsk], Callable[[Session, Any], None]] = {
    asks.View: Session.look,
    asks.Configure: lambda session, ask: session.worker.adjust(ask.setting),
    asks.Open: Session.open,
    asks.Play: Session.play,
    asks.Pause: lambda session, _: session.runs.pause(),
    asks.Step: lambda session, ask: session.runs.step(ask.unit),
    asks.Restart: lambda session, _: session.runs.restart(),
    asks.Seek: lambda session, ask: session.runs.seek(ask.taken),
    asks.Drop: lambda session, _: session.forget(),
    asks.Fork: lambda session, _: session.runs.fork(),
    asks.Swap: lambda session, _: session.runs.swap(),
    asks.Part: lambda session, _: session.runs.part(),
}
_QUESTIONS: dict[type[asks.AnyAsk], Callable[[Session, Any], Awaitable[messages.AnyTold | None]]] = {
    asks.Keep: lambda session, _: session.keep(),
    asks.Why: lambda session, ask: session.why(ask.name, ask.row),
    asks.Change: lambda session, ask: session.change(ask.name, ask.value),
    asks.Rows: lambda session, ask: session.rows(ask.first),
    asks.Diagnose: lambda session, _: session.diagnose(),
    asks.Load: lambda session, ask: session.load(ask.sheet),
    asks.Draw: lambda session, ask: session.draw(ask),
    asks.Mark: lambda session, ask: session.mark(ask),
    asks.Remedy: lambda session, ask: session.attempt(ask.finding, ask.remedy),
}
