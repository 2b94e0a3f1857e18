"""The access log: what its lines say, and that it holds nobody up."""

from __future__ import annotations

import asyncio
import json
import re
from threading import Event

import pytest
from starlette.testclient import TestClient

import chainrule as cr
from chainrule.serving import access
from chainrule.serving.app import make_app


@pytest.fixture
def app():
    return make_app(cr.Network([cr.Dense(1)], loss="mean_squared_error").build(2))


def test_each_answer_is_a_line(app, capsys):
    with TestClient(access.Logged(app, access.AccessLog("text"))) as client:
        answer = client.post("/predict", content="[[1, 2]]", headers={"content-type": "application/json"})
        client.post("/predict", content="[[1]]", headers={"content-type": "application/json"})
        client.get("/one%0Atwo?secret=1")
    first, second, third = capsys.readouterr().out.splitlines()
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"{time} testclient POST /predict 200 {len(answer.content)} B [\d.]+ ms", first)
    assert " POST /predict 422 " in second
    assert " GET /one%0Atwo 404 " in third


def test_a_line_for_programs_is_json(app, capsys):
    with TestClient(access.Logged(app, access.AccessLog("json"))) as client:
        client.get("/health")
    told = json.loads(capsys.readouterr().out)
    assert (told["event"], told["method"], told["path"], told["status"]) == ("request", "GET", "/health", 200)
    assert told["milliseconds"] >= 0


async def note(log, count):
    for _ in range(count):
        log.note(("127.0.0.1", 1), "GET", b"/", status=200, sent=0, began=0.0)
        log._hand_on()


def test_a_reader_that_does_not_read_holds_nobody_up(monkeypatch, capsys):
    monkeypatch.setattr(access, "_WAITING", 3)
    log = access.AccessLog("text")
    asyncio.run(note(log, 10))  # nobody takes them yet
    log.start()
    log.stop()
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_reader_that_has_gone_is_no_fault(monkeypatch, capsys):
    class Gone:
        def write(self, text):  # noqa: ARG002 -- as a stream
            raise BrokenPipeError

    monkeypatch.setattr(access.sys, "stdout", Gone())
    log = access.AccessLog("text")
    log.start()
    asyncio.run(note(log, 1))
    log.stop()
    monkeypatch.undo()
    assert capsys.readouterr().err == ""


def test_the_end_does_not_wait_for_a_reader_that_does_not_read(monkeypatch):
    written, go_on = Event(), Event()

    class Full:
        def write(self, text):  # noqa: ARG002 -- as a stream
            written.set()
            go_on.wait(30)

        def flush(self):
            pass

    monkeypatch.setattr(access, "_PATIENCE", 0.01)
    monkeypatch.setattr(access.sys, "stdout", Full())
    log = access.AccessLog("text")
    log.start()
    asyncio.run(note(log, 1))
    assert written.wait(30)
    log.stop()
    assert not go_on.is_set()
    go_on.set()
