"""What a page is told: no more than it draws, and nothing twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from tests.playground.driving import SMALL

from chainrule.playground.frames import read_frame
from chainrule.playground.session import Session
from chainrule.playground.tables import Sources
from chainrule.playground.telling import Line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PATIENCE = 20.0  # seconds


class Page:
    """A page without a browser: what it was told, by its kind."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self._asked: asyncio.Queue[str] = asyncio.Queue()
        self._more = asyncio.Event()
        self.line = Line(self._hear, self._asked.get, self._leave)

    async def _hear(self, message: str | bytes) -> None:
        self.told.append(read_frame(message)[0] if isinstance(message, bytes) else msgspec.json.decode(message))
        self._more.set()

    async def _leave(self) -> None:
        """Nobody is there to be let go."""

    def ask(self, kind: str, **fields: Any) -> None:
        self._asked.put_nowait(msgspec.json.encode({"kind": kind, **fields}).decode())

    def kinds(self) -> list[str]:
        return [each["kind"] for each in self.told]

    async def until(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The last of so many messages of a kind."""
        while self.kinds().count(kind) < count:
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), PATIENCE)
        return [each for each in self.told if each["kind"] == kind][count - 1]


def talk(work: Callable[[Session, Page], Awaitable[None]]) -> None:
    """A session and its page."""

    async def both() -> None:
        session, page = Session("a-session", Sources(), SMALL), Page()
        attending = asyncio.create_task(session.attend(page.line))
        try:
            await work(session, page)
        finally:
            attending.cancel()
            session.close()

    asyncio.run(both())


async def all_that_can_be_told(session: Session) -> None:
    """Wait until the loop has nothing left to do of the moment that is there now."""
    await session.moment()
    for _ in range(100):
        await asyncio.sleep(0)


def test_the_next_frame_comes_when_the_last_one_is_drawn_and_what_came_in_between_is_dropped() -> None:
    async def work(session: Session, page: Page) -> None:
        assert (await page.until("frame"))["taken"] == 0
        for _ in range(5):
            page.ask("step")
            await all_that_can_be_told(session)
        assert page.kinds().count("frame") == 1
        page.ask("drawn")
        assert (await page.until("frame", 2))["taken"] == 5

    talk(work)


def test_what_a_page_knows_it_is_not_told_again() -> None:
    async def work(session: Session, page: Page) -> None:
        await page.until("frame")
        for taken in range(1, 4):
            page.ask("drawn")
            page.ask("step")
            assert (await page.until("frame", taken + 1))["taken"] == taken
        page.ask("drawn")
        await all_that_can_be_told(session)
        assert page.kinds().count("frame") == 4
        assert page.kinds().count("setup") == page.kinds().count("plane") == 1

    talk(work)


def test_a_page_that_comes_later_is_told_all_of_it() -> None:
    async def work(session: Session, page: Page) -> None:
        await page.until("frame")
        other = Page()
        attending = asyncio.create_task(session.attend(other.line))
        await other.until("frame")
        assert {"welcome", "setup", "plane", "frame"} <= set(other.kinds())
        attending.cancel()

    talk(work)
