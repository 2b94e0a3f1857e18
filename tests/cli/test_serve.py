"""``chainrule serve`` from start to stop, as a person and as a program would run it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest

import chainrule as cr
from chainrule.cli import run


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "iris.safetensors"
    cr.train("iris", layers=(4,), epochs=2).save(path)
    return path


@contextmanager
def served(model, *options):
    command = [sys.executable, "-m", "chainrule", "serve", str(model), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(url):
    body = json.dumps({"sepal_length": 5, "sepal_width": 3, "petal_length": 1, "petal_width": 0}).encode()
    request = urllib.request.Request(f"{url}/predict", body, {"content-type": "application/json"})  # noqa: S310 -- as below
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 -- our own server
        return json.load(response)["predictions"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_answers_and_stops_when_told(model, how):
    with served(model) as process:
        lines = [process.stdout.readline() for _ in range(5)]
        assert lines[0] == f"{model}: classification of species from 4 columns\n"
        url = lines[1].split()[-1]
        assert url.startswith("http://127.0.0.1:")
        assert "this machine alone" in lines[2]
        assert len(ask(url)) == 1
        process.send_signal(how)
        rest, errors = process.communicate(timeout=20)
        assert (rest, errors, process.returncode) == ("Stopped.\n", "", 0)


@pytest.mark.slow
def test_who_is_being_answered_when_it_stops_gets_the_answer(model):
    body = b'{"sepal_length":5,"sepal_width":3,"petal_length":1,"petal_width":0}'
    with served(model, "--json") as process:
        ready = json.loads(process.stdout.readline())
        assert (ready["event"], ready["loopback"]) == ("ready", True)
        host, port = ready["url"].removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as client:
            head = "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            head += "expect: 100-continue\r\n"
            client.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 100")  # it reads the body now
            process.send_signal(signal.SIGTERM)
            client.sendall(body)
            answer = b""
            while part := client.recv(1000):
                answer += part
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"predictions"' in answer
        rest, errors = process.communicate(timeout=20)
        assert (json.loads(rest), errors, process.returncode) == ({"event": "end"}, "", 0)


@pytest.mark.slow
def test_several_workers_answer_are_logged_and_stop_when_told(model):
    with served(model, "--json", "--log", "--workers", "2") as process:
        ready = json.loads(process.stdout.readline())
        assert all(len(ask(ready["url"])) == 1 for _ in range(4))
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=60)
        *lines, end = [json.loads(line) for line in rest.splitlines()]
        assert [(line["event"], line["path"], line["status"]) for line in lines] == [("request", "/predict", 200)] * 4
        assert (end, errors, process.returncode) == ({"event": "end"}, "", 0)


@pytest.mark.slow
def test_workers_end_with_their_parent(model):
    with served(model, "--json", "--workers", "2") as process:
        json.loads(process.stdout.readline())
        process.kill()
        assert process.communicate(timeout=60) == ("", "")  # nobody holds the pipes any longer


@pytest.mark.slow
def test_it_says_that_others_reach_it(model):
    with served(model, "--host", "0.0.0.0") as process:  # noqa: S104 -- what is tested
        lines = [process.stdout.readline() for _ in range(5)]
        assert "everybody who reaches this machine" in lines[2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "70000"], "--port: expected a whole number from 0 to 65535, got 70000"),
        (["--host", "no.such.host.invalid"], "--host: expected an address or name of this machine"),
        (["--max-rows", "0"], "--max-rows: expected a whole number >= 1, got 0"),
        (["--workers", "0"], "--workers: expected a whole number >= 1, got 0"),
        (["--timeout", "nan"], "--timeout: expected a number > 0"),
    ],
)
def test_wrong_options_are_named(model, capsys, options, words):
    assert run(["serve", str(model), *options]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_port_that_is_taken(model, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run(["serve", str(model), "--port", str(port)]) == 2
    assert f"port {port} of 127.0.0.1 cannot be had" in " ".join(capsys.readouterr().err.split())


def test_a_file_that_is_no_model(tmp_path, capsys):
    assert run(["serve", str(tmp_path / "none.safetensors")]) == 2
    assert "none.safetensors" in capsys.readouterr().err


def test_the_extra_is_named_where_it_is_missing(model, capsys, monkeypatch):
    monkeypatch.setattr("chainrule.cli.serve.find_spec", lambda name: None if name == "uvicorn" else object())
    assert run(["serve", str(model)]) == 1
    assert "pip install 'chainrule[serve]'" in " ".join(capsys.readouterr().err.split())
