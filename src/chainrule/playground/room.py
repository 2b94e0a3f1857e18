"""A session without a server: its page talks through whoever hands messages on, such as the widget of a notebook.

The session lives in a loop of its own, in a thread of its own: a cell that runs for long does not hold it up.
"""

from __future__ import annotations

import asyncio
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from chainrule.errors import ArgumentError
from chainrule.playground.messages import fault_of
from chainrule.playground.session import Session
from chainrule.playground.takeaway import take
from chainrule.playground.telling import Line
from chainrule.playground.uploads import MOST_BYTES, read_upload

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from chainrule.playground.moment import Moment
    from chainrule.playground.setting import Setting
    from chainrule.playground.tables import Sources

    Tell = Callable[[str | None, bytes | None], Any]

_PATIENCE = 20.0  # seconds that somebody waits for a moment


class Call(Struct, frozen=True, tag=str.lower, tag_field="kind"):
    """What a server would be asked by HTTP; `call` names the answer."""

    call: str


class Upload(Call, frozen=True):
    """Keep this table."""

    name: str


class Take(Call, frozen=True):
    """Give a file of the run; `what`: its kind."""

    what: str


class Answer(Struct, frozen=True, tag="answer", tag_field="kind"):
    """What came of a call: the name of the table or the file, whose bytes come with it; or what was wrong."""

    call: str
    name: str = ""
    fault: str = ""


AnyCall: TypeAlias = Upload | Take
_CALLS = msgspec.json.Decoder(AnyCall)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="playground rooms", daemon=True).start()
    return loop


class Room:
    """A session, and the line to its page.

    Args:
        sources: the tables of the session.
        setting: to begin with.
        tell: called, in the room's thread, with a text, or bytes, or both, for the page.
    """

    def __init__(self, sources: Sources, setting: Setting, tell: Tell) -> None:
        self._tell = tell
        self._asked: asyncio.Queue[str] = asyncio.Queue()
        self._page: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._session: Session = self._wait(self._open(sources, setting))

    async def _open(self, sources: Sources, setting: Setting) -> Session:
        return Session("a-room-of-its-own", sources, setting)

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        waiting: Future[Any] = asyncio.run_coroutine_threadsafe(work, _loop())
        return waiting.result(_PATIENCE)

    def moment(self) -> Moment:
        """Where the run stands; from any thread but the room's."""
        moment: Moment = self._wait(self._session.moment())
        return moment

    def attend(self) -> None:
        """A page is there, new or again."""
        _loop().call_soon_threadsafe(self._attend)

    def leave(self) -> None:
        """The page has gone: nobody looks, so nothing plays."""
        _loop().call_soon_threadsafe(self._leave)

    def close(self) -> None:
        """End the session."""
        _loop().call_soon_threadsafe(self._close)

    def ask(self, text: str, content: bytes = b"") -> None:
        """What the page asks; `content`: of a table."""
        _loop().call_soon_threadsafe(self._ask, text, content)

    # ---- in the room's thread ---------------------------------------------------------------------------------------

    def _attend(self) -> None:
        if self._page is not None:
            self._page.cancel()
        asked: asyncio.Queue[str] = asyncio.Queue()
        self._asked = asked

        async def send(message: str | bytes) -> None:
            self._tell(*((None, message) if isinstance(message, bytes) else (message, None)))

        async def leave() -> None:
            """The next page has this one's line."""

        self._page = asyncio.ensure_future(self._session.attend(Line(send, asked.get, leave)))

    def _leave(self) -> None:
        self._session.worker.pause()
        if self._page is not None:
            self._page.cancel()
            self._page = None

    def _close(self) -> None:
        self._leave()
        self._session.close()

    def _ask(self, text: str, content: bytes) -> None:
        try:
            call = _CALLS.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):  # for the session, or nothing, which it will say
            self._asked.put_nowait(text)
            return
        task = asyncio.ensure_future(self._serve(call, content))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _serve(self, call: AnyCall, content: bytes) -> None:
        given: bytes | None = None
        try:
            if isinstance(call, Upload):
                name = await self._keep(call.name, content)
            else:
                taken = await asyncio.to_thread(take, call.what, await self._session.moment())
                name, given = taken.name, taken.content
            answer = Answer(call.call, name)
        except Exception as fault:  # noqa: BLE001 -- a call that fails ends no session
            answer = Answer(call.call, fault=fault_of(fault).words)
        self._tell(msgspec.json.encode(answer).decode(), given)

    async def _keep(self, name: str, content: bytes) -> str:
        if len(content) > MOST_BYTES:
            raise ArgumentError("file", where="upload", expected=f"at most {MOST_BYTES >> 20} MB", got=len(content))
        name = await asyncio.to_thread(read_upload, name, content, self._session.sources)
        await self._session.welcome_again()
        return name
