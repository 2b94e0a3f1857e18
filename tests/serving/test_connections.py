"""A real server on a free port, and clients that are slow, broken, silent or hostile, while others are answered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import urllib.request

import pytest

import chainrule as cr
from chainrule.serving import server
from chainrule.serving.app import make_app
from chainrule.serving.connections import connections
from chainrule.serving.limits import HEAD, Limits

pytestmark = pytest.mark.slow

LIMITS = Limits(timeout=0.4, max_connections=6, max_body=20_000, max_rows=100)
GET = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
POST = b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


@pytest.fixture(scope="module")
def address():
    """Where it listens; the thread ends when the test of this file do."""
    import uvicorn

    network = cr.Network([cr.Dense(1)], loss="mean_squared_error").build(2)
    listener = server.listen("127.0.0.1", 0)
    config = uvicorn.Config(
        make_app(network, limits=LIMITS), http=connections(LIMITS), ws="none", lifespan="off", log_config=None
    )
    running = uvicorn.Server(config)
    where = listener.getsockname()
    thread = threading.Thread(target=lambda: asyncio.run(running.serve([listener])), daemon=True)
    thread.start()
    yield where
    running.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


@contextlib.contextmanager
def connected(address, data=b""):
    with socket.create_connection(address, timeout=20) as client:
        client.sendall(data)
        yield client


def heard(client):
    """All that the server says until it closes; what it had said before it broke the connection off."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := client.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


def status(client):
    return int(heard(client).split(b" ", 2)[1])


def is_answered(address):
    request = urllib.request.Request(
        f"http://{address[0]}:{address[1]}/predict", b"[[1, 2]]", {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 -- our own server
        return len(json.load(response)["predictions"]) == 1


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET /hea", b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-slow", GET[:-1]],
    ids=["silent", "half a line", "half a head", "all but the last byte"],
)
def test_a_request_that_does_not_come_is_given_up(address, begun):
    with connected(address, begun) as client:
        assert is_answered(address)
        assert heard(client) == b""


def test_a_body_that_does_not_come_is_given_up_with_words(address):
    with connected(address, POST + b"content-length: 100\r\n\r\n[[1") as client:
        assert is_answered(address)
        assert status(client) == 408


def test_a_body_that_trickles_is_given_up(address):
    with connected(address, POST + b"transfer-encoding: chunked\r\n\r\n") as client:
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                client.sendall(b"1\r\n \r\n")
                if client.recv(1 << 16, socket.MSG_DONTWAIT | socket.MSG_PEEK):
                    break
        assert status(client) == 408


def test_who_leaves_early_is_missed_by_nobody(address):
    for data in (b"", b"GET", POST + b"content-length: 8\r\n\r\n[[1", POST + b"content-length: 8\r\n\r\n[[1, 2]]"):
        with connected(address, data):
            pass
    assert is_answered(address)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\0" * 100 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n",
        POST + b"content-length: -1\r\n\r\n",
        POST + b"content-length: 5\r\ncontent-length: 6\r\n\r\n",
        POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_rubbish_is_400(address, rubbish):
    with connected(address, rubbish) as client:
        answer = heard(client)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer
    assert is_answered(address)


def test_a_head_without_end_is_431(address):
    with connected(address, b"GET / HTTP/1.1\r\n") as client:
        with contextlib.suppress(ConnectionError):
            for _ in range(HEAD // 1000 + 1):
                client.sendall(b"x" * 1000)
        answer = heard(client)
    assert answer.startswith(b"HTTP/1.1 431 ") or answer == b""
    assert is_answered(address)


def test_trailers_without_end_are_cut_off(address):
    with connected(address, POST + b"transfer-encoding: chunked\r\n\r\n0\r\n") as client:
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 1 << 26:
                client.sendall(b"x: " + b"y" * 60_000 + b"\r\n")
                sent += 60_000
        assert sent < 1 << 26


def test_a_body_that_is_too_large_is_refused_in_words(address):
    body = b" " * 200_000
    with connected(address, POST + b"content-length: %d\r\n\r\n" % len(body)) as client:
        client.sendall(body)
        assert status(client) == 413


def test_many_silent_clients_leave_room_for_others(address):
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connected(address, b"GET /")) for _ in range(3 * LIMITS.max_connections)]
        assert is_answered(address)
        assert heard(silent[0]) == b""


def test_requests_in_one_packet_are_all_answered(address):
    close = GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    with connected(address, GET + GET + close) as client:
        assert heard(client).count(b'"status":"ok"') == 3


def test_who_asks_to_go_on_is_told_to(address):
    with connected(address, POST + b"expect: 100-continue\r\nconnection: close\r\ncontent-length: 8\r\n\r\n") as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"[[1, 2]]")
        assert status(client) == 200


def test_an_upgrade_is_no_reason_to_wait(address):
    upgrade = b"connection: upgrade, close\r\nupgrade: websocket\r\n"
    with connected(address, GET.replace(b"\r\n\r\n", b"\r\n" + upgrade + b"\r\n")) as client:
        assert status(client) == 200


def test_who_asks_on_and_on_and_never_listens_is_cut_off(address):
    asked = GET * 1000
    with socket.create_connection(address, timeout=60) as client, pytest.raises(ConnectionError):
        [client.sendall(asked) for _ in range(1000)]
    assert is_answered(address)
