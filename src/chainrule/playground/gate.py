"""Who may come in: whoever has the token, from this machine's own page, and nobody else.

As Jupyter does it: the address that is printed holds a token, which a cookie then keeps. The name under which the
server is called (``Host``) must be one of its own, so that no foreign name can be pointed at it (DNS rebinding); the
page that calls (``Origin``) must be its own.
"""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_REFUSED = "This page is for whoever started it: open the address that chainrule play has printed, with its token.\n"


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


class Gate:
    """Lets in those who may; all others get 403, and no word of what is behind.

    Args:
        app: what is behind.
        token: that opens.
        port: of the server.
        hosts: names of the server, without port.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int, hosts: tuple[str, ...]) -> None:
        self._app, self._token, self._cookie = app, token, f"chainrule_play_{port}"
        self._hosts = {f"{host}:{port}" for host in hosts} | (set(hosts) if port in {80, 443} else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if not self._is_own(headers):
            await _refuse(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/" and self._opens(given):
            await self._welcome(scope, receive, send)
        elif self._opens(given) or self._opens(self._kept(headers)):
            await self._app(scope, receive, _with_headers(send))
        else:
            await _refuse(scope, receive, send)

    def _is_own(self, headers: dict[str, str]) -> bool:
        """Whether the server was called by its own name, and by no foreign page."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return False
        return origin is None or origin in {f"http://{own}" for own in self._hosts}

    def _opens(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())

    def _kept(self, headers: dict[str, str]) -> str:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return ""
        return "" if cookie is None else cookie.value

    async def _welcome(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the token in a cookie, and take it out of the address, which may be shown to others."""
        response = RedirectResponse("/", status_code=303, headers=_HEADERS)
        response.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
        await response(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4403, "reason": "refused"})
        return
    await PlainTextResponse(_REFUSED, status_code=403, headers=_HEADERS)(scope, receive, send)


def _with_headers(send: Send) -> Send:
    extra = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            named = {name.lower() for name, _ in message.get("headers", [])}
            own = [pair for pair in extra if pair[0] not in named]
            message = {**message, "headers": [*message.get("headers", []), *own]}
        await send(message)

    return with_headers
