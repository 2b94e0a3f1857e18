"""Who may come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from chainrule.playground.gate import new_token
from chainrule.playground.server import make_app
from chainrule.playground.setting import HiddenLayer, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN, PORT = "a-token-of-the-test", 8700
OWN = f"http://127.0.0.1:{PORT}"
TALK = "/talk?session=session-of-a-test"
HOST = f"127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def app() -> object:
    return make_app(Setting(data="xor", layers=(HiddenLayer(units=2),)), token=TOKEN, port=PORT)


@pytest.fixture
def stranger(app: object) -> Iterator[TestClient]:
    with TestClient(app, base_url=OWN, follow_redirects=False) as client:
        yield client


@pytest.fixture
def client(stranger: TestClient) -> TestClient:
    assert stranger.get(f"/?token={TOKEN}").status_code == 303
    return stranger


def test_without_a_token_nobody_comes_in(stranger: TestClient) -> None:
    for path in ("/", "/page/main.js", "/take/model?session=x", "/?token=wrong", "/?token=", "/nothing"):
        answer = stranger.get(path)
        assert answer.status_code == 403
        assert "main.js" not in answer.text
    assert stranger.post("/upload?session=x&name=a.csv", content=b"a,b\n1,2\n").status_code == 403
    with pytest.raises(WebSocketDisconnect), stranger.websocket_connect(TALK, headers={"host": HOST}):
        pass


def test_the_token_opens_and_leaves_the_address(stranger: TestClient) -> None:
    answer = stranger.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert stranger.get("/").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1:9999", "localhost", ""])
def test_a_foreign_name_is_refused_even_with_the_token(client: TestClient, host: str) -> None:
    assert client.get(f"/?token={TOKEN}", headers={"host": host}).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"{TALK}&token={TOKEN}", headers={"host": host}):
        pass


@pytest.mark.parametrize("origin", ["http://evil.example", f"https://127.0.0.1:{PORT}", "http://127.0.0.1:1", "null"])
def test_a_foreign_page_is_refused_even_with_the_token(client: TestClient, origin: str) -> None:
    assert client.get("/", headers={"origin": origin}).status_code == 403
    assert client.post(f"/upload?token={TOKEN}", headers={"origin": origin}).status_code == 403
    headers = {"origin": origin, "host": HOST}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"{TALK}&token={TOKEN}", headers=headers):
        pass


def test_its_own_page_is_let_in(client: TestClient) -> None:
    for own in (OWN, f"http://localhost:{PORT}"):
        with client.websocket_connect(f"{TALK}&token={TOKEN}", headers={"origin": own, "host": HOST}) as socket:
            assert socket.receive_json()["kind"] == "welcome"


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/page/none.js", "/nothing"])
def test_every_answer_has_a_strict_policy(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert min(map(len, tokens)) >= 32
