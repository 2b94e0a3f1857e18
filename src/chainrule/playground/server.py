"""The server of the playground: its page, its sessions, what is handed in and taken away."""

from __future__ import annotations

import asyncio
import contextlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from chainrule.errors import ChainruleError, InputError, MissingExtraError

try:
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocketDisconnect
except ImportError:
    raise MissingExtraError("The playground", library="starlette", extra="play") from None

from chainrule.playground.gate import Gate
from chainrule.playground.sessions import Sessions
from chainrule.playground.takeaway import take
from chainrule.playground.telling import Line
from chainrule.playground.uploads import MOST_BYTES, read_upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import polars as pl
    from starlette.requests import Request
    from starlette.types import ASGIApp
    from starlette.websockets import WebSocket

    from chainrule.playground.setting import Setting
    from chainrule.playground.tables import Begun

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_LOOKS_FOR_IDLE_EVERY = 60.0  # seconds
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def make_app(
    setting: Setting,
    handed: dict[str, pl.DataFrame] | None = None,
    begun: Begun | None = None,
    *,
    token: str,
    port: int,
    hosts: tuple[str, ...] = LOOPBACK,
    idle_minutes: float = 30.0,
    most: int = 64,
) -> ASGIApp:
    """The application, behind its gate.

    Args:
        setting: that a session begins with.
        handed: tables that all sessions have.
        begun: a model that a session goes on with.
        token: that lets in.
        port: that it is called at.
        hosts: names that it is called by.
        idle_minutes: after which a session that no page attends is closed.
        most: sessions at once.
    """
    handed = handed or {}
    sessions: list[Sessions] = []

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sessions.append(Sessions(setting, handed, begun, idle_minutes=idle_minutes, most=most))
        looking = asyncio.create_task(_close_idle(sessions[0]))
        try:
            yield
        finally:
            looking.cancel()
            sessions.pop().close()

    async def talk(socket: WebSocket) -> None:
        await _talk(socket, sessions[0])

    async def upload(request: Request) -> Response:
        return await _upload(request, sessions[0])

    async def away(request: Request) -> Response:
        return await _away(request, sessions[0])

    routes = [
        Route("/", _page),
        WebSocketRoute("/talk", talk),
        Route("/upload", upload, methods=["POST"]),
        Route("/take/{kind}", away),
        Route("/page/{name:path}", _page),
    ]
    return Gate(Starlette(routes=routes, lifespan=lifespan), token=token, port=port, hosts=hosts)


async def _close_idle(sessions: Sessions) -> None:
    while True:
        await asyncio.sleep(_LOOKS_FOR_IDLE_EVERY)
        sessions.close_idle()


async def _page(request: Request) -> Response:
    """A file of the page, by its name; there are folders of one level."""
    name = request.path_params.get("name", "index.html")
    parts = name.split("/")
    ending = f".{name.rpartition('.')[2]}"
    if len(parts) > 2 or ending not in _TYPES or any(part.startswith(".") or not part for part in parts):
        return Response("There is no such file.", status_code=404)
    file = files("chainrule.playground").joinpath("page", *parts)
    if not file.is_file():
        return Response("There is no such file.", status_code=404)
    return Response(file.read_bytes(), headers={"content-type": _TYPES[ending]})


async def _talk(socket: WebSocket, sessions: Sessions) -> None:
    await socket.accept()
    try:
        session = sessions.enter(socket.query_params.get("session", ""))
    except InputError as fault:
        await socket.close(4400, str(fault)[:120])
        return

    async def leave() -> None:
        await socket.close(4409, "This page is open in another tab.")

    async def send(message: str | bytes) -> None:
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_text(message)

    async def receive() -> str | bytes:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        text: str | bytes = message.get("text") or message.get("bytes") or ""
        return text

    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it went while something was being sent
        await session.attend(Line(send, receive, leave))


async def _upload(request: Request, sessions: Sessions) -> Response:
    session = sessions.find(request.query_params.get("session", ""))
    if session is None:
        return _fault("There is no such session: load the page again.", 404)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return _fault(f"The file is larger than {MOST_BYTES >> 20} MB: train on it with chainrule train.", 413)
    try:
        name = await asyncio.to_thread(read_upload, request.query_params.get("name", ""), bytes(body), session.sources)
    except ChainruleError as fault:
        return _fault(str(fault), 422)
    await session.welcome_again()
    return JSONResponse({"name": name, "columns": session.sources.handed[name].columns})


async def _away(request: Request, sessions: Sessions) -> Response:
    session = sessions.find(request.query_params.get("session", ""))
    if session is None:
        return _fault("There is no such session: load the page again.", 404)
    try:
        taken = await asyncio.to_thread(take, request.path_params["kind"], await session.moment())
    except ChainruleError as fault:
        return _fault(str(fault), 422)
    headers = {"content-disposition": f'attachment; filename="{taken.name}"', "content-type": taken.kind}
    return Response(taken.content, headers=headers)


def _fault(words: str, status: int) -> Response:
    return JSONResponse({"fault": words}, status_code=status)


def serve(app: Any, *, host: str, port: int) -> None:
    """Run until Ctrl-C.

    Raises:
        MissingExtraError: when uvicorn or websockets are not installed.
    """
    try:
        import uvicorn
        import websockets  # noqa: F401 -- uvicorn speaks WebSocket through it
    except ImportError as fault:
        raise MissingExtraError("The playground", library=str(fault.name), extra="play") from None
    uvicorn.run(
        app, host=host, port=port, log_level="error", ws="websockets-sansio", ws_max_size=1 << 20, ws_max_queue=32,
        timeout_graceful_shutdown=1, server_header=False, ws_per_message_deflate=False,
    )  # fmt: skip
