"""The application: requests in, responses out (ASGI); any server that speaks ASGI runs it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from chainrule.errors import InputError
from chainrule.serving.answers import BODY, CSV, JSON, Answers
from chainrule.serving.described import facts
from chainrule.serving.limits import Limits
from chainrule.serving.openapi import document
from chainrule.serving.page import POLICY, page
from chainrule.serving.problems import MEDIA_TYPE, Problem, of_input

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from chainrule.model import Model
    from chainrule.network import Network

_log = logging.getLogger("chainrule.serving")
_SMALL = 1 << 14  # bytes of a body that is answered at once: a thread would take longer to wake up
_LIGHT = 1 << 18  # parameters of a network that is
_LINGER = 2.0  # seconds for which a body that is too large is still read, so that its sender reads the refusal
_AGAIN = {"retry-after": "1"}
_CLOSE = {"connection": "close"}
_FULL = {JSON: JSON, CSV: f"{CSV}; charset=utf-8"}
_SAFE = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


def make_app(
    model: Model | Network, *, name: str = "model", limits: Limits | None = None, hosts: Collection[str] = ()
) -> ASGIApp:
    """An ASGI application that answers with a model: ``/predict``, ``/schema``, ``/health``, ``/openapi.json``, ``/``.

    Args:
        model: a `Model`, or a `Network` with its weights.
        name: what the model is called in what it tells of itself.
        limits: how much of everything a client gets.
        hosts: the names by which a request may call the server; any, if none are given.

    >>> import chainrule as cr
    >>> app = make_app(cr.Network([cr.Dense(1)], loss="mean_squared_error").build(2))
    """
    limits = limits or Limits()
    service = _Service(Answers(model, limits), limits)
    told = facts(service.answers, name)
    openapi = document(service.answers, name)
    routes = [
        Route("/predict", service.predict, methods=["POST"]),
        Route("/schema", _told(msgspec.json.encode(told)), methods=["GET"]),
        Route("/health", _told(msgspec.json.encode({"status": "ok", "model": name})), methods=["GET"]),
        Route("/openapi.json", _told(msgspec.json.encode(openapi)), methods=["GET"]),
        Route("/", _told(page(told, openapi), "text/html; charset=utf-8", POLICY), methods=["GET"]),
    ]
    handlers: dict[Any, Any] = {
        Problem: _refused,
        HTTPException: _refused_by_starlette,
        InputError: _refused_rows,
        Exception: _failed,
    }
    return _Guard(Starlette(routes=routes, exception_handlers=handlers), hosts)


class _Service:
    """Predictions, those for many rows by threads.

    Attributes:
        working: how many requests the threads work on, or wait for a thread.
    """

    def __init__(self, answers: Answers, limits: Limits) -> None:
        self.answers, self.limits, self.working = answers, limits, 0
        self._light = answers.network.theta.size <= _LIGHT
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="predict")

    async def predict(self, request: Request) -> Response:
        """``POST /predict``."""
        kind = _content_type(request)
        body = await _body(request, self.limits)
        wanted = _wanted(request.headers.get("accept", ""), kind)
        if kind == wanted == JSON and self._light and len(body) <= _SMALL:
            return _response(self.answers.answer(body), JSON)
        return _response(await self._in_thread(body, kind, wanted), wanted)

    async def _in_thread(self, body: bytes, kind: str, wanted: str) -> bytes:
        """The answer of a thread, in time.

        Raises:
            Problem: when too many wait already, or it takes too long.
        """
        if self.working >= self.limits.max_waiting:
            words = f"{self.working} requests are worked on or wait already"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, words, headers=_AGAIN)
        self.working += 1
        future = self._pool.submit(self.answers.answer, body, kind, wanted)
        future.add_done_callback(partial(self._done_in, asyncio.get_running_loop()))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.limits.timeout)
        except TimeoutError:
            words = f"the answer took more than {self.limits.timeout:g} seconds: send fewer rows"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, words, headers=_AGAIN) from None

    def _done_in(self, loop: asyncio.AbstractEventLoop, _: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(self._done)

    def _done(self) -> None:
        self.working -= 1


class _Guard:
    """Refuses requests that call the server by a name that is not its own, and answers where all else failed.

    A page in a browser can make a name of its own mean this machine, and would then read the answers: DNS rebinding.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app, self.hosts = app, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.hosts and (problem := _misdirected(scope, self.hosts)) is not None:
            await _refused_as(problem)(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except Exception as fault:  # noqa: BLE001 -- it was answered already; the server goes on
            _log.error(
                "%s %s failed: %r", scope["method"], scope["path"], fault, exc_info=_log.isEnabledFor(logging.DEBUG)
            )


def _misdirected(scope: Scope, hosts: frozenset[str]) -> Problem | None:
    """What is wrong with the name by which a request calls the server.

    HTTP/1.0 need not name it; no browser speaks that.
    """
    given: list[bytes] = [value for name, value in scope["headers"] if name == b"host"]
    if not given and scope["http_version"] == "1.0":
        return None
    if len(given) != 1:
        return Problem(HTTPStatus.BAD_REQUEST, f"a request names its host once, not {len(given)} times")
    host = _without_port(given[0].decode("latin-1").strip().lower())
    if host in hosts:
        return None
    words = f"this server is not called {host!r}: start it with --allow-host {host or 'NAME'} if it is"
    return Problem(HTTPStatus.MISDIRECTED_REQUEST, words)


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host


def _content_type(request: Request) -> str:
    """JSON or CSV.

    Raises:
        Problem: for anything else, and for what is compressed or in another alphabet.
    """
    given = request.headers.get("content-type", "")
    kind, *parameters = [part.strip().lower() for part in given.split(";")]
    if kind not in {JSON, CSV}:
        words = (
            f"content-type: expected {JSON} or {CSV}, got {given!r}" if given else f"say content-type: {JSON} or {CSV}"
        )
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, words, headers={"accept": f"{JSON}, {CSV}"})
    charsets = {part.partition("=")[2].strip("\"' ") for part in parameters if part.startswith("charset")}
    if charsets - {"utf-8", "utf8", "us-ascii"}:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the body must be UTF-8, not {', '.join(sorted(charsets))}")
    encoding: str = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the body must not be compressed, and is: {encoding}")
    return kind


def _wanted(accept: str, kind: str) -> str:
    """The kind of the answer: that of the body, or the first that is named."""
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return next((part for part in named if part in {JSON, CSV}), kind)


async def _body(request: Request, limits: Limits) -> bytes:
    """The whole body.

    Raises:
        Problem: when it is too large, or does not come in time.
    """
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > limits.max_body:
        await _linger(request)
        raise _too_large(limits)
    chunks, size, more = [], 0, True
    try:
        async with asyncio.timeout(limits.timeout):
            while more and size <= limits.max_body:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise Problem(HTTPStatus.BAD_REQUEST, "the connection ended within the body", headers=_CLOSE)
                chunks.append(message.get("body", b""))
                size, more = size + len(chunks[-1]), message.get("more_body", False)
    except TimeoutError:
        words = f"the body did not arrive within {limits.timeout:g} seconds"
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, words, headers=_CLOSE) from None
    if size > limits.max_body:
        if more:
            await _linger(request)
        raise _too_large(limits)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _linger(request: Request) -> None:
    """Hear the sender of a body that is too large for a while: else it finds the connection broken, not a refusal."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER):
            while (await request.receive()).get("more_body", False):
                pass


def _too_large(limits: Limits) -> Problem:
    words = f"{BODY} has more than {limits.max_body:,} bytes: send fewer rows at a time"
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words, headers=_CLOSE)


def _told(
    body: bytes, media_type: str = JSON, policy: str = "default-src 'none'"
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that always answers the same."""
    headers = {**_SAFE, "content-security-policy": policy}

    async def tell(_: Request) -> Response:
        return Response(body, media_type=media_type, headers=headers)

    return tell


def _response(body: bytes, media_type: str) -> Response:
    return Response(body, headers={**_SAFE, "content-type": _FULL[media_type]})


def _refused_as(problem: Problem) -> Response:
    """The response that says it."""
    headers = {**_SAFE, **problem.headers, "content-type": MEDIA_TYPE}
    return Response(problem.body(), problem.status, headers)


async def _refused(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)  # noqa: S101 -- Starlette's handlers are not typed more closely
    return _refused_as(problem)


async def _refused_rows(_: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)  # noqa: S101 -- as above
    return _refused_as(of_input(error))


async def _refused_by_starlette(request: Request, error: Exception) -> Response:
    """No such page, or not this method."""
    assert isinstance(error, HTTPException)  # noqa: S101 -- as above
    words = {
        HTTPStatus.NOT_FOUND: f"there is no {request.url.path} here; GET / tells what there is",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.url.path} does not take {request.method}",
    }
    detail = words.get(HTTPStatus(error.status_code), error.detail)
    return _refused_as(Problem(error.status_code, detail, headers=error.headers))


async def _failed(_: Request, fault: Exception) -> Response:
    if isinstance(fault, MemoryError):
        return _refused_as(Problem(HTTPStatus.SERVICE_UNAVAILABLE, "there is not enough memory now", headers=_AGAIN))
    return _refused_as(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed at this; its log says more"))
