"""The end of a server: whoever asked by then is answered."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from functools import partial

import pytest

import chainrule as cr
from chainrule.serving import connections, process, server
from chainrule.serving.app import make_app
from chainrule.serving.limits import Limits

GET = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"


@contextmanager
def running():
    """A server in a thread, and where it listens."""
    network = cr.Network([cr.Dense(1)], loss="mean_squared_error").build(2)
    listener, ready = server.listen("127.0.0.1", 0), threading.Event()
    where = listener.getsockname()
    config = process.Config(partial(make_app, network), Limits(), None)
    made = process.Server(config, ready.set)
    thread = threading.Thread(target=made.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert ready.wait(20)
    yield made, where
    made.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def is_open(where):
    with suppress(OSError), socket.create_connection(where, timeout=20):
        return True
    return False


@pytest.mark.slow
def test_who_asks_on_an_open_connection_while_it_stops_is_answered_and_told_to_close(monkeypatch):
    monkeypatch.setattr(connections, "_LAST", 60)
    with running() as (made, where), socket.create_connection(where, timeout=20) as client:
        client.sendall(GET)
        assert b"connection: close" not in client.recv(10_000)
        made.should_exit = True
        while is_open(where):
            pass
        client.sendall(GET)
        answer = b""
        while part := client.recv(10_000):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer


def test_those_who_wait_to_be_let_in_are_found():
    listener = server.listen("127.0.0.1", 0)
    with listener:
        clients = [socket.create_connection(listener.getsockname(), timeout=20) for _ in range(3)]
        taken = process._waiting(listener)
        assert {each.getpeername() for each in taken} == {each.getsockname() for each in clients}
        for each in (*taken, *clients):
            each.close()


@pytest.mark.slow
def test_those_who_wait_to_be_let_in_are_answered(monkeypatch):
    """The door is closed while they stand before it: the loop is held at its end until they have asked."""
    clients = []

    def late(listener):
        clients.extend(socket.create_connection(listener.getsockname(), timeout=20) for _ in range(2))
        for client in clients:
            client.sendall(GET)
        return found(listener)

    found = process._waiting
    monkeypatch.setattr(process, "_waiting", late)
    with running() as (made, _):
        made.should_exit = True
    assert [client.recv(10_000)[:12] for client in clients] == [b"HTTP/1.1 200"] * 2
    for client in clients:
        client.close()
